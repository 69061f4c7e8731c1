import ClusterModel
import Synchronization

/// The life of a tool that works on a data folder at rest: shows on a terminal how far it is, and stops
/// cleanly at Ctrl-C. (Nothing else runs meanwhile, so its work may block the thread it is on.)
package enum ToolRun {
  /// The exit statuses of tools: what they were asked to find out, and that they could not.
  static let clean: Int32 = 0
  static let damaged: Int32 = 1
  static let unreadable: Int32 = 2

  /// Runs `work` and returns the program's exit status: that of `work`, or 128 + signal if one came, as a shell has it.
  package static func run(
    _ console: Console = .standard, _ work: @escaping @Sendable (ToolControl) async throws(ClusterError) -> Int32
  ) async -> Int32 {
    let control = ToolControl(console)
    let signals = SignalWatch(console.signals) { _ in control.stop() }
    let status: Int32
    do throws(ClusterError) {
      status = try await work(control)
      control.clearProgress()
    } catch {
      control.clearProgress()
      console.complain(error.words(on: nil))
      status = unreadable
    }
    return signals.caught.map { 128 + $0 } ?? status
  }
}

/// Control and progress of a running tool.
package final class ToolControl: Sendable {
  private let isStoppedFlag = Atomic<Bool>(false)
  private let shownNs = Atomic<UInt64>(0)
  private let isShown = Atomic<Bool>(false)
  let console: Console
  private static let intervalNs: UInt64 = 200_000_000

  init(_ console: Console) { self.console = console }

  var isStopped: Bool { isStoppedFlag.load(ordering: .relaxed) }

  func stop() { isStoppedFlag.store(true, ordering: .relaxed) }

  /// Shows how far the work is, on a terminal, a few times a second.
  func progress(_ text: @autoclosure () -> String) {
    let now = MonotonicClock.nowNs()
    guard console.showsProgress, now > shownNs.load(ordering: .relaxed) + ToolControl.intervalNs else { return }
    shownNs.store(now, ordering: .relaxed)
    isShown.store(true, ordering: .relaxed)
    console.note("\r\(text())\u{1b}[K")
  }

  func clearProgress() {
    if isShown.exchange(false, ordering: .relaxed) { console.note("\r\u{1b}[K") }
  }

  /// A line of the tool's answer.
  func say(_ line: String) {
    clearProgress()
    console.sayLine(line)
  }
}
