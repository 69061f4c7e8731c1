/// What `help` says, made from the table of commands.
package enum HelpText {
  /// One line a command, or everything about one.
  package static func lines(about name: CommandName?) -> [String] {
    guard let name else { return overview }
    let entry = CommandEntry.of(name)
    let aliases = entry.aliases.isEmpty ? [] : ["Also: \(entry.aliases.joined(separator: ", "))"]
    return ["\(entry.usage): \(entry.summary)"] + entry.details + aliases
  }

  private static var overview: [String] {
    let width = CommandEntry.all.map(\.usage.count).max() ?? 0
    return CommandEntry.all.map { entry in
      entry.usage + String(repeating: " ", count: width + 2 - entry.usage.count) + entry.summary
    } + ["help COMMAND says more, also about quotes"]
  }
}
