import Synchronization

/// What an operation still waits for when it leaves the partition's lock under `fsync always`: its records have been
/// applied, and it is done when a write quorum of them is on the disk.
struct PendingWait {
  var operation: WriteOperation
  var replicas: [Replica?]
  var positions: InlineArray<14, LogPosition>
}

/// One operation that waits for disks. Each log it is registered with tells it once that a record is durable or never
/// will be; the first step that decides wakes the caller, and what comes later is ignored.
final class DurabilityWait: Sendable {
  private struct State {
    var operation: WriteOperation
    var continuation: CheckedContinuation<WriteOperation.Step, Never>?
  }

  private let state: Mutex<State>
  private let monitor: Monitor?
  let startedNs: UInt64

  /// - Parameter blocks: whether a thread will wait in ``waitBlocking()``, rather than a task in ``wait()``.
  init(_ operation: WriteOperation, blocks: Bool) {
    state = Mutex(State(operation: operation))
    monitor = blocks ? Monitor() : nil
    startedNs = Clock.nowNs()
  }

  func acknowledge(_ participant: Int) { step { $0.acknowledge(participant) } }
  func lose(_ participant: Int) { step { $0.lose(participant) } }
  func timeOut() { step { $0.timeOut() } }

  private func step(_ advance: (inout WriteOperation) -> WriteOperation.Step) {
    let continuation = state.withLock { state -> CheckedContinuation<WriteOperation.Step, Never>? in
      guard advance(&state.operation) != .waiting else { return nil }
      defer { state.continuation = nil }
      return state.continuation
    }
    if let continuation { continuation.resume(returning: current) }
    if let monitor, current != .waiting { monitor.withLock { monitor.notifyAll() } }
  }

  private var current: WriteOperation.Step { state.withLock { $0.operation.step } }

  func wait() async -> WriteOperation.Step {
    await withCheckedContinuation { continuation in
      let decided = state.withLock { state -> WriteOperation.Step? in
        if state.operation.step != .waiting { return state.operation.step }
        state.continuation = continuation
        return nil
      }
      if let decided { continuation.resume(returning: decided) }
    }
  }

  func waitBlocking() -> WriteOperation.Step {
    guard let monitor else { preconditionFailure("made for a task, not for a thread") }
    return monitor.withLock {
      while current == .waiting { monitor.wait() }
      return current
    }
  }
}
