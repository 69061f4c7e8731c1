import Commands
import KVCluster
import Testing

/// What Tab offers and what is shown ahead.
struct CompletionTests {
  private static let nodes = [
    NodeStatus(id: 0, name: "node1", state: .up), NodeStatus(id: 1, name: "node2", state: .dead),
    NodeStatus(id: 2, name: "node10", state: .up),
  ]

  private func complete(_ line: String, at cursor: Int? = nil) -> CommandCompletion {
    let bytes = Array(line.utf8)
    return CommandCompletion.at(cursor ?? bytes.count, in: bytes, nodes: Self.nodes)
  }

  @Test("A command is completed from its beginning")
  func completesCommands() {
    let completion = complete("re")
    #expect(completion.candidates == ["removenode", "replacenode", "restart", "resume"])
    #expect(completion.ghost == "movenode")
    #expect(completion.replaced == 0..<2)
    #expect(completion.usage == nil)
  }

  @Test("An empty line offers every command and shows nothing ahead")
  func offersEverything() {
    #expect(complete("").candidates == CommandName.allCases.map(\.rawValue))
    #expect(complete("").ghost == "")
  }

  @Test("A command that is there shows its usage and help")
  func showsUsage() {
    #expect(complete("put").usage == "put KEY VALUE")
    #expect(complete("put k v").usage == "put KEY VALUE")
    #expect(complete("put k v").summary == "store a value under a key")
    #expect(complete("put ").candidates == [])
    #expect(complete("xyz ").usage == nil)
  }

  @Test(
    "A node is completed by what the command can do with it",
    arguments: [
      ("removenode n", ["node1", "node2", "node10"]), ("kill ", ["node1", "node10"]), ("restart n", ["node2"]),
      ("addnode ", ["node3"]), ("help re", ["removenode", "replacenode", "restart", "resume"]), ("kill x", []),
      ("kill node1 n", []),
      ("get n", []), ("nodes n", []),
    ])
  func completesArguments(line: String, candidates: [String]) {
    #expect(complete(line).candidates == candidates)
  }

  @Test(
    "The word under the cursor has its place by the parser's words, whatever white space is between them",
    arguments: [
      ("", nil, 0), ("  ", nil, 0), ("pu", "pu", 0), (" put", "put", 0), ("put ", "put", 1), ("  put  k", "put", 1),
      ("put\tk", "put", 1), (#"put "a b" "#, "put", 2), (#"put "a b"#, "put", nil), ("put 'a", "put", 1),
      ("frobnicate x", "frobnicate", 1),
    ] as [(String, String?, Int?)])
  func places(line: String, called: String?, place: Int?) {
    #expect(complete(line).called == called)
    #expect(complete(line).place == place)
  }

  @Test("Within quotes nothing is completed")
  func quotes() { #expect(complete(#"kill "a n"#).candidates == []) }

  @Test("A whole name offers only longer ones, and shows nothing ahead")
  func wholeNames() {
    #expect(complete("kill node1").candidates == ["node10"])
    #expect(complete("kill node1").ghost == "")
    #expect(complete("restart node2").candidates == [])
  }

  @Test("In the middle of a line the word before the cursor is completed, without a ghost")
  func completesInTheMiddle() {
    let completion = complete("kill no x", at: 7)
    #expect(completion.candidates == ["node1", "node10"])
    #expect(completion.replaced == 5..<7)
    #expect(completion.ghost == "")
  }

  @Test("White space before the command and between words changes nothing")
  func ignoresWhiteSpace() {
    #expect(complete("  restart   no").candidates == ["node2"])
    #expect(complete("  restart   no").ghost == "de2")
    #expect(complete("  restart   no").usage == "restart NODE")
  }
}
