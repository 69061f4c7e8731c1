import Dashboard
import Testing

@Suite struct LineEditorTests {
  private func editing(_ text: String, _ keys: [Key]) -> LineEditor {
    var editor = LineEditor()
    editor.set(text)
    for key in keys { _ = editor.edit(key) }
    return editor
  }

  @Test(arguments: [
    ([Key.control("a"), .character("x")], "xput key value"),
    ([.home, .delete], "ut key value"),
    ([.left, .left, .backspace], "put key vaue"),
    ([.control("w")], "put key "),
    ([.control("w"), .control("w")], "put "),
    ([.alt("b"), .control("k")], "put key "),
    ([.home, .alt("f"), .control("u")], " key value"),
    ([.home, .wordRight, .alt("d")], "put value"),
    ([.control("w"), .control("a"), .control("y")], "valueput key "),
    ([.control("a"), .control("d")], "ut key value"),
    ([.paste("a\tc")], "put key valuea\tc"),
  ])
  func `editing keys work as with readline`(keys: [Key], line: String) {
    #expect(editing("put key value", keys).text == line)
  }

  @Test func `a character of several scalars is one step`() {
    #expect(editing("ab👨‍👩‍👧é", [.left, .backspace]).text == "abé")
  }

  @Test func `parts of a character that arrive one by one become one`() {
    let typed = editing(
      "", [.character("e"), .character("\u{301}"), .character("👨"), .character("\u{200D}"), .character("👧")])
    #expect(typed.characters == ["é", "👨‍👧"])
    #expect(typed.cursor == 2)
  }

  @Test func `keys at the ends do nothing`() {
    #expect(editing("a", [.left, .left, .left, .backspace, .wordLeft]).cursor == 0)
    #expect(editing("a", [.right, .end, .delete, .wordRight]).cursor == 1)
  }

  @Test func `up goes back through the history and down returns to the typed line`() {
    var editor = LineEditor()
    editor.history = CommandHistory(["one", "two"])
    editor.set("dra")
    let expected = [(Key.up, "two"), (.up, "one"), (.up, "one"), (.down, "two"), (.down, "dra"), (.down, "dra")]
    for (key, line) in expected {
      _ = editor.edit(key)
      #expect(editor.text == line)
    }
  }

  @Test func `the history keeps no blank line, no line twice in a row, and not too many`() {
    var history = CommandHistory()
    for line in ["a", "a", "  ", "b", "a"] { history.add(line) }
    #expect(history.lines == ["a", "b", "a"])
    for number in 0..<2_000 { history.add("\(number)") }
    #expect(history.lines.count == CommandHistory.linesMax)
    #expect(history.lines.last == "1999")
  }

  @Test func `what is too long is not cut but left out, and there is room to ask for`() {
    let long = String(repeating: "x", count: LineEditor.charactersMax)
    let full = editing("", [.paste(long)])
    #expect(full.characters.count == LineEditor.charactersMax && !full.hasRoom(for: "y"))
    #expect(editing("ab", [.paste(long)]).text == "ab")
    #expect(full.text(inserting: "y").utf8.count == LineEditor.charactersMax + 1)
  }

  @Test func `the history keeps no line that only a paste can make, and tells one key from another by its bytes`() {
    var history = CommandHistory()
    history.add("put k " + String(repeating: "x", count: CommandHistory.lineBytesMax))
    history.add("get é")
    history.add("get e\u{301}")
    #expect(history.lines.count == 2)
  }
}

@Suite struct PromptTests {
  private func prompt(_ keys: [Key]) -> Prompt {
    var prompt = Prompt(completer: Sample.complete)
    for key in keys { _ = prompt.handle(key) }
    return prompt
  }

  @Test func `tab completes the only candidate and adds a blank`() {
    #expect(prompt([.character("p"), .tab]).editor.text == "put ")
  }

  @Test func `a blank typed behind a completed word is the one that is there`() {
    let put: [Key] = [.character("p"), .tab]
    #expect(prompt(put + [.character(" ")]).editor.text == "put ")
    #expect(prompt(put + [.character(" "), .character(" ")]).editor.text == "put  ")
    #expect(prompt(put + [.character("k"), .character(" ")]).editor.text == "put k ")
  }

  @Test func `tab goes as far as all candidates agree and then offers them`() {
    let offered = prompt([.paste("kill n"), .tab])
    #expect(offered.editor.text == "kill node")
    #expect(offered.choices?.candidates == ["node1", "node2", "node3"])
    #expect(prompt([.paste("kill n"), .tab, .tab, .tab]).editor.text == "kill node2")
    #expect(prompt([.paste("kill n"), .tab, .backTab]).editor.text == "kill node3")
    #expect(prompt([.paste("kill n"), .tab, .tab, .character("x")]).choices == nil)
  }

  @Test func `the ghost shows what right would add`() {
    #expect(prompt([.character("g")]).ghost == "et")
    #expect(prompt([.character("g"), .right]).editor.text == "get")
    #expect(prompt([.character("g"), .left]).ghost == "")
  }

  @Test func `the usage of the command being typed is known`() {
    #expect(prompt([.paste("kill ")]).completion.usage == "kill NODE")
  }
}
