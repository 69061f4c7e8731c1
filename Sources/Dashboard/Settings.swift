/// The settings file: a line `name = value` each, `#` begins a comment. Every setting is also an option.
///
/// A line that cannot be read is named and left out: how the screen looks is never worth refusing to start for.
package struct Settings: Equatable, Sendable {
  package enum LayoutChoice: String, CaseIterable, Sendable {
    /// As many panels as fit.
    case auto
    /// One panel at a time.
    case single
  }

  package var theme: String?
  package var glyphs: Glyphs.Kind?
  /// Milliseconds between two looks at a busy cluster.
  package var refreshMs: Int?
  package var layout: LayoutChoice?
  package var mouse: Bool?
  package var reducedMotion: Bool?
  /// Lines that could not be read, each in words.
  package private(set) var faults: [String] = []

  /// Faster than a terminal shows, and slower than a picture is alive.
  package static let refreshRangeMs = 20...5_000

  package init() {}

  package init(file: String) {
    for (index, line) in file.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let text = line.prefix { $0 != "#" }
      guard text.contains(where: { !$0.isWhitespace }) else { continue }
      if let fault = take(text) { faults.append("line \(index + 1): \(fault)") }
    }
  }

  /// These settings where they say something, else `others`.
  package func filled(from others: Settings) -> Settings {
    var filled = self
    filled.theme = theme ?? others.theme
    filled.glyphs = glyphs ?? others.glyphs
    filled.refreshMs = refreshMs ?? others.refreshMs
    filled.layout = layout ?? others.layout
    filled.mouse = mouse ?? others.mouse
    filled.reducedMotion = reducedMotion ?? others.reducedMotion
    return filled
  }

  /// The text of a settings file with this theme in it: in the line that names one, the last if there are several, which
  /// is the one that counts; else in a new line at the end. All other lines stay.
  package static func file(_ text: String, withTheme name: String) -> String {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let line = "theme = \(name)"[...]
    func isTheme(_ line: Substring) -> Bool {
      let setting = line.prefix { $0 != "#" }
      return setting.firstIndex(of: "=").map { trimmed(setting[..<$0]) == "theme" } ?? false
    }
    if let at = lines.lastIndex(where: isTheme) {
      let comment = lines[at].drop { $0 != "#" }
      lines[at] = comment.isEmpty ? line : "\(line)  \(comment)"
    } else {
      if lines.last?.isEmpty == true { lines.removeLast() }
      lines += [line, ""]
    }
    return lines.joined(separator: "\n")
  }

  /// Reads one line; what is wrong with it, if anything.
  private mutating func take(_ line: Substring) -> String? {
    guard let equals = line.firstIndex(of: "=") else { return "expected NAME = VALUE" }
    let name = Self.trimmed(line[..<equals])
    var value = Self.trimmed(line[line.index(after: equals)...])
    if value.count >= 2, value.first == "\"", value.last == "\"" { value = String(value.dropFirst().dropLast()) }
    switch name {
    case "theme":
      theme = value
      return value.isEmpty ? "theme needs a name" : nil
    case "glyphs":
      return Self.take(value, of: Glyphs.Kind.allCases.map(\.rawValue), name) { glyphs = .init(rawValue: $0) }
    case "layout":
      return Self.take(value, of: LayoutChoice.allCases.map(\.rawValue), name) { layout = .init(rawValue: $0) }
    case "mouse": return Self.take(value, of: ["on", "off"], name) { mouse = $0 == "on" }
    case "reduced_motion": return Self.take(value, of: ["on", "off"], name) { reducedMotion = $0 == "on" }
    case "refresh_ms":
      guard let number = Int(value), Self.refreshRangeMs.contains(number) else {
        return "refresh_ms is \(Self.refreshRangeMs.lowerBound) to \(Self.refreshRangeMs.upperBound), not “\(value)”"
      }
      refreshMs = number
      return nil
    default: return "no setting “\(name)”; there are theme, glyphs, refresh_ms, layout, mouse and reduced_motion"
    }
  }

  private static func take(_ value: String, of choices: [String], _ name: String, _ set: (String) -> Void) -> String? {
    guard choices.contains(value) else { return "\(name) is \(choices.joined(separator: ", or ")), not “\(value)”" }
    set(value)
    return nil
  }

  private static func trimmed(_ text: Substring) -> String {
    let head = text.drop(while: \.isWhitespace)
    return String(head.reversed().drop(while: \.isWhitespace).reversed())
  }
}
