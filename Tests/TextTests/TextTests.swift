import Testing
import Text

@Suite struct TextTests {
  @Test func `any bytes pass through a string and come back, also those that look like marks`() {
    let every = (0...255).map(UInt8.init) + Array("Grüße नमस्ते \u{10FE41} e\u{301}".utf8) + [0xC3]
    #expect(ByteText.decode(ByteText.encode(every)) == every)
    #expect(ByteText.encode("Grüße".utf8) == "Grüße" && ByteText.isUTF8("Grüße"))
    #expect(!ByteText.isUTF8(ByteText.encode([0x61, 0xFF])))
    #expect(ByteText.path(ByteText.encode([0x61, 0xFF])) == [0x61, -1, 0])
  }

  @Test(arguments: [
    "\u{61C}", "\u{200E}", "\u{202E}", "\u{2066}", "\u{206A}", "\u{2028}", "\u{85}", "\u{9B}", "\u{1b}", "\u{AD}",
    "\u{FEFF}",
    "\u{200B}", "\u{180E}", "\u{FFF9}", "\u{E0041}",
  ])
  func `what moves, hides or turns text around reaches no terminal`(text: String) {
    let shown = Quoted.printable("a\(text)b")
    #expect(shown.hasPrefix("a\\x") && shown.hasSuffix("b") && shown.utf8.allSatisfy { $0 < 0x80 })
    #expect(("a" + text).columns == 2)
  }

  @Test(arguments: ["नमस्ते", "cafe\u{301}", "👩‍🚀", "مرحبا", "한글", "می\u{200C}خواهم", "\u{600}12"])
  func `text of any language is printed as it is`(text: String) {
    #expect(Quoted.printable(text) == text)
  }

  @Test(arguments: [
    ("user:1", "user:1"), ("two words", "two words"), ("a\nb", #""a\nb""#), ("\"q", #""\"q""#), ("'q", #""'q""#),
    (" a", #"" a""#), ("a ", #""a ""#), ("", #""""#), ("a\\b", "a\\b"), ("x\u{2028}y", #""x\xe2\x80\xa8y""#),
    ("Grüße", "Grüße"),
    ("say \"hi\"", "say \"hi\""),
  ])
  func `an entry of a list is one line, whatever it holds`(text: String, shown: String) {
    #expect(Quoted.entry(Array(text.utf8)) == shown)
  }

  @Test func `a preview shows the beginning and the size`() {
    #expect(Quoted.preview(Array("a\nb\t\u{1b}".utf8), bytesMax: 64) == #"a\nb\t\x1b"#)
    #expect(Quoted.preview(Array(repeating: 0x61, count: 1 << 20), bytesMax: 4) == "aaaa… (1,048,576 bytes)")
    // No character is cut in the middle.
    for bytesMax in 1...8 {
      let shown = Quoted.preview(Array("éééééé".utf8), bytesMax: bytesMax)
      #expect(!shown.contains("\\x") || bytesMax == 1, "\(bytesMax): \(shown)")
    }
  }

  @Test func `cutting, wrapping and previewing a value of 8 MiB takes what is shown of it, and no square of it`() {
    let value = String(repeating: "x", count: 8 << 20)
    let elapsed = ContinuousClock().measure {
      for _ in 0..<100 { #expect(value.fitted(to: 80, ellipsis: "…").columns == 80) }
      #expect(Quoted.preview(Array(value.utf8), bytesMax: 1_024).utf8.count < 1_100)
      #expect(String(value.prefix(1 << 18)).wrapped(to: 100).count == 2_622)
    }
    #expect(elapsed < .seconds(20))
  }
}
