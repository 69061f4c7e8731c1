import CTerminal
import Dispatch
import Glibc
import KVCluster
import Synchronization

/// Waits for the signals that end a program: the first is handed on, a second one ends the program at once.
///
/// What comes within ``togetherNs`` of the first is the same wish: `timeout` sends its signal to the program and to its
/// process group, and the program is in both.
struct SignalWatch {
  private static let togetherNs: UInt64 = 100_000_000

  /// Number of the signal that came first, or 0.
  private final class First: Sendable {
    let number = Atomic<Int32>(0)
    let atNs = Atomic<UInt64>(0)
  }

  private let first = First()
  private let sources: [any DispatchSourceSignal]

  /// - Parameters:
  ///   - isDealtWith: whether a signal is nothing that ends the program.
  ///   - handle: is called for the first that does.
  init(
    unless isDealtWith: @escaping @Sendable (Int32) -> Bool = { _ in false },
    _ handle: @escaping @Sendable (Int32) -> Void
  ) {
    sources = [SIGINT, SIGTERM, SIGHUP].map { [first] signal in
      Glibc.signal(signal, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
      source.setEventHandler {
        if isDealtWith(signal) { return }
        let isFirst = first.number.compareExchange(expected: 0, desired: signal, ordering: .relaxed).exchanged
        if isFirst {
          first.atNs.store(Clock.nowNs(), ordering: .relaxed)
          return handle(signal)
        }
        guard Clock.nowNs() > first.atNs.load(ordering: .relaxed) + Self.togetherNs else { return }
        Self.endNow(signal)
      }
      source.resume()
      return source
    }
  }

  /// Ends the program as a signal does, and leaves nothing of what was not to be kept.
  private static func endNow(_ signal: Int32) {
    ct_guard_restore()
    TemporaryFolder.removeAll()
    _exit(128 + signal)
  }

  /// From now on the first signal ends the program at once: somebody has asked it to end before.
  static func endAtFirst() -> SignalWatch { SignalWatch { endNow($0) } }

  /// The signal that came, if one did.
  var caught: Int32? {
    let signal = first.number.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }
}
