import Text

/// Answers to a first word that is none of the program's subcommands.
package enum UnknownSubcommand {
  /// - Parameters:
  ///   - arguments: the word, and what stands behind it.
  ///   - subcommands: the words that it could have been.
  package static func message(_ arguments: [String], subcommands: [String]) -> String {
    guard let first = arguments.first else { return "A command is missing." }
    let word = String(decoding: Quoted.printable(ByteText.decode(first)), as: UTF8.self)
    if let entry = CommandEntry.called(first) {
      return "\(entry.name.rawValue) is a command of a session: \(example(entry, arguments.dropFirst()))"
    }
    guard let meant = Suggestion.command(for: first) else {
      return "Unknown command: \(word). Commands: \(subcommands.joined(separator: ", "))"
    }
    let isSubcommand = subcommands.contains(meant.rawValue)
    let session = isSubcommand ? "" : " It is a command of a session: \(example(.of(meant), arguments.dropFirst()))"
    return "Unknown command: \(word). Did you mean \(meant.rawValue)?\(session)"
  }

  /// Help on a command that is no subcommand; `nil` if `word` is no command.
  package static func help(_ word: String) -> [String]? {
    guard let entry = CommandEntry.called(word) else { return nil }
    return HelpText.lines(about: entry.name)
      + ["A command of a session: in the dashboard, line by line, or \(example(entry, []))"]
  }

  /// The command as an argument of `exec`: with these arguments, or with the names of its own.
  private static func example(_ entry: CommandEntry, _ arguments: ArraySlice<String>) -> String {
    let isPlain = !arguments.isEmpty && !arguments.contains { $0.contains("'") || $0.hasPrefix("-") }
    let line = isPlain ? ([entry.name.rawValue] + arguments).joined(separator: " ") : entry.usage
    return "kvstore exec '\(String(decoding: Quoted.printable(ByteText.decode(line)), as: UTF8.self))'"
  }
}
