import Dashboard

/// The terminal while it is the screen's: pictures go out; bytes, signals and the time come in.
///
/// ``CursesTerminal`` is a real one. The tests have one of cells with a clock that they set, so that the whole loop runs in
/// process. Input is bytes and not keys, because what a key is depends on time: half a sequence, Esc by itself, and a paste
/// that has lost its end are the loop's to tell.
///
/// Not `Sendable`: it belongs to the screen's thread, but for ``waker``.
package protocol Terminal: AnyObject {
  /// Colours that are shown.
  var depth: ColorDepth { get }
  /// Whether all glyphs can be written, not only ASCII.
  var isUTF8: Bool { get }
  /// Whether it is the Linux console, whose fonts have no braille.
  var isConsole: Bool { get }
  /// Its background, as far as the environment tells it; a terminal that is asked answers with `Key.background`.
  var background: Color? { get }
  /// Whether it says where a paste begins and ends.
  var marksPastes: Bool { get }
  /// Key sequences of this terminal, beyond those that all terminals share.
  var keySequences: [[UInt8]: Key] { get }
  var size: Size { get }

  /// Nanoseconds on a clock that never goes back.
  var nowNs: UInt64 { get }
  /// Ends the present or the next ``wait(untilNs:)``. From any thread.
  var waker: @Sendable () -> Void { get }
  /// Waits for events, at most until a moment; returns none if none came. What came while nobody waited comes first.
  func wait(untilNs: UInt64) -> [TerminalEvent]

  /// Shows a picture: sends what differs from the last one, or nothing.
  func present(_ picture: Picture)
  /// Sends every cell again with the next picture.
  func repaint()
  /// Takes the mouse, or leaves it to the terminal.
  func useMouse(_ isOurs: Bool)
  /// Takes over the window's size; returns whether it had changed.
  func adoptSize() -> Bool
  /// Gives the terminal back and stops as Ctrl-Z does; returns when the program is continued.
  func suspend()
  /// Takes the terminal again after a stop from outside.
  func resume()
  /// Gives the terminal back.
  func close()
}

extension Terminal {
  package var background: Color? { nil }
}

/// An event from a terminal.
package enum TerminalEvent: Equatable, Sendable {
  /// Somebody called ``Terminal/waker``.
  case woken
  /// Bytes of keys, the mouse and pastes, as many as arrived together.
  case bytes([UInt8])
  case resized
  /// A stop was asked for from outside, as by `kill -TSTP`.
  case stopAsked
  /// The program was continued after a stop that could not be caught.
  case continued
  /// A signal that ends the program, by its number.
  case endAsked(signal: Int32)
  /// The terminal has gone away, or its input has ended.
  case gone
}

/// Why the screen could not be shown.
package struct ScreenError: Error, CustomStringConvertible {
  package let description: String
  /// Whether it is about a file that was asked for.
  private let isFile: Bool

  package init(description: String, isFile: Bool = false) { (self.description, self.isFile) = (description, isFile) }

  /// Tells it, with what can be done without a screen; returns the program's exit status.
  func complain(_ console: Console, otherwise advice: String? = nil) -> Int32 {
    console.complain([description, isFile ? nil : advice].compactMap { $0 }.joined(separator: "; "))
    return isFile ? Console.lost : 1
  }
}
