import Dashboard
import Testing
import Text

/// Line mode's editor: bytes of a terminal in, lines and pictures out.
@Suite struct LinePromptTests {
  private func keys(_ text: String) -> [Key] { keys(Array(text.utf8)) }

  private func keys(_ bytes: [UInt8]) -> [Key] {
    var decoder = KeyDecoder()
    return bytes.flatMap { decoder.take($0) }
  }

  private func prompt(_ history: [String] = []) -> LinePrompt {
    LinePrompt(label: "> ", history: history) { line, cursor in
      let typed = String(line.prefix(cursor))
      let found = ["partition", "pause", "put"].filter { $0.hasPrefix(typed) && $0 != typed }
      return Completion(replacedCount: typed.count, candidates: found)
    }
  }

  /// The events of keys that arrive as these bytes.
  private func events(_ text: String, _ history: [String] = []) -> [LinePrompt.Event] {
    var prompt = prompt(history)
    return keys(text).compactMap { prompt.take($0) }
  }

  @Test(
    "Bytes are keys as terminals send them",
    arguments: [
      ("a\u{1b}[A\u{1b}OB", [Key.character("a"), .up, .down]),
      ("\u{1b}[C\u{1b}[1;5C\u{1b}[1;3D", [.right, .wordRight, .wordLeft]),
      ("\u{1b}[H\u{1b}[4~\u{1b}[3~\u{1b}[Z", [.home, .end, .delete, .backTab]),
      ("\t\r\n\u{7f}", [.tab, .enter, .enter, .backspace]),
      ("\u{1}\u{1b}b\u{1b}\u{1b}[D", [.control("a"), .alt("b"), .escape, .left]),
      ("é東🌍", [.character("é"), .character("東"), .character("🌍")]),
      ("\u{1b}[200~one\u{1b}[31m\r\ntwo\u{1b}[201~x", [.paste("one\u{1b}[31m\r\ntwo"), .character("x")]),
      ("\u{1b}[200~\u{1b}[20~\u{1b}[201~\u{1b}[200~\u{1b}[201~", [.paste("\u{1b}[20~")]),
      ("\u{1b}[15~\u{1b}OP\u{1b}[24~\u{1b}[[B", [.function(5), .function(1), .function(12), .function(2)]),
      (
        "\u{1b}[<0;12;3M\u{1b}[<0;12;3m\u{1b}[<65;1;1M\u{1b}[M !!",
        [
          .mouse(.press, column: 11, row: 2), .mouse(.wheelDown, column: 0, row: 0), .mouse(.press, column: 0, row: 0),
        ]
      ),
      ("\u{1b}[38;5;1mx", [.character("x")]),
    ])
  func decodes(text: String, expected: [Key]) {
    #expect(keys(text) == expected)
  }

  @Test("What is not UTF-8 does not swallow what follows, and is the same bytes when the line is run")
  func decodesAnything() {
    func raw(_ byte: UInt8) -> Key { .character(Character(ByteText.mark(byte))) }
    #expect(keys([0xFF, 0x61]) == [raw(0xFF), .character("a")])
    #expect(keys([0xC3, 0x61]) == [raw(0xC3), .character("a")])
    #expect(keys([0xE2, 0x82, 0x0D]) == [raw(0xE2), raw(0x82), .enter])
    let line = Array("put k ".utf8) + [0xE9, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80]
    var prompt = prompt()
    let events = keys(line + [0x0D]).compactMap { prompt.take($0) }
    guard case .line(let text)? = events.first else { return #expect(Bool(false), "no line") }
    #expect(ByteText.decode(text) == line)
  }

  @Test("A paste may arrive in pieces of any size: its end is found, and nothing in it is a key", arguments: 1...9)
  func decodesPieces(size: Int) {
    let bytes = Array("\u{1b}[200~put a 1\rput b \u{1b}[20\r\u{1b}[201~get a\r".utf8)
    var decoder = KeyDecoder()
    var keys: [Key] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      for byte in bytes[start..<min(start + size, bytes.count)] { keys += decoder.take(byte) }
    }
    #expect(keys.first == .paste("put a 1\rput b \u{1b}[20\r") && keys.last == .enter && keys.count == 7)
  }

  @Test("Esc is a key once nothing follows it, and half a sequence is none")
  func flushes() {
    var decoder = KeyDecoder(known: [Array("\u{1b}?x".utf8): .up])
    func take(_ text: String) -> [Key] { text.utf8.flatMap { decoder.take($0) } }
    #expect(take("\u{1b}") == [] && decoder.hasEscape)
    #expect(decoder.flush() == [.escape])
    #expect(take("\u{1b}[1") == [] && decoder.isWithinKey)
    #expect(decoder.flush() == [])
    #expect(take("\u{1b}?xa") == [.up, .character("a")])
    #expect(take("\u{1b}[200~lost") == [])
    #expect(decoder.endPaste() == [.paste("lost")])
  }

  @Test("A paste of several lines gives them at once, with what was typed before in the first")
  func pastes() {
    var prompt = prompt()
    for key in keys("put ") { _ = prompt.take(key) }
    #expect(prompt.take(.paste("a 1\rget a\r\nget")) == .pasted(["put a 1", "get a"]))
    #expect(prompt.take(.enter) == .line("get"))
    #expect(prompt.history == ["put a 1", "get a", "get"])
    let tooLong = String(repeating: "x", count: LineEditor.charactersMax + 1)
    #expect(prompt.take(.paste(tooLong)) == .refused(byteCount: LineEditor.charactersMax + 1))
  }

  @Test(
    "Lines are edited, recalled and completed before they are run",
    arguments: [
      ("puut a\u{1b}[D\u{1b}[D\u{1b}[D\u{7f}\r", ["put a"]), ("\u{1b}[A\r", ["get b"]),
      ("\u{1b}[A\u{1b}[A\r", ["get a"]),
      ("pau\t\r", ["pause "]), ("\u{12}a\r", ["get a"]), ("get b\u{15}nodes\r", ["nodes"]), ("a\rb\r", ["a", "b"]),
      ("x\u{3}y\r", ["y"]),
    ])
  func edits(text: String, expected: [String]) {
    #expect(events(text, ["get a", "get b"]) == expected.map { .line($0) })
  }

  @Test("Ctrl-D, Ctrl-C and Ctrl-Z mean what they mean in a shell")
  func controls() {
    #expect(events("\u{4}") == [.end])
    #expect(events("a\u{4}\u{3}") == [])
    #expect(events("\u{3}") == [.interrupt])
    #expect(events("a\u{1a}\u{c}") == [.suspend, .clearScreen])
  }

  @Test("The row shows the line with the cursor in its place, and what Tab would add dim")
  func draws() {
    var prompt = prompt()
    for key in keys("pau") { _ = prompt.take(key) }
    #expect(prompt.picture(columns: 40) == "\r\u{1b}[J> pau\u{1b}[2mse\u{1b}[0m\r\u{1b}[5C")
    _ = prompt.take(.left)
    #expect(prompt.picture(columns: 40) == "\r\u{1b}[J> pau\r\u{1b}[4C")
  }

  @Test("Several candidates stand in the row below until something else is typed")
  func listsCandidates() {
    var prompt = prompt()
    for key in keys("pa\t") { _ = prompt.take(key) }
    #expect(prompt.picture(columns: 40) == "\r\u{1b}[J> pa\r\n partition   pause \u{1b}[A\r\u{1b}[4C")
    _ = prompt.take(.tab)
    #expect(prompt.picture(columns: 40).contains("> partition\r\n[partition]  pause "))
    _ = prompt.take(.character("x"))
    #expect(!prompt.picture(columns: 40).contains("\n"))
  }

  @Test("A line that is longer than the row scrolls with its cursor, and stays within it", arguments: [10, 20, 33])
  func scrolls(columns: Int) {
    var prompt = prompt()
    let line = "put key " + String(repeating: "東é", count: 30)
    for key in [Key.paste(line)] + Array(repeating: Key.left, count: 75) {
      _ = prompt.take(key)
      let picture = prompt.picture(columns: columns)
      let row = picture.dropFirst(4).split(separator: "\r").first.map(String.init) ?? ""
      #expect(row.columns < columns)
      let cursor = Int(picture.split(separator: "[").last!.dropLast()) ?? -1
      #expect((2..<columns).contains(cursor))
    }
    #expect(prompt.picture(columns: columns).hasPrefix("\r\u{1b}[J> put key"))
  }

  @Test("No byte of a line acts on the terminal, and a line that was run is left whole")
  func isHarmless() {
    var prompt = prompt()
    _ = prompt.take(.paste("a\u{1b}[31mb"))
    #expect(prompt.picture(columns: 40).contains("> a·[31mb"))
    #expect(LinePrompt.farewell(label: "> ", line: "a\u{7}") == "\r\u{1b}[J> a·\r\n")
  }
}
