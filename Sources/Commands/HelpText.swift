import ClusterModel

/// Text of `help`, made from the table of commands.
package enum HelpText {
  private static let lineWidth = 100

  /// One line a command, or everything about one.
  /// - Parameter capabilities: of the backend, which may not have every command; `nil` for all.
  package static func lines(about name: CommandName?, _ capabilities: Capabilities? = nil) -> [String] {
    guard let name else { return overview(capabilities) }
    let entry = CommandEntry.of(name)
    let aliases = entry.aliases.isEmpty ? [] : ["Also: \(entry.aliases.joined(separator: ", "))"]
    let details = entry.details.filter { $0.isTrue(on: capabilities) }.map(\.text)
    return (["\(entry.usage): \(entry.summary)"] + details + aliases).flatMap {
      WordWrap.lines($0, width: lineWidth)
    }
  }

  /// The commands that a backend has.
  package static func entries(_ capabilities: Capabilities?) -> [CommandEntry] {
    CommandEntry.all.filter { $0.name.isOffered(by: capabilities) }
  }

  private static func overview(_ capabilities: Capabilities?) -> [String] {
    let entries = entries(capabilities)
    let width = entries.map(\.usage.count).max() ?? 0
    return entries.map { entry in
      entry.usage + String(repeating: " ", count: width + 2 - entry.usage.count) + entry.summary
    } + ["help COMMAND says more, also about quotes"]
  }
}
