import ClusterModel
import Synchronization

/// The change of members under way, of which there is one at a time, and what its operator wishes of it.
final class ChangeControl: Sendable {
  private struct State {
    var isRunning = false
    var isPaused = false
    var isCancelled = false
  }

  private let state = Mutex(State())

  /// Takes the place of the one change; false if another has it.
  func begin() -> Bool {
    state.withLock { state in
      guard !state.isRunning else { return false }
      state = State(isRunning: true)
      return true
    }
  }

  func end() { state.withLock { $0 = State() } }

  var isPaused: Bool { state.withLock { $0.isPaused } }
  var isCancelled: Bool { state.withLock { $0.isCancelled } }
  var isRunning: Bool { state.withLock { $0.isRunning } }

  /// - Throws: if there is nothing to steer.
  func steer(_ body: (_ isPaused: inout Bool, _ isCancelled: inout Bool) -> Void) throws(ClusterError) {
    let isRunning = state.withLock { state in
      body(&state.isPaused, &state.isCancelled)
      return state.isRunning
    }
    guard isRunning else { throw .refused("no change of members is under way") }
  }

  func cancel() { state.withLock { $0.isCancelled = true } }

  /// Cancels what is under way, and waits until the slot that moves has arrived, or a while.
  func close() async {
    cancel()
    let deadline = ContinuousClock.now + .seconds(2)
    while isRunning, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
  }
}
