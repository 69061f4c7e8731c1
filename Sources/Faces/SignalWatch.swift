import CTerminal
import Dispatch
import Glibc
import Synchronization

/// Where the signals that end a program come from, and how the program ends at once.
package struct SignalSource: Sendable {
  /// Calls back for each SIGINT, SIGTERM and SIGHUP, until what it returns is released.
  package var watch: @Sendable (_ handle: @escaping @Sendable (Int32) -> Void) -> Any
  /// Removes the folders that are not kept, and ends the process as the signal would.
  package var endNow: @Sendable (Int32) -> Void
  package var nowNs: @Sendable () -> UInt64

  package init(
    watch: @escaping @Sendable (_ handle: @escaping @Sendable (Int32) -> Void) -> Any,
    endNow: @escaping @Sendable (Int32) -> Void, nowNs: (@Sendable () -> UInt64)? = nil
  ) {
    (self.watch, self.endNow, self.nowNs) = (watch, endNow, nowNs ?? MonotonicClock.nowNs)
  }

  /// The process's own.
  static let process = SignalSource { handle in
    [SIGINT, SIGTERM, SIGHUP].map { signal in
      Glibc.signal(signal, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
      source.setEventHandler { handle(signal) }
      source.resume()
      return source
    }
  } endNow: { signal in
    ct_guard_restore()
    TemporaryFolder.removeAll()
    _exit(128 + signal)
  }
}

/// Waits for the signals that end a program: the first is handed on, a second one ends the program at once.
///
/// A signal within ``togetherNs`` of the first is the same wish: `timeout` sends its signal to the program and to its
/// process group, and the program is in both.
struct SignalWatch {
  static let togetherNs: UInt64 = 100_000_000

  /// Number of the signal that came first, or 0.
  private final class First: Sendable {
    let number = Atomic<Int32>(0)
    let atNs = Atomic<UInt64>(0)
  }

  private let first = First()
  private let sources: Any

  /// - Parameters:
  ///   - isDealtWith: whether a signal is nothing that ends the program.
  ///   - handle: is called for the first that does.
  init(
    _ source: SignalSource, unless isDealtWith: @escaping @Sendable (Int32) -> Bool = { _ in false },
    _ handle: @escaping @Sendable (Int32) -> Void
  ) {
    sources = source.watch { [first] signal in
      if isDealtWith(signal) { return }
      let isFirst = first.number.compareExchange(expected: 0, desired: signal, ordering: .relaxed).exchanged
      if isFirst {
        first.atNs.store(source.nowNs(), ordering: .relaxed)
        return handle(signal)
      }
      guard source.nowNs() > first.atNs.load(ordering: .relaxed) + Self.togetherNs else { return }
      source.endNow(signal)
    }
  }

  /// From now on the first signal ends the program at once: a person has asked it to end before.
  static func endAtFirst(_ source: SignalSource) -> SignalWatch { SignalWatch(source, source.endNow) }

  /// The signal that came, if one did.
  var caught: Int32? {
    let signal = first.number.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }
}
