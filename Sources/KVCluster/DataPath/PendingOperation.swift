import Synchronization

/// The end of an operation that cannot be answered at once, and the caller that waits for it.
///
/// By direct call it waits for disks (`fsync always`): its records have been applied, and it is done when a write quorum
/// of them is on the disk. Each log it is registered with tells it once that a record is durable or never will be. By
/// message the ``MessageCarrier`` says how it ended. The first decision wakes the caller; what comes later is ignored.
final class PendingOperation: Sendable {
  /// One caller, in one of three forms.
  private enum Caller {
    case none
    case task(UnsafeContinuation<ClientOperation.Outcome, Never>)
    case thread(Monitor)
    case callback(@Sendable (ClientOperation.Outcome) -> Void)
  }

  private struct State {
    /// What the disks are waited for; `nil` by message.
    var write: WriteOperation?
    var outcome: ClientOperation.Outcome?
    var caller = Caller.none
  }

  private let state: Mutex<State>
  let startedNs = Clock.nowNs()
  /// Whether it waits for disks, as against messages.
  let waitsForDisks: Bool

  /// Waits until a write quorum is durable.
  init(_ write: WriteOperation) {
    precondition(write.step == .waiting, "a decided operation does not wait")
    state = Mutex(State(write: write))
    waitsForDisks = true
  }

  /// Waits for ``decide(_:)``.
  init() {
    state = Mutex(State())
    waitsForDisks = false
  }

  func acknowledge(_ participant: Int) { step { $0.acknowledge(participant) } }
  func lose(_ participant: Int) { step { $0.lose(participant) } }
  func timeOut() { step { $0.timeOut() } }

  @inline(__always)
  private func step(_ advance: (inout WriteOperation) -> WriteOperation.Step) {
    decide { state in
      guard var write = state.write else { preconditionFailure("an operation by message has no records of its own") }
      let step = advance(&write)
      state.write = write
      switch step {
      case .waiting: return nil
      case .done: return .done
      case .undecidable: return .undecided
      }
    }
  }

  /// Ends an operation by message.
  func decide(_ outcome: ClientOperation.Outcome) {
    decide { state in
      precondition(state.write == nil && state.outcome == nil, "an operation ends once")
      return outcome
    }
  }

  @inline(__always)
  private func decide(_ body: (inout State) -> ClientOperation.Outcome?) {
    let decided = state.withLock { state -> (ClientOperation.Outcome, Caller)? in
      let hadEnded = state.outcome != nil
      guard let outcome = body(&state), !hadEnded else { return nil }
      state.outcome = outcome
      defer { state.caller = .none }
      return (outcome, state.caller)
    }
    guard let (outcome, caller) = decided else { return }
    switch caller {
    case .none: break
    case .task(let continuation): continuation.resume(returning: outcome)
    case .thread(let monitor): monitor.withLock { monitor.notifyAll() }
    case .callback(let body): body(outcome)
    }
  }

  private var outcome: ClientOperation.Outcome? { state.withLock { $0.outcome } }

  // MARK: - Waiting

  /// Lets a caller wait; returns the outcome if there is one already.
  private func wait(_ caller: Caller) -> ClientOperation.Outcome? {
    state.withLock { state in
      if state.outcome == nil {
        guard case .none = state.caller else { preconditionFailure("an operation has one caller") }
        state.caller = caller
      }
      return state.outcome
    }
  }

  /// Waits without holding a thread.
  func wait() async -> ClientOperation.Outcome {
    await withUnsafeContinuation { continuation in
      if let outcome = wait(.task(continuation)) { continuation.resume(returning: outcome) }
    }
  }

  /// Waits on the calling thread.
  func waitBlocking() -> ClientOperation.Outcome {
    let monitor = Monitor()
    if let outcome = wait(.thread(monitor)) { return outcome }
    return monitor.withLock {
      while true {
        if let outcome { return outcome }
        monitor.wait()
      }
    }
  }

  /// Calls `body` once it is decided: on the thread that decides, or at once.
  func onDecision(_ body: @escaping @Sendable (ClientOperation.Outcome) -> Void) {
    if let outcome = wait(.callback(body)) { body(outcome) }
  }
}
