/// A key press, a paste or a turn of the mouse, as the terminal reported it.
package enum Key: Equatable, Sendable {
  case character(Character)
  /// Ctrl with a lower-case letter.
  case control(Character)
  /// Alt, or Esc followed at once by a character.
  case alt(Character)
  case enter, tab, backTab, backspace, delete, escape
  case up, down, left, right, home, end, pageUp, pageDown
  case wordLeft, wordRight
  case function(Int)
  /// Text pasted in one piece; none of it is taken for keys but ends of lines at the prompt.
  case paste(String)
  case mouse(Mouse, column: Int, row: Int)
  /// The terminal's answer to the question what its background is.
  case background(Color)
}

/// An event of the mouse at a cell.
package enum Mouse: Equatable, Sendable {
  case press, rightPress, wheelUp, wheelDown
}

/// An action of the program after a key press, beside drawing the new state.
package enum Action: Equatable, Sendable {
  /// Run a command line and deliver its answer later.
  case run(TypedLine)
  case quit
  /// Draw every cell again, in case another program wrote over the screen.
  case redraw
  /// Stop as Ctrl-Z does, until the shell continues the program.
  case suspend
  /// Take the mouse, or leave it to the terminal.
  case useMouse(Bool)
  /// Choose this theme at the next start, too.
  case keepTheme(String)
  /// The reader of a tour wants something.
  case guide(GuideKey)
  /// The viewer of a playback wants something.
  case playback(PlaybackKey)
}
