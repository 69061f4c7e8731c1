import Dashboard
import Foundation
import Testing

@Suite struct ExportTests {
  private let state = Scene.walking.state(Size(width: 80, height: 24))

  /// Carries out the few sequences that rows are written with.
  private func plain(_ text: String) -> String {
    text.replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "")
  }

  @Test(arguments: ColorDepth.allCases)
  func `a coloured frame holds the same words as the picture`(depth: ColorDepth) {
    let canvas = Picture(state, .utf8).canvas
    let text = AnsiText.text(canvas, depth: depth)
    #expect(plain(text) == canvas.lines.map { $0 + "\n" }.joined())
    #expect(text.contains("38;2;") == (depth == .truecolor))
    if depth == .mono { #expect(!text.contains(/\u{1b}\[[0-9;]*3[0-7]/)) }
  }

  @Test(arguments: [Scene.healthy, .dead, .typing])
  func `an svg picture is well-formed, whatever keys and values are called`(scene: Scene) throws {
    var state = scene.state(Size(width: 80, height: 24))
    type("put <a&b> \"]]>", into: &state)
    let text = SvgPicture.text(Picture(state, .utf8).canvas)
    let parser = XMLDocumentCheck(text)
    #expect(parser.isWellFormed)
    #expect(text.contains("&lt;a&amp;b&gt;"))
  }

  @Test func `a recording begins with a header and adds only rows that changed`() throws {
    var recording = Recording(depth: .truecolor, startedNs: 1_000_000_000)
    let header = Recording.header(Size(width: 80, height: 24), atUnixSeconds: 7)
    let fields = try #require(try JSONSerialization.jsonObject(with: Data(header.utf8)) as? [String: Any])
    #expect(fields["version"] as? Int == 2 && fields["width"] as? Int == 80 && fields["height"] as? Int == 24)
    let first = recording.add(Picture(state, .utf8), atNs: 1_500_000_000)
    let event = try #require(try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [Any])
    #expect(event[0] as? Double == 0.5 && event[1] as? String == "o")
    #expect(recording.add(Picture(state, .utf8), atNs: 2_000_000_000).isEmpty)
    var later = state
    type("x", into: &later)
    let second = recording.add(Picture(later, .utf8), atNs: 2_500_000_000)
    let change = try #require(try JSONSerialization.jsonObject(with: Data(second.utf8)) as? [Any])
    let rows = try #require(change[2] as? String).matches(of: /\u{1b}\[([0-9]+);1H/).map { Int($0.output.1) }
    // The prompt's row, and that of the keys that work now.
    #expect(rows == [23, 24])
    later.size = Size(width: 90, height: 24)
    #expect(recording.add(Picture(later, .utf8), atNs: 3_000_000_000).contains("\"r\", \"90x24\""))
  }

  @Test func `describe says in sentences what the screen shows`() {
    var state = Scene.dead.state(Size(width: 80, height: 24))
    type("describe", into: &state)
    #expect(state.handle(.enter) == [])
    let said = state.log.lines.map(\.text)
    #expect(said.contains { $0.hasPrefix("The cluster is degraded: 4 of 5 nodes serve") })
    #expect(said.contains { $0.hasPrefix("node2 is dead") && $0.contains("hints wait for it") })
    #expect(said.contains("Last event: node2 was killed; its writes wait as hints."))
    #expect(state.prompt.runningCount == 0)
    #expect(Description.lines(self.state).contains { $0.hasPrefix("Key user:1001 has the hash ") })
  }
}

/// Whether a text is XML: every element that is opened is closed, and nothing that means something stands free.
private struct XMLDocumentCheck {
  let isWellFormed: Bool

  init(_ text: String) {
    var open: [Substring] = []
    var isGood = true
    for element in text.matches(of: /<(\/?)([a-z]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(\/?)>/) {
      if element.output.1 == "/" {
        if open.popLast() != element.output.2 { isGood = false }
      } else if element.output.4.isEmpty {
        open.append(element.output.2)
      }
    }
    let rest = text.replacing(/<\/?[a-z]+(?:\s+[a-zA-Z:-]+="[^"<]*")*\s*\/?>/, with: "")
    let free = rest.replacing(/&(amp|lt|gt);/, with: "")
    isWellFormed = isGood && open.isEmpty && !free.contains("<") && !free.contains("&")
  }
}
