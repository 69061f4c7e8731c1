import ClusterModel
import KVBench
import Text

/// One line that a command says.
///
/// The text is bytes because values are: they are repeated as they are stored, never cut, quoted or repaired. A value
/// that holds newlines makes the line several; a face that cannot show that must decide for itself.
package struct Answer: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case success, failure, info
    /// A remark printed beside the answer; the answer itself keeps the original's words.
    case note
  }

  package var kind: Kind
  /// Without the mark and without a newline at the end.
  package var text: [UInt8]
  /// Where in the text a key or path stands, and behind it a value, as far as they are known from the words around them.
  package private(set) var repeated: [Range<Int>] = []

  /// Words and bytes as they are, in turn, as in `Retrieved: user:1001 -> Alice`.
  package init(_ kind: Kind, _ parts: [UInt8]...) {
    self.kind = kind
    text = Array(parts.joined())
    var start = 0
    for (i, part) in parts.enumerated() {
      if i % 2 == 1 { repeated.append(start..<start + part.count) }
      start += part.count
    }
  }

  package init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = Array(text.utf8)
  }

  /// The same line, wherever its words end.
  package static func == (a: Answer, b: Answer) -> Bool { a.kind == b.kind && a.text == b.text }

  /// The line without its mark, for faces that have a place of their own for it.
  package var body: [UInt8] { kind == .note ? line : text }

  /// The line as a terminal or a file of errors may see it: nothing in it acts on a terminal or begins another line, but for
  /// the lines of a value that was asked for. A long value is shown by its beginning and its size.
  ///
  /// - Complexity: O(bytes of the words and the key).
  package var harmless: [UInt8] {
    let isRefusal = kind == .failure || kind == .note
    let line = self.line
    let mark = line.count - text.count
    var shown = ""
    var words = 0
    for (i, range) in repeated.enumerated() {
      shown += Quoted.preview(Array(line[words..<range.lowerBound + mark]), bytesMax: .max)
      let part = text[range]
      shown +=
        i == 0
        ? Quoted.entry(Array(part))
        : Quoted.preview(
          part, bytesMax: isRefusal ? Self.valueBytesMaxInError : Self.valueBytesMax, isOnOneLine: isRefusal)
      words = range.upperBound + mark
    }
    return Array((shown + Quoted.preview(Array(line[words...]), bytesMax: .max)).utf8)
  }

  /// The bytes of a value that a terminal shows: some screens full. Those of 64 MiB took 4.5 s.
  package static let valueBytesMax = 64 << 10
  private static let valueBytesMaxInError = 1 << 10

  /// The line as line mode prints it: mark, text. The marks are UTF-8 in every locale, as the original's are.
  package var line: [UInt8] {
    switch kind {
    case .success: Array("✓ ".utf8) + text
    case .failure: Array("✗ ".utf8) + text
    case .info: text
    case .note: Array("note: ".utf8) + text
    }
  }
}

/// Output of a running command to its face.
package enum CommandOutput: Sendable, Equatable {
  /// A line that stays.
  case answer(Answer)
  /// The start of a long command: a line that stays, and that a screen shows at once.
  case announcement(Answer)
  /// How far a long command is; the next one replaces it.
  case progress(CommandProgress)
}

/// How far a long command is.
package enum CommandProgress: Sendable, Equatable {
  case load(LoadProgress)
  case benchmark(BenchmarkProgress)
  case measurement(BenchmarkSnapshot)
  case backup(BackupProgress)

  /// The progress in one line.
  package var text: String {
    switch self {
    case .load(let progress): progress.text
    case .benchmark(let progress): progress.text
    case .measurement(let snapshot): snapshot.text
    case .backup(let progress): progress.text
    }
  }

  /// From 0 to 1; `nil` if nobody knows how much there is.
  package var fraction: Double? {
    switch self {
    case .load(let progress): progress.fraction
    case .benchmark(let progress): progress.fraction
    case .measurement(let snapshot): snapshot.fraction
    case .backup(let progress): progress.fraction
    }
  }
}

/// How a command ended.
package enum Outcome: Sendable, Equatable {
  case success
  case failure
  /// The command was `exit`: the session ends.
  case exit
}
