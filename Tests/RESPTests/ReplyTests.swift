import Testing

@testable import RESP

@Suite struct ReplyTests {
  private func written(_ version: RESPVersion, _ write: (inout ReplyBuffer) -> Void) -> String {
    var buffer = ReplyBuffer(capacity: 1)
    buffer.version = version
    write(&buffer)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  /// Replies of a whole text, which is fed in pieces.
  private func read(_ text: String, cutAt cuts: [Int] = []) throws -> [ReplyValue] {
    let bytes = Array(text.utf8)
    var reader = ReplyReader()
    var (from, replies) = (0, [ReplyValue]())
    for to in cuts + [bytes.count] {
      reader.feed(bytes[from..<to])
      from = to
      while let reply = try reader.next() { replies.append(reply) }
    }
    return replies
  }

  @Test("Each reply has its form in both protocols")
  func forms() {
    func both(_ two: String, _ three: String, _ write: (inout ReplyBuffer) -> Void) {
      #expect(written(.two, write) == two)
      #expect(written(.three, write) == three)
    }
    both("+OK\r\n", "+OK\r\n") { $0.ok() }
    both("-ERR a b\r\n", "-ERR a b\r\n") { $0.error("ERR a\nb") }
    both(":-12\r\n", ":-12\r\n") { $0.integer(-12) }
    both(":9223372036854775807\r\n", ":9223372036854775807\r\n") { $0.integer(.max) }
    both(":-9223372036854775808\r\n", ":-9223372036854775808\r\n") { $0.integer(.min) }
    both("$3\r\nabc\r\n", "$3\r\nabc\r\n") { $0.bulk("abc") }
    both("$0\r\n\r\n", "$0\r\n\r\n") { $0.bulk([]) }
    both("$-1\r\n", "_\r\n") { $0.null() }
    both("*-1\r\n", "_\r\n") { $0.nullArray() }
    both("*4\r\n", "%2\r\n") { $0.map(2) }
    both("*2\r\n", "~2\r\n") { $0.set(2) }
    both("*2\r\n", ">2\r\n") { $0.push(2) }
    both(":1\r\n", "#t\r\n") { $0.truth(true) }
    both("$3\r\n1.5\r\n", ",1.5\r\n") { $0.double(1.5) }
    both("$2\r\n10\r\n", ",10\r\n") { $0.double(10) }
    both("$4\r\n-inf\r\n", ",-inf\r\n") { $0.double(-.infinity) }
    both("$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n") { $0.verbatim("hi") }
  }

  @Test("A bulk's bytes can be written in place, and what was written can be cut off")
  func roomAndTruncation() {
    let text = written(.two) { buffer in
      buffer.ok()
      let start = buffer.count
      buffer.bulkRoom(5).copyBytes(from: Array("hello".utf8))
      buffer.integer(1)
      #expect(String(decoding: buffer.bytes, as: UTF8.self) == "+OK\r\n$5\r\nhello\r\n:1\r\n")
      buffer.truncate(to: start)
      buffer.bulkRoom(0).copyBytes(from: [UInt8]())
    }
    #expect(text == "+OK\r\n$0\r\n\r\n")
  }

  static let replies =
    "+OK\r\n-ERR no\r\n:-5\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n%1\r\n+k\r\n*0\r\n~1\r\n_\r\n"
    + ">2\r\n+m\r\n#t\r\n,1.5\r\n,inf\r\n(123456789012345678901234567890\r\n=6\r\ntxt:hi\r\n!5\r\nERR x\r\n"
    + "|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n*1\r\n|1\r\n+a\r\n%0\r\n:7\r\n%0\r\n"

  @Test("A client reads every type of reply, cut anywhere")
  func everyType() throws {
    let whole = try read(Self.replies)
    let number = Array("123456789012345678901234567890".utf8)
    #expect(
      whole == [
        .simple(Array("OK".utf8)), .error(Array("ERR no".utf8)), .integer(-5), .bulk(Array("a\r\n".utf8)), .null, .null,
        .array([.integer(1), .array([.bulk([])])]), .map([.init(.simple(Array("k".utf8)), .array([]))]), .set([.null]),
        .push([.simple(Array("m".utf8)), .truth(true)]), .double(1.5), .double(.infinity), .bigNumber(number),
        .verbatim(format: Array("txt".utf8), Array("hi".utf8)), .error(Array("ERR x".utf8)), .bulk(Array("v".utf8)),
        .array([.integer(7)]), .map([]),
      ])
    let count = Self.replies.utf8.count
    #expect(try read(Self.replies, cutAt: Array(0..<count)) == whole)
    for first in 0...count {
      #expect(try read(Self.replies, cutAt: [first]) == whole)
      #expect(try read(Self.replies, cutAt: [first, (first + count) / 2].sorted()) == whole)
    }
  }

  @Test(
    "A client refuses what is no reply",
    arguments: [
      ("?1\r\n", ReplyReader.Failure.unknownType(0x3F)), ("$-2\r\n", .badLength), ("$?\r\n", .badLength),
      ("*-2\r\n", .badLength), ("%-1\r\n", .badLength), ("*9999999999\r\n", .badLength), (":1x\r\n", .badNumber),
      (":\r\n", .badNumber), ("#y\r\n", .badNumber), ("_x\r\n", .badNumber), ("$1\r\nabc", .badTrailer),
      ("=2\r\nab\r\n", .badLength), ("=5\r\ntxtxh\r\n", .badLength), ("+a\rb\r\n", .badTrailer),
      ("$600000000\r\n", .badLength),
    ])
  func rubbishIsRefused(text: String, failure: ReplyReader.Failure) {
    #expect(throws: failure) { try read(text) }
  }

  @Test("A client refuses replies that are nested too deep, and lines without end")
  func excessIsRefused() {
    #expect(throws: ReplyReader.Failure.tooDeep) { try read(String(repeating: "*1\r\n", count: 33)) }
    #expect(throws: ReplyReader.Failure.tooLong) { try read(String(repeating: "+", count: 70_000)) }
  }

  @Test("A reply announced as huge costs nothing until it comes")
  func hugeIsNotAllocated() throws {
    #expect(try read("*1000000000\r\n").isEmpty)
    #expect(try read("$500000000\r\nabc").isEmpty)
    #expect(try read(String(repeating: "*1000000000\r\n", count: 32)).isEmpty)
  }

  @Test("What the server writes, a client reads, in both protocols", arguments: [RESPVersion.two, .three])
  func roundTrip(version: RESPVersion) throws {
    let text = written(version) { buffer in
      buffer.map(2)
      buffer.bulk("a")
      buffer.integer(1)
      buffer.bulk("b")
      buffer.array(2)
      buffer.null()
      buffer.simple("OK")
    }
    let reply = try #require(try read(text).first)
    #expect(
      reply.elements == [
        .bulk([0x61]), .integer(1), .bulk([0x62]), .array([.null, .simple(Array("OK".utf8))]),
      ])
  }
}
