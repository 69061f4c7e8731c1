import Commands
import KVCluster
import Testing
import Text

struct QuotedTests {
  @Test(
    "Text stays readable, and everything else is escaped",
    arguments: [
      ("user:1", #""user:1""#), ("", #""""#), ("a\"b\\c\n\t", #""a\"b\\c\n\t""#), ("Grüße 🌍", #""Grüße 🌍""#),
      ("\u{0}\u{7f}\u{85}", #""\x00\x7f\xc2\x85""#), ("\u{202e}x", #""\xe2\x80\xaex""#),
    ])
  func quotes(text: String, quoted: String) {
    #expect(Quoted.text(text.utf8) == quoted)
  }

  @Test("What is quoted is read back as the same bytes")
  func readsBack() throws {
    let every = (0...255).map(UInt8.init) + Array("Grüße".utf8) + [0xF0, 0x9F, 0x8C]
    let line = Array("get \(Quoted.text(every))".utf8)
    #expect(try Command.parse(line) == .get(key: every))
  }

  @Test(
    "What would act on a terminal is escaped, and nothing else",
    arguments: [
      ("plain\ttext\n", "plain\ttext\n"), ("\u{1b}[31mred", #"\x1b[31mred"#), ("a\rb\u{7}", #"a\x0db\x07"#),
      ("Grüße 🌍 👩‍🚀", "Grüße 🌍 👩‍🚀"), ("\u{9b}2J", #"\xc2\x9b2J"#), ("a\u{202e}b", #"a\xe2\x80\xaeb"#),
      (#"a\b"c""#, #"a\b"c""#), ("\u{7f}", #"\x7f"#),
    ])
  func escapesControls(text: String, expected: String) {
    #expect(String(decoding: Quoted.printable(Array(text.utf8)), as: UTF8.self) == expected)
    #expect(Quoted.printable([0xFF, 0x61]) == Array(#"\xffa"#.utf8))
  }
}
