import Synchronization

/// One operation that waits for disks under `fsync always`: its records have been applied, and it is done when a write
/// quorum of them is on the disk. Each log it is registered with tells it once that a record is durable or never will
/// be; the first step that decides wakes the caller, and what comes later is ignored.
final class DurabilityWait: Sendable {
  private struct State {
    var operation: WriteOperation
    var continuation: UnsafeContinuation<WriteOperation.Step, Never>?
    var monitor: Monitor?
    var callback: (@Sendable (WriteOperation.Step) -> Void)?
  }

  private let state: Mutex<State>
  let startedNs = Clock.nowNs()

  init(_ operation: WriteOperation) {
    state = Mutex(State(operation: operation))
  }

  func acknowledge(_ participant: Int) { step { $0.acknowledge(participant) } }
  func lose(_ participant: Int) { step { $0.lose(participant) } }
  func timeOut() { step { $0.timeOut() } }

  @inline(__always)
  private func step(_ advance: (inout WriteOperation) -> WriteOperation.Step) {
    typealias Sleeper = (
      step: WriteOperation.Step, continuation: UnsafeContinuation<WriteOperation.Step, Never>?, monitor: Monitor?,
      callback: (@Sendable (WriteOperation.Step) -> Void)?
    )
    let sleeper = state.withLock { state -> Sleeper? in
      let step = advance(&state.operation)
      guard step != .waiting else { return nil }
      defer {
        state.continuation = nil
        state.monitor = nil
        state.callback = nil
      }
      return (step, state.continuation, state.monitor, state.callback)
    }
    guard let sleeper else { return }
    sleeper.continuation?.resume(returning: sleeper.step)
    if let monitor = sleeper.monitor { monitor.withLock { monitor.notifyAll() } }
    sleeper.callback?(sleeper.step)
  }

  private var current: WriteOperation.Step { state.withLock { $0.operation.step } }

  /// Waits without holding a thread.
  func wait() async -> WriteOperation.Step {
    await withUnsafeContinuation { continuation in
      let decided = state.withLock { state -> WriteOperation.Step? in
        if state.operation.step != .waiting { return state.operation.step }
        state.continuation = continuation
        return nil
      }
      if let decided { continuation.resume(returning: decided) }
    }
  }

  /// Calls `body` once it is decided: on the thread that decides, or at once.
  func onDecision(_ body: @escaping @Sendable (WriteOperation.Step) -> Void) {
    let decided = state.withLock { state -> WriteOperation.Step? in
      if state.operation.step != .waiting { return state.operation.step }
      state.callback = body
      return nil
    }
    if let decided { body(decided) }
  }

  /// Waits on the calling thread.
  func waitBlocking() -> WriteOperation.Step {
    let monitor = Monitor()
    state.withLock { if $0.operation.step == .waiting { $0.monitor = monitor } }
    return monitor.withLock {
      while current == .waiting { monitor.wait() }
      return current
    }
  }
}
