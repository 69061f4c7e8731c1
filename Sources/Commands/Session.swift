import Synchronization

/// Commands one after another, from a text or an input, with the answers printed: what line mode and `exec` have in
/// common.
package final class Session {
  private let runner: CommandRunner
  private let printer: Printer
  private let input: LineReader
  /// Whether a command has failed so far.
  package private(set) var hasFailed = false
  /// Whether a file that was asked for could not be written.
  package private(set) var hasLostFile = false
  /// The key whose value was taken and could not be printed: nobody has it any more.
  package private(set) var keyOfLostValue: [UInt8]?
  /// Whether there is no point in going on: `exit` was asked for, the answers cannot be written, or the task was
  /// cancelled.
  package private(set) var isOver = false

  /// - Parameter input: where `load -` and ``runInput(prompt:)`` read.
  package init(_ runner: CommandRunner, printer: Printer, input: LineReader) {
    self.runner = runner
    self.printer = printer
    self.input = input
  }

  /// Runs one line, unless the session is over.
  package func run(line: [UInt8]) async {
    guard !isOver else { return }
    note(await runner.run(line: line, input: input, emit: printer.print))
  }

  /// Runs one line as a task that `running` may end without ending the session.
  private func run(_ line: ReadLine, _ running: RunningCommand) async {
    // Safe: nobody reads the input until the task is done.
    nonisolated(unsafe) let input = input
    let task = Task { [runner, printer] in await runner.run(line, input: input, emit: printer.print) }
    running.begin(task)
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    running.end()
    note(result)
  }

  /// Runs one command, unless the session is over.
  package func run(_ command: Command) async {
    guard !isOver else { return }
    note(await runner.run(command, input: input, emit: printer.print))
  }

  /// Runs the lines of the input until it ends or the session is over.
  ///
  /// - Parameters:
  ///   - prompt: is printed before each line; empty where nobody types.
  ///   - running: is told which command runs.
  /// - Throws: an error whose description is the system's, if the input cannot be read.
  package func runInput(prompt: String = "", running: RunningCommand = RunningCommand()) async throws {
    try await run(prompt: prompt, running) {
      if !prompt.isEmpty { printer.print(raw: prompt) }
      return try await input.next().map(SessionLine.init)
    }
  }

  /// Runs lines until there are none, or the session is over.
  ///
  /// - Parameters:
  ///   - prompt: what stands before the line when `next` ends or throws; empty where nobody types.
  ///   - next: returns the next line.
  /// - Throws: what `next` throws, but for `CancellationError`, which ends the session.
  package func run(
    prompt: String, _ running: RunningCommand, _ next: () async throws -> SessionLine?
  ) async throws {
    while !isOver {
      do {
        switch try await next() {
        case .read(let line):
          await run(line, running)
        case .tooLong:
          hasFailed = true
          printer.print(.answer(.lineTooLong))
        case nil:
          leavePrompt(prompt)
          return
        }
      } catch is CancellationError {
        leavePrompt(prompt)
        isOver = true
      }
    }
  }

  /// The shell's prompt should not stand behind ours.
  private func leavePrompt(_ prompt: String) {
    if !prompt.isEmpty { printer.print(raw: "\n") }
  }

  private func note(_ result: CommandResult) {
    switch result.outcome {
    case .success: break
    case .failure: hasFailed = true
    case .exit: isOver = true
    }
    if case .measured(let end) = result, end.hasLostPage { hasLostFile = true }
    if printer.failure != nil {
      if case .updated(let key, _, .taken(.some)) = result { keyOfLostValue = key }
      isOver = true
    }
    if Task.isCancelled { isOver = true }
  }
}

/// A line of a session's input.
package enum SessionLine: Sendable, Equatable {
  case read(ReadLine)
  /// Longer than any command can be.
  case tooLong

  init(_ line: LineReader.Line) {
    switch line {
    case .bytes(let bytes): self = .read(ReadLine(bytes))
    case .tooLong: self = .tooLong
    }
  }
}

/// A handle that cancels the command that a session runs, and not the session.
package final class RunningCommand: Sendable {
  private let task = Mutex<Task<CommandResult, Never>?>(nil)

  package init() {}

  /// Cancels the command that runs; false if none does, or if it was told already and goes on all the same.
  package func interrupt() -> Bool {
    task.withLock { task in
      guard let running = task, !running.isCancelled else { return false }
      running.cancel()
      return true
    }
  }

  fileprivate func begin(_ task: Task<CommandResult, Never>) { self.task.withLock { $0 = task } }

  fileprivate func end() { task.withLock { $0 = nil } }
}
