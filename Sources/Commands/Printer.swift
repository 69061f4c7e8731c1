import Glibc
import Synchronization
import Text

/// Writes answers to descriptors: each line complete in one `write(2)`, so that a reader at the other end of a pipe sees
/// an acknowledgement as soon as there is one, and lines of several commands never mix.
///
/// Bytes as they are reach a program, but no terminal, and stand in no error: see ``Answer/harmless``.
///
/// Progress overwrites itself on a terminal. Elsewhere only that of `load` is printed, line by line: a script that lives
/// through a crash of ours needs to know what was stored, and nobody reads a benchmark's percentages in a file.
package final class Printer: Sendable {
  private struct State {
    /// Columns of the progress line that is on the terminal now.
    var progressColumns = 0
    /// The `errno` of the first write that failed; nothing is written after it.
    var failure: Int32?
  }

  private let output: Int32
  private let failures: Int32
  private let notes: Int32
  private let isTerminal: Bool
  private let state = Mutex(State())

  /// - Parameters:
  ///   - output: for everything but failures.
  ///   - failures: for lines with `✗`; may be the same as `output`.
  ///   - notes: for what is no answer; a program that reads those does not see it.
  ///   - isTerminal: whether `output` is one; `nil` to ask the system.
  package init(output: Int32 = STDOUT_FILENO, failures: Int32, notes: Int32 = STDERR_FILENO, isTerminal: Bool? = nil) {
    self.output = output
    self.failures = failures
    self.notes = notes
    self.isTerminal = isTerminal ?? (isatty(output) == 1)
  }

  /// The `errno` of the write that failed, after which nothing more is written: `EPIPE` if the reader has gone.
  package var failure: Int32? { state.withLock { $0.failure } }

  package func print(_ output: CommandOutput) {
    switch output {
    case .answer(let answer), .announcement(let answer):
      let descriptor =
        switch answer.kind {
        case .failure: failures
        case .note: notes
        case .success, .info: self.output
        }
      // A program reads values as they are. A person's terminal, now or over a file of errors later, must not be
      // changed by them.
      let isSafe = answer.kind == .failure || answer.kind == .note || (descriptor == self.output && isTerminal)
      let line = isSafe ? answer.harmless : answer.line
      state.withLock { state in
        clearProgress(&state)
        write(line + [Ascii.newline], to: descriptor, &state)
      }
    case .progress(let progress) where isTerminal:
      // The carriage return goes last, so that whatever else is printed begins at the left edge.
      let text = progress.text
      state.withLock { state in
        let gap = String(repeating: " ", count: max(0, state.progressColumns - text.count))
        state.progressColumns = text.count
        write(Array("\(text)\(gap)\r".utf8), to: self.output, &state)
      }
    case .progress(.load(let progress)):
      state.withLock { write(Array("\(progress.text)\n".utf8), to: self.output, &$0) }
    case .progress(.benchmark), .progress(.measurement), .progress(.backup):
      break
    }
  }

  /// Prints text as it is: a prompt.
  package func print(raw text: String) {
    state.withLock { state in
      clearProgress(&state)
      write(Array(text.utf8), to: output, &state)
    }
  }

  private func clearProgress(_ state: inout State) {
    guard state.progressColumns > 0 else { return }
    write(Array("\(String(repeating: " ", count: state.progressColumns))\r".utf8), to: output, &state)
    state.progressColumns = 0
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32, _ state: inout State) {
    var rest = bytes[...]
    while !rest.isEmpty, state.failure == nil {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Someone else made the descriptor non-blocking: wait until it takes bytes again.
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waited, 1, -1)
      } else if errno != EINTR {
        state.failure = errno
      }
    }
  }
}
