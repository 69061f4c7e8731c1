/// A guided tour as the screen shows it: what is said, the evidence so far, and where to look.
///
/// The screen neither plays the tour nor knows what it is about; it shows this, and hands the reader's keys on.
package struct Guide: Equatable, Sendable {
  /// Where the reader should look.
  package enum Spot: Equatable, Sendable {
    case header
    case panel(PanelKind)
    /// At the tour's own words, which get most of the room.
    case itself
  }

  package struct Line: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
      /// A command as it would be typed.
      case command
      case answer(isSuccess: Bool)
      /// Something measured.
      case figure
      /// Something claimed and checked.
      case claim(holds: Bool)
    }

    package var kind: Kind
    package var text: String

    package init(kind: Kind, text: String) {
      self.kind = kind
      self.text = text
    }
  }

  package enum Mode: Equatable, Sendable {
    /// The engine does what was said.
    case working
    /// The reader has time to read.
    case reading
    /// Everything has been played.
    case over
  }

  /// The chapter, from 1, and how many there are.
  package var chapter: Int
  package var chapterCount: Int
  package var title: String
  package var text: String
  package var lines: [Line]
  package var spot: Spot
  package var mode: Mode
  /// Goes on without a key, after time to read.
  package var isAutomatic: Bool
  package var held: Int
  package var failed: Int
  /// The kind of cluster, in a few words.
  package var note: String

  package init(
    chapter: Int, chapterCount: Int, title: String, text: String, lines: [Line] = [], spot: Spot, mode: Mode = .reading,
    isAutomatic: Bool = true, held: Int = 0, failed: Int = 0, note: String = ""
  ) {
    self.chapter = chapter
    self.chapterCount = chapterCount
    self.title = title
    self.text = text
    self.lines = lines
    self.spot = spot
    self.mode = mode
    self.isAutomatic = isAutomatic
    self.held = held
    self.failed = failed
    self.note = note
  }
}

/// A key of a tour's reader.
package enum GuideKey: Equatable, Sendable {
  /// Goes on from where it waits.
  case next
  /// To the chapter's beginning, or to the chapter before.
  case back
  /// To the next chapter.
  case skip
  /// Stops or resumes going on without a key.
  case pause
  case quit
}
