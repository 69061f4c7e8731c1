import ClusterModel
import Text

/// One line of the events panel: something the cluster did, a command, or its answer.
package struct LogLine: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    case event(ClusterEvent.Severity)
    case command
    case answer(isSuccess: Bool)
  }

  package var kind: Kind
  /// When, in nanoseconds of the monotonic clock.
  package var atNs: UInt64
  package var text: String

  package init(kind: Kind, atNs: UInt64, text: String) {
    self.kind = kind
    self.atNs = atNs
    self.text = text
  }
}

/// The lines of the events panel, oldest first, and how far the reader has scrolled back.
package struct ScreenLog: Equatable, Sendable {
  package private(set) var lines: [LogLine] = []
  /// Screen rows hidden below the panel; 0 follows what is new.
  package var rowsBelow = 0

  /// As many as a person scrolls through; the cluster keeps no more either.
  static let linesMax = 2_000

  /// A longer line is shown by its beginning and its size: a value may have 64 MiB, and every line here is wrapped each
  /// time the panel is drawn.
  package static let lineBytesMax = 1_024

  package init() {}

  /// Forgets what came after a moment, and follows what is new.
  mutating func cut(atNs: UInt64) {
    lines.removeAll { $0.atNs > atNs }
    rowsBelow = 0
  }

  package mutating func append(_ line: LogLine) {
    var line = line
    // A line that was cut has its size behind it already.
    if line.text.utf8.count > Self.lineBytesMax * 5 {
      line.text = Quoted.preview(ByteText.decode(line.text), bytesMax: Self.lineBytesMax)
    }
    lines.append(line)
    if lines.count > Self.linesMax { lines.removeFirst(lines.count - Self.linesMax) }
  }
}
