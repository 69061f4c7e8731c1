import Commands
import Foundation
import Testing

/// The same commands in every face, and where there are fewer, what is said of it.
struct FacesTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test("README's table names every command", arguments: CommandName.allCases)
  func areInTheReadme(name: CommandName) throws {
    let readme = try text("README.md")
    let table = try #require(readme.range(of: "| command | what it does |"))
    let rows = readme[table.upperBound...].prefix { $0 != "#" }.split(separator: "\n").prefix { $0.hasPrefix("|") }
    let names = rows.joined().matches(of: /`([a-z-]+)[ `]/).map { String($0.1) }
    #expect(names.contains(name.rawValue))
  }

  @Test(
    "A command of a session says how a shell runs it",
    arguments: [
      (["corrupt", "node1"], "corrupt is a command of a session: kvstore exec 'corrupt node1'"),
      (["partition"], "partition is a command of a session: kvstore exec 'partition NODES'"),
      (["drop", "--data", "x"], "drop is a command of a session: kvstore exec 'drop NODE PERCENT'"),
      (["gett", "a"], "Unknown command: gett. Did you mean get?"),
      (
        ["freeze", "node1"],
        "Unknown command: freeze. Did you mean pause? It is a command of a session: kvstore exec 'pause node1'"
      ),
      (["\u{1b}[A"], #"Unknown command: \x1b[A. Commands: put, get"#),
      (["frobnicate"], "Unknown command: frobnicate. Commands: put, get"),
    ])
  func advises(arguments: [String], message: String) {
    #expect(UnknownSubcommand.message(arguments, subcommands: ["put", "get"]) == message)
  }

  @Test("Help knows a session's commands, and nothing of what is none")
  func helps() {
    #expect(
      UnknownSubcommand.help("partition")?.last
        == "A command of a session: in the dashboard, line by line, or kvstore exec 'partition NODES'")
    #expect(UnknownSubcommand.help("nonsense") == nil)
  }
}
