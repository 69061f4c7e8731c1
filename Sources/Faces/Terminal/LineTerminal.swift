import CTerminal
import Glibc

/// Use of the terminal under line mode's prompt.
package enum LineTerminalUse: Equatable, Sendable {
  /// Every key is ours.
  case editing
  /// Ctrl-C and Ctrl-Z are the terminal's, and throw nothing away that was typed or pasted.
  case command
}

/// The terminal under line mode's prompt: it scrolls, and text is written to it as to a file.
package protocol LineTerminal: AnyObject {
  var columns: Int { get }
  var nowNs: UInt64 { get }
  /// Sets it for a use; returns whether it had not been ours.
  func take(for use: LineTerminalUse) -> Bool
  /// Makes it as it was. Does nothing when it is.
  func giveBack()
  /// Interrupts the program as if the terminal had.
  func interrupt()
  /// Stops the program as Ctrl-Z does; returns when it is continued. Give it back before.
  func suspend()
}

/// The terminal of standard input and output.
final class ProcessLineTerminal: LineTerminal {
  /// Sequences sent when it is given back: bracketed paste and colours off.
  private static let undo = "\u{1b}[?2004l\u{1b}[0m"

  /// `nil` where the cursor cannot be moved or the settings cannot be read.
  static func open() -> (any LineTerminal)? {
    let term = getenv("TERM").map { String(cString: $0) } ?? ""
    guard term != "", term != "dumb", install() else { return nil }
    return ProcessLineTerminal()
  }

  private static func install() -> Bool { ct_guard_install(STDIN_FILENO, undo, undo.utf8.count) == 0 }

  var nowNs: UInt64 { MonotonicClock.nowNs() }

  var columns: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  func take(for use: LineTerminalUse) -> Bool {
    let isNew = ct_guard_is_armed() == 0
    if isNew {
      // How it is to be given back may have been changed since it was ours.
      _ = Self.install()
      ct_guard_arm(1)
    }
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return isNew }
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    settings.c_iflag &= ~tcflag_t(IXON)
    if use == .command { settings.c_lflag |= tcflag_t(ISIG | NOFLSH) }
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    return isNew
  }

  func giveBack() { ct_guard_restore() }

  func interrupt() { kill(getpid(), SIGINT) }

  func suspend() { raise(SIGTSTP) }
}
