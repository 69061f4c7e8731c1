@preconcurrency import Glibc
import Synchronization
import Text

/// Where a face without a screen reads and writes, and which signals end it.
///
/// ``standard`` is the process's. Tests give pipes and signals of their own, so that what the program does with its streams
/// is tested in process.
package final class Console: Sendable {
  package let input: Int32
  package let output: Int32
  package let errors: Int32
  /// Whether a person types at a terminal and reads the answers there.
  package let isTyped: Bool
  /// Whether the output is a terminal.
  package let isOutputTerminal: Bool
  /// Whether a person reads errors on a terminal, where progress may be shown.
  package let showsProgress: Bool
  package let signals: SignalSource
  /// Takes the terminal under line mode's prompt; `nil` where lines cannot be edited.
  package let lineTerminal: @Sendable () -> (any LineTerminal)?
  /// The `errno` of the first write that failed; 0 if none did.
  private let firstFailure = Atomic<Int32>(0)
  /// Whether an error could not be printed although someone may read it.
  private let hasLostComplaint = Atomic<Bool>(false)

  package init(
    input: Int32, output: Int32, errors: Int32, isTyped: Bool, isOutputTerminal: Bool, showsProgress: Bool,
    signals: SignalSource,
    lineTerminal: @escaping @Sendable () -> (any LineTerminal)? = { nil }
  ) {
    (self.input, self.output, self.errors) = (input, output, errors)
    (self.isTyped, self.isOutputTerminal, self.showsProgress) = (isTyped, isOutputTerminal, showsProgress)
    self.signals = signals
    self.lineTerminal = lineTerminal
  }

  /// Standard input, output and error, and the process's signals.
  package static let standard = Console(
    input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO,
    isTyped: isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1, isOutputTerminal: isatty(STDOUT_FILENO) == 1,
    showsProgress: isatty(STDERR_FILENO) == 1,
    signals: .process, lineTerminal: ProcessLineTerminal.open)

  /// Gives descriptors 0 to 2 that are closed something that reads nothing and takes nothing: else a log would get
  /// their numbers, and what is printed would be written into it.
  package static func fillClosed() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is the descriptor's own. Standard output cannot be written, so that it fails visibly.
      _ = open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}

// MARK: - Writing

extension Console {
  /// The status of a program whose output was lost, as `sysexits.h` has it (EX_IOERR): no other outcome has it, so that a
  /// full disk is not taken for damaged data.
  package static let lost: Int32 = 74

  /// Prints one line of the program's result; what would move a terminal's cursor, and bytes that are no UTF-8, as `\xHH`.
  package func say(_ line: String) { write(Quoted.printable(line) + "\n") }

  /// Prints one line of the program's result. Names in it may have any bytes.
  package func sayLine(_ line: String) { write(Console.line(line) + "\n") }

  /// Prints a part of the program's result. A failure to print changes the exit status: see ``status(_:)``.
  package func write(_ text: String) { write(Array(text.utf8)) }

  package func write(_ bytes: [UInt8]) {
    guard failure == nil else { return }
    do throws(WholeFile.Failure) {
      try WholeFile.write(bytes, to: output)
    } catch {
      _ = firstFailure.compareExchange(expected: 0, desired: error.code, ordering: .relaxed)
    }
  }

  /// The `errno` of the first write that failed, after which nothing more is written.
  package var failure: Int32? {
    let first = firstFailure.load(ordering: .relaxed)
    return first == 0 ? nil : first
  }

  /// Prints one line of errors. Control bytes in it, which would act on a terminal, become escapes.
  package func complain(_ message: String) { noteError("kvstore: \(Console.line(message))\n") }

  /// Prints errors as they are. A failure to print changes the exit status of what failed, unless the reader has gone: see
  /// ``status(_:)``.
  package func noteError(_ text: String) {
    do throws(WholeFile.Failure) {
      try WholeFile.write(ByteText.decode(text), to: errors)
    } catch {
      if error.code != EPIPE { hasLostComplaint.store(true, ordering: .relaxed) }
    }
  }

  private static func line(_ text: String) -> String { Quoted.preview(ByteText.decode(text), bytesMax: .max) }

  /// A remark beside the answers, as it is. Its reader may have gone, which changes nothing.
  package func note(_ text: String) { try? WholeFile.write(ByteText.decode(text), to: errors) }

  /// The program's exit status, given whether its result and its errors were printed: that of SIGPIPE if the reader has
  /// gone, ``lost`` if printing failed. The status of a signal that ended the program stays.
  package func status(_ status: Int32) -> Int32 {
    guard let failure else {
      return hasLostComplaint.load(ordering: .relaxed) && (1...128).contains(status) ? Self.lost : status
    }
    if failure == EPIPE { return status == 0 ? 128 + SIGPIPE : status }
    complain(
      failure == EBADF
        ? "standard output is closed: what was to be printed is lost"
        : "cannot write to standard output: \(SystemRefusal.words(failure))")
    return status > 128 ? status : Self.lost
  }
}

/// Why the program cannot start; ends it with status 1.
package struct Refusal: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
