/// A theme file's lines, in btop's format: `theme[main_bg]="#2E3440"`.
///
/// A value is `#RRGGBB`, a grey `#2e`, three decimals `46 52 64`, a palette index `0`–`255`, or empty for the
/// terminal's own colour. Lines that start with `#` and empty lines are comments. A line that cannot be read is
/// reported and skipped: a theme is never worth refusing to start for.
package struct ThemeFile: Sendable {
  /// A line that could not be read.
  package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counts from 1.
    package var line: Int
    package var reason: String

    package var description: String { "line \(line): \(reason)" }
  }

  /// Values by key name, known to us or not; of a key given twice the last.
  package private(set) var values: [String: Color] = [:]
  package private(set) var faults: [Fault] = []

  package init(_ text: String) {
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      do throws(LineFault) {
        if let (key, color) = try Self.parse(line) { values[key] = color }
      } catch {
        faults.append(Fault(line: index + 1, reason: error.reason))
      }
    }
  }

  private struct LineFault: Error { var reason: String }

  private static func parse(_ line: Substring) throws(LineFault) -> (key: String, color: Color)? {
    let line = trimmed(line)
    if line.isEmpty || line.first == "#" { return nil }
    guard line.hasPrefix("theme["), let close = line.firstIndex(of: "]") else {
      throw LineFault(reason: "expected theme[KEY]=\"VALUE\"")
    }
    let key = String(line[line.index(line.startIndex, offsetBy: 6)..<close])
    let rest = trimmed(line[line.index(after: close)...])
    guard !key.isEmpty, rest.first == "=" else { throw LineFault(reason: "expected theme[KEY]=\"VALUE\"") }
    let value = try unquoted(trimmed(rest.dropFirst()), key: key)
    guard let color = color(value) else {
      throw LineFault(
        reason:
          "\(key): “\(value)” is no colour; write \"#RRGGBB\", \"#GG\", \"R G B\", 0–255, or \"\" for the terminal's own"
      )
    }
    return (key, color)
  }

  private static func unquoted(_ value: Substring, key: String) throws(LineFault) -> Substring {
    guard let quote = value.first, quote == "\"" || quote == "'" else {
      // Unquoted: up to a blank and a comment.
      return trimmed(value.prefix { $0 != " " && $0 != "\t" })
    }
    let inner = value.dropFirst()
    guard let end = inner.firstIndex(of: quote) else { throw LineFault(reason: "\(key): the closing quote is missing") }
    return trimmed(inner[..<end])
  }

  /// The colour a value names, or `nil`.
  package static func color(_ value: Substring) -> Color? {
    if value.isEmpty { return .terminal }
    if value.first == "#" {
      let digits = value.dropFirst()
      guard digits.allSatisfy(\.isHexDigit), let number = Int(digits, radix: 16) else { return nil }
      switch digits.count {
      case 2: return .rgb(number, number, number)
      case 6: return .hex(number)
      default: return nil
      }
    }
    let numbers = value.split(separator: " ").map { UInt8($0) }
    switch numbers.count {
    case 1: return numbers[0].map { .palette($0) }
    case 3:
      guard let red = numbers[0], let green = numbers[1], let blue = numbers[2] else { return nil }
      return .rgb(Int(red), Int(green), Int(blue))
    default: return nil
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text.drop(while: \.isWhitespace)
  }
}
