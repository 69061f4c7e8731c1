import Text

/// Pictures as an asciicast v2 recording (docs.asciinema.org): a header, then a line for each change, in JSON.
///
/// It holds what was shown and not the bytes a terminal was sent: a row that changed is written whole, so the recording
/// plays on any terminal of its size.
package struct Recording: Sendable {
  private let depth: ColorDepth
  private let startedNs: UInt64
  private var shown: Canvas?

  package init(depth: ColorDepth, startedNs: UInt64) {
    self.depth = depth
    self.startedNs = startedNs
  }

  /// The first line of the file.
  package static func header(_ size: Size, atUnixSeconds time: Int) -> String {
    "{\"version\": 2, \"width\": \(size.width), \"height\": \(size.height), \"timestamp\": \(time), \"title\": \"kvstore\"}\n"
  }

  /// The lines that a picture adds; none if nothing is new in it.
  package mutating func add(_ picture: Picture, atNs: UInt64) -> String {
    let canvas = picture.canvas
    let seconds = Figures.decimal(Double(atNs - Swift.min(atNs, startedNs)) / 1e9, places: 6)
    var lines = ""
    let previous = shown?.size == canvas.size ? shown : nil
    if shown != nil, previous == nil { lines += "[\(seconds), \"r\", \"\(canvas.width)x\(canvas.height)\"]\n" }
    var output = previous == nil ? "\u{1b}[?25l\u{1b}[2J" : ""
    for row in 0..<canvas.height {
      let range = row * canvas.width..<(row + 1) * canvas.width
      if let previous, previous.cells[range] == canvas.cells[range] { continue }
      output += "\u{1b}[\(row + 1);1H" + AnsiText.row(canvas, row, depth: depth)
    }
    shown = canvas
    if !output.isEmpty { lines += "[\(seconds), \"o\", \(Self.quoted(output))]\n" }
    return lines
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
