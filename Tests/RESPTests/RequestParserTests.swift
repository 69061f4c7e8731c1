import Testing

@testable import RESP

/// What a parser makes of bytes that come in pieces.
private struct Reading: Equatable {
  var requests: [[[UInt8]]] = []
  var error: ProtocolError?

  /// - Parameter pieces: where the bytes are cut.
  init(_ bytes: [UInt8], cutAt pieces: [Int] = [], limits: RequestLimits = .usual) {
    var parser = RequestParser(limits: limits)
    var buffer: [UInt8] = []
    var from = 0
    for to in pieces + [bytes.count] {
      buffer += bytes[from..<to]
      from = to
      while error == nil {
        let outcome = buffer.withUnsafeBytes { input in
          let outcome = parser.parse(input)
          if case .request = outcome {
            requests.append((0..<parser.count).map { Array(parser.argument($0, of: input)) })
          }
          return outcome
        }
        switch outcome {
        case .request(let count), .nothing(let count): buffer.removeFirst(count)
        case .incomplete(let count):
          #expect(count > buffer.count, "an incomplete request must ask for more")
          break
        case .failed(let failure): error = failure
        }
        if case .incomplete = outcome { break }
      }
    }
  }

  init(_ text: String, limits: RequestLimits = .usual) { self.init(Array(text.utf8), limits: limits) }

  var words: [[String]] { requests.map { $0.map { String(decoding: $0, as: UTF8.self) } } }
}

@Suite struct RequestParserTests {
  /// Well-formed and broken input of every kind.
  static let streams = [
    "*1\r\n$4\r\nPING\r\n",
    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nhello\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
    "*2\r\n$3\r\nGET\r\n$0\r\n\r\n*0\r\n*-1\r\n\r\n*1\r\n$4\r\nPING\r\n",
    "*2\r\n$3\r\nGET\r\n$4\r\n\r\n\r\n\r\nPING\r\n",
    "PING\r\nGET a\nSET a \"b c\\x41\\n\" 'it\\'s'\r\n  \r\n\r\nPING\r\n",
    "*2\r\n$3\r\nGET\r\n$1\r\nab\r\n",
    "*2\r\n:3\r\n", "*x\r\n", "*1\r\n$-1\r\n", "SET \"a\r\n", "*01\r\n$4\r\nPING\r\n", "PING\r\n*1\r\n$+4\r\nPING\r\n",
  ]

  @Test(
    "Pieces do not matter: cut anywhere, twice, or byte by byte, the requests and the error are the same",
    arguments: streams)
  func piecesDoNotMatter(stream: String) {
    let bytes = Array(stream.utf8)
    let whole = Reading(bytes)
    #expect(Reading(bytes, cutAt: Array(0..<bytes.count)) == whole)
    for first in 0...bytes.count {
      for second in first...bytes.count { #expect(Reading(bytes, cutAt: [first, second]) == whole) }
    }
  }

  @Test("Arrays and lines become their arguments, empty ones nothing")
  func argumentsAreFound() {
    #expect(Reading(Self.streams[1]).words == [["SET", "a", "hello"], ["GET", "a"]])
    #expect(Reading(Self.streams[2]).words == [["GET", ""], ["PING"]])
    #expect(Reading(Self.streams[3]).words == [["GET", "\r\n\r\n"], ["PING"]])
    #expect(Reading(Self.streams[4]).words == [["PING"], ["GET", "a"], ["SET", "a", "b cA\n", "it's"], ["PING"]])
  }

  @Test(
    "Lengths are strict, and an announced size is refused before its bytes",
    arguments: [
      ("*2000000000\r\n", ProtocolError.multibulkLength), ("*1048577\r\n", .multibulkLength),
      ("*99999999999999999999\r\n", .multibulkLength), ("*+1\r\n", .multibulkLength), ("* 1\r\n", .multibulkLength),
      ("*1 \r\n", .multibulkLength), ("*01\r\n", .multibulkLength), ("*-0\r\n", .multibulkLength),
      ("*\r\n", .multibulkLength), ("*-\r\n", .multibulkLength), ("*1\n", .multibulkLength),
      ("*1\rx", .multibulkLength), ("*1\r\n$536870912\r\n", .bulkLength), ("*1\r\n$-1\r\n", .bulkLength),
      ("*1\r\n$67108865\r\n", .bulkLength), ("*1\r\n$04\r\n", .bulkLength), ("*1\r\n$+4\r\n", .bulkLength),
      ("*1\r\n$4 \r\n", .bulkLength), ("*1\r\n$\r\n", .bulkLength), ("*1\r\n*1\r\n", .expectedBulk(0x2A)),
      ("*1\r\n+PING\r\n", .expectedBulk(0x2B)), ("*1\r\n$4\r\nPINGxx", .bulkTrailer),
      ("*1\r\n$4\r\nPING\rx", .bulkTrailer), ("*2\r\n$67108864\r\n", nil), ("*1048576\r\n", nil),
      ("GET \"a\"b\r\n", .unbalancedQuotes), ("GET 'a\r\n", .unbalancedQuotes), ("GET \"\\\r\n", .unbalancedQuotes),
    ] as [(String, ProtocolError?)])
  func lengthsAreStrict(text: String, error: ProtocolError?) {
    let reading = Reading(text)
    #expect(reading.error == error)
    #expect(reading.requests.isEmpty)
  }

  @Test("A request is bounded as a whole, also by several arguments that are each within bounds")
  func requestIsBounded() {
    let limits = RequestLimits(argumentsMax: 10, argumentBytesMax: 100, requestBytesMax: 150, inlineBytesMax: 20)
    let hundred = String(repeating: "x", count: 100)
    #expect(Reading("*2\r\n$100\r\n\(hundred)\r\n$20\r\n", limits: limits).error == nil)
    #expect(Reading("*2\r\n$100\r\n\(hundred)\r\n$100\r\n", limits: limits).error == .requestTooLarge)
    #expect(Reading(String(repeating: "x", count: 21), limits: limits).error == .inlineTooLong)
    #expect(Reading(String(repeating: "x", count: 21) + "\r\n", limits: limits).error == .inlineTooLong)
    #expect(Reading(String(repeating: "x", count: 19) + "\r\n", limits: limits).error == nil)
  }

  @Test("Before the password, a request has ten arguments of 16 KiB at most")
  func unauthenticatedIsSmall() {
    #expect(Reading("*11\r\n", limits: .unauthenticated).error == .unauthenticatedMultibulkLength)
    #expect(Reading("*2\r\n$16385\r\n", limits: .unauthenticated).error == .unauthenticatedBulkLength)
    #expect(Reading("*10\r\n$16384\r\n", limits: .unauthenticated).error == nil)
    #expect(Reading(String(repeating: "x ", count: 11) + "\n", limits: .unauthenticated).error == .multibulkLength)
  }

  @Test("An incomplete request says how long it will be at least, so that its buffer need not grow by guesses")
  func incompleteTellsItsLength() {
    var parser = RequestParser()
    let outcome = Array("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000\r\nxxx".utf8).withUnsafeBytes { parser.parse($0) }
    #expect(outcome == .incomplete(byteCount: 27 + 1000 + 2))
  }

  @Test(
    "Words in quotes",
    arguments: [
      ("\"a\\tb\"", "a\tb"), ("\"\\x0a\\X0a\"", "\nX0a"), ("'\\n'", "\\n"), ("\"\\\"\"", "\""), ("\"\"", ""),
      ("a\"b\"", "ab"), ("\"\\x4\"", "x4"), ("\"\\\\\"", "\\"), ("\"\\a\\b\\r\"", "\u{7}\u{8}\r"),
    ])
  func quotes(word: String, expected: String) {
    #expect(Reading("GET \(word)\r\n").words == [["GET", expected]])
  }

  @Test("A NUL is a byte like others")
  func nulIsAByte() { #expect(Reading("GET a\0b\r\n").requests == [[Array("GET".utf8), [0x61, 0, 0x62]]]) }

  @Test("Random streams of requests, cut at random, come back as they were sent")
  func randomStreams() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = Generator(state: seed)
    for _ in 0..<300 {
      let sent = (0..<Int.random(in: 1...8, using: &random)).map { _ in
        (0..<Int.random(in: 1...5, using: &random)).map { _ in
          (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
      }
      let bytes = sent.flatMap(RequestWriter.bytes)
      let cuts = (0..<Int.random(in: 0...6, using: &random)).map { _ in Int.random(in: 0...bytes.count, using: &random)
      }
      let reading = Reading(bytes, cutAt: cuts.sorted())
      #expect(reading.requests == sent && reading.error == nil, "seed \(seed)")
    }
  }
}

/// SplitMix64.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
