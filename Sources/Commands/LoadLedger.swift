import Synchronization

/// The window of a running load, shared by the task that reads and those that store, and the clock of its reports.
final class LoadLedger: Sendable {
  private struct State {
    var window = LoadWindow()
    var bytesRead = 0
    var linesRefused = 0
    var reportedAt: ContinuousClock.Instant
  }

  private let state: Mutex<State>
  private let startedAt: ContinuousClock.Instant
  private let bytesTotal: Int?
  private let emit: @Sendable (CommandOutput) -> Void

  init(bytesTotal: Int?, emit: @escaping @Sendable (CommandOutput) -> Void) {
    startedAt = .now
    state = Mutex(State(reportedAt: startedAt))
    self.bytesTotal = bytesTotal
    self.emit = emit
  }

  /// Lines that the engine refused or could not finish.
  var linesRefused: Int { state.withLock { $0.linesRefused } }

  /// Whether line `number`, which ends at byte `bytesRead`, may be dealt with.
  func reaches(_ number: Int, bytesRead: Int) -> Bool {
    state.withLock { state in
      state.bytesRead = bytesRead
      return state.window.reaches(number)
    }
  }

  /// Starts a line if the window admits it.
  func starts(_ line: LoadLine) -> Bool {
    state.withLock { state in
      guard state.window.admits(line) else { return false }
      state.window.start(line)
      return true
    }
  }

  func finish(_ number: Int, _ line: LoadLine, isStored: Bool) {
    report { state in
      state.window.finish(number, line, isStored: isStored)
      if !isStored { state.linesRefused += 1 }
    }
  }

  func reject(_ number: Int) {
    report { $0.window.reject(number) }
  }

  func progress() -> LoadProgress {
    state.withLock { progress($0, at: .now) }
  }

  /// Changes the state and, if it is time, reports; decided under the lock, said after it.
  private func report(_ change: (inout State) -> Void) {
    let now = ContinuousClock.now
    let due: LoadProgress? = state.withLock { state in
      change(&state)
      guard now - state.reportedAt >= Loader.reportInterval else { return nil }
      state.reportedAt = now
      return progress(state, at: now)
    }
    if let due { emit(.progress(.load(due))) }
  }

  private func progress(_ state: State, at now: ContinuousClock.Instant) -> LoadProgress {
    LoadProgress(
      linesStored: state.window.linesStored, linesFailed: state.window.linesFailed, elapsed: now - startedAt,
      fraction: bytesTotal.map { $0 == 0 ? 1 : min(1, Double(state.bytesRead) / Double($0)) })
  }
}
