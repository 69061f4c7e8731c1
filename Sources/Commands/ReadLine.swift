import Text

/// A line with the command it was parsed into, so that no face parses it again.
package struct ReadLine: Sendable, Equatable {
  /// The line itself.
  package let bytes: [UInt8]
  /// The command, `nil` for a blank line, or why the line is none.
  package let command: Result<Command?, CommandError>

  /// - Complexity: O(bytes of the line).
  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    do throws(CommandError) {
      command = .success(try Command.parse(bytes))
    } catch {
      command = .failure(error)
    }
  }

  /// Reads a line as an editor holds it, which may stand for any bytes: see `ByteText`.
  package init(typed line: String) { self.init(ByteText.decode(line)) }

  /// A command that was chosen and not typed, with the line that says the same.
  package init(_ command: Command) {
    bytes = ByteText.decode(command.line)
    self.command = .success(command)
  }

  /// The command, if it is one.
  package var value: Command? { if case .success(let command) = command { command } else { nil } }
}
