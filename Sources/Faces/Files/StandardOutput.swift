@preconcurrency import Glibc
import Synchronization

/// What a tool prints has to arrive: where it does not, the program says so and does not end with status 0.
package enum StandardOutput {
  /// The status of a program whose output was lost, as `sysexits.h` has it (EX_IOERR): no other outcome has it, so that a
  /// full disk is not taken for damaged data.
  package static let lost: Int32 = 74

  /// The `errno` of the first write that failed; 0 if none did.
  private static let firstFailure = Atomic<Int32>(0)

  /// Gives descriptors 0 to 2 that are closed something that reads nothing and takes nothing: else a log would get
  /// their numbers, and what is printed would be written into it.
  package static func fillClosed() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is the descriptor's own. Standard output cannot be written, so that it fails visibly.
      _ = open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Whether somebody sits before a terminal.
  package static var isScreen: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

  package static func write(_ text: String) {
    do throws(WholeFile.Failure) {
      try WholeFile.write(text.utf8, to: STDOUT_FILENO)
    } catch {
      _ = firstFailure.compareExchange(expected: 0, desired: error.code, ordering: .relaxed)
    }
  }

  /// What the fate of the output makes of the program's exit status: as after SIGPIPE if its reader has gone, else
  /// ``lost``. A signal that ended the program stays its status.
  package static func status(_ status: Int32) -> Int32 {
    guard let failure else { return status }
    if failure == EPIPE { return status == 0 ? 128 + SIGPIPE : status }
    HeadlessRun.complain(
      failure == EBADF
        ? "standard output is closed: what was to be printed is lost"
        : "cannot write to standard output: \(String(cString: strerror(failure)))")
    return status > 128 ? status : lost
  }

  private static var failure: Int32? {
    let first = firstFailure.load(ordering: .relaxed)
    if first != 0 { return first }
    errno = 0
    if fflush(stdout) != 0 { return errno }
    guard ferror(stdout) != 0 else { return nil }
    // Why an earlier one failed is forgotten, but for a reader that has gone.
    var out = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&out, 1, 0) == 1 && out.revents & Int16(POLLERR) != 0 ? EPIPE : EIO
  }
}
