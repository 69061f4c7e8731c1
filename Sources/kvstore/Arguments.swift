import ArgumentParser
import Commands
import Text

/// The command line as the parser reads it, with words of our own where the parser's would not help.
///
/// The parser's errors are not public, so three of its sentences are recognised. A test pins each: a newer parser that says
/// them otherwise fails there, and not in front of a user.
enum Arguments {
  static let missingValue = "Missing value for '"
  static let misread = ["Error: Missing expected argument", "Error: Unknown option"]
  static let usage = "\nUsage:"

  /// Reads the words. A negative number behind an option is its value, which the parser alone would call missing.
  static func parse(_ words: [String]) throws -> any ParsableCommand {
    do {
      return try KVStore.parseAsRoot(words)
    } catch {
      let joined = joiningNegatives(words)
      guard joined != words, KVStore.fullMessage(for: error).contains(missingValue) else { throw error }
      return try KVStore.parseAsRoot(joined)
    }
  }

  private static func joiningNegatives(_ words: [String]) -> [String] {
    var joined: [String] = []
    for (i, word) in words.enumerated() {
      if word == "--" { return joined + words[i...] }
      if let option = joined.last, option.hasPrefix("--"), !option.contains("="), word.first == "-",
        let second = word.dropFirst().first, second.isNumber || second == "."
      {
        joined[joined.count - 1] = "\(option)=\(word)"
      } else {
        joined.append(word)
      }
    }
    return joined
  }

  /// What is told of an error: each typed word that it repeats stays on one line, and harmless on a terminal.
  static func message(for error: any Error, _ words: [String]) -> String {
    var text = KVStore.fullMessage(for: error)
    if let hint = hint(text, words), let usage = text.firstRange(of: usage) {
      text.insert(contentsOf: "\n  \(hint)", at: usage.lowerBound)
    }
    let values = words.flatMap { word in
      [word] + (word.firstIndex(of: "=").map { [String(word[$0...].dropFirst())] } ?? [])
    }
    for value in values where value.utf8.contains(where: { $0 == 0x0A || $0 == 0x09 }) {
      text = text.replacing(value, with: Self.line(value))
    }
    return Quoted.printable(text)
  }

  /// Text that may stand for any bytes, on one line of a terminal.
  private static func line(_ text: String) -> String { Quoted.preview(ByteText.decode(text), bytesMax: .max) }

  /// How a key or value is typed that looks like an option.
  private static func hint(_ text: String, _ words: [String]) -> String? {
    let names = CommandName.ofKeys.union([.keys]).map(\.rawValue)
    guard misread.contains(where: text.hasPrefix), let place = words.firstIndex(where: names.contains)
    else { return nil }
    let known = StartOptions.allWords + DisplayOptions.words + ["--consistency", "--limit", "--interactive"]
    let dashed = words[(place + 1)...].firstIndex { word in
      word.hasPrefix("-") && !known.contains(String(word.prefix { $0 != "=" }))
    }
    guard let dashed, words[dashed] != "--" else { return nil }
    let text = [words[dashed]] + words[(dashed + 1)...].prefix { !$0.hasPrefix("--") }
    let shown = (words[place..<dashed] + ["--"] + text).map(shellWord).joined(separator: " ")
    return "A key or value that begins with - stands behind --: kvstore \(shown)"
  }

  /// A word as a shell reads it, harmless on a terminal.
  private static func shellWord(_ word: String) -> String {
    let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_=./:+,%@".contains($0) }
    return isPlain ? word : "'\(line(word).replacing("'", with: "'\\''"))'"
  }
}
