/// Commands one after another, from a text or an input, with the answers printed: what line mode and `exec` have in
/// common.
package final class Session {
  private let runner: CommandRunner
  private let printer: Printer
  private let input: LineReader
  /// Whether a command has failed so far.
  package private(set) var hasFailed = false
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

  /// Runs one command, unless the session is over.
  package func run(_ command: Command) async {
    guard !isOver else { return }
    note(await runner.run(command, input: input, emit: printer.print))
  }

  /// Runs the lines of the input until it ends or the session is over.
  ///
  /// - Parameter prompt: is printed before each line; empty where nobody types.
  /// - Throws: an error whose description is the system's, if the input cannot be read.
  package func runInput(prompt: String = "") async throws {
    while !isOver {
      if !prompt.isEmpty { printer.print(raw: prompt) }
      do {
        switch try await input.next() {
        case .bytes(let line):
          await run(line: line)
        case .tooLong:
          hasFailed = true
          printer.print(.answer(Answer(.failure, "The line is longer than any command can be")))
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

  private func note(_ outcome: Outcome) {
    switch outcome {
    case .success: break
    case .failure: hasFailed = true
    case .exit: isOver = true
    }
    if printer.failure != nil || Task.isCancelled { isOver = true }
  }
}
