import Commands
import KVCluster
import Testing

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
}
