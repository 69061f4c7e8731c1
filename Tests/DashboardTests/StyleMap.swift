import Dashboard

/// The colours of a picture as text: a sign a cell, and what each sign stands for, so that a changed colour is a changed
/// line in a golden file.
struct StyleMap {
  let lines: [String]

  init(_ canvas: Canvas, _ depth: ColorDepth) {
    var signs: [String: Unicode.Scalar] = [:]
    var legend: [String] = []
    var rows: [String] = []
    for row in 0..<canvas.height {
      var line = String.UnicodeScalarView()
      for column in 0..<canvas.width {
        let cell = canvas[column, row]
        let style = Self.words(cell, depth)
        if signs[style] == nil {
          let sign = Self.sign(signs.count)
          signs[style] = sign
          legend.append("\(sign) \(style)")
        }
        line.append(signs[style] ?? "?")
      }
      rows.append(String(line))
    }
    lines = rows + [""] + legend
  }

  /// Letters and what comes after them in the Latin and Greek blocks: more than any picture has styles.
  private static func sign(_ index: Int) -> Unicode.Scalar {
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".unicodeScalars)
    if index < letters.count { return letters[index] }
    return Unicode.Scalar(UInt32(0x100 + index - letters.count)) ?? "?"
  }

  /// What a blank's letters would look like cannot be seen, unless they are reversed or underlined.
  private static func words(_ cell: Cell, _ depth: ColorDepth) -> String {
    let style = cell.style
    let isBlank = cell.scalar == " " && style.attributes.isDisjoint(with: [.reverse, .underline])
    let names: [(Attributes, String)] = [
      (.bold, "bold"), (.dim, "dim"), (.reverse, "reverse"), (.underline, "underline"),
    ]
    let attributes = isBlank ? [] : names.filter { style.attributes.contains($0.0) }.map(\.1)
    let front = isBlank ? "any" : number(style.foreground, depth)
    return (["\(front) on \(number(style.background, depth))"] + attributes).joined(separator: " ")
  }

  private static func number(_ color: Color, _ depth: ColorDepth) -> String {
    let number = depth.number(for: color)
    if number < 0 { return "own" }
    guard depth == .truecolor, number >= 16 else { return String(number) }
    let digits = String(number, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }
}
