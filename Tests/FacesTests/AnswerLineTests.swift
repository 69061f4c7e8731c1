import Commands
import Dashboard
import Testing

@testable import Faces

/// How the dashboard shows what a command answers.
struct AnswerLineTests {
  @Test("A long value is shown by its beginning and its own size, whatever words stand before it")
  func tellsTheSizeOfTheValue() {
    let value = [UInt8](repeating: UInt8(ascii: "v"), count: 5_000)
    let line = CommandAnswer.Line(Answer(.success, Array("Retrieved: ".utf8), [0x6B, 0x0A], Array(" -> ".utf8), value))
    #expect(line.text.hasPrefix("Retrieved: k\\n -> vvv"))
    #expect(line.text.hasSuffix("v… (5,000 bytes)"))
    #expect(line.isSuccess == true)
    let short = CommandAnswer.Line(Answer(.failure, Array("Key not found: ".utf8), [0x6B]))
    #expect(short.text == "Key not found: k" && short.isSuccess == false)
  }
}
