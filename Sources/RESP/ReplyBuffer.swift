/// The two protocols a client can speak; a connection begins with the older one, and `HELLO 3` changes that.
package enum RESPVersion: Int, Sendable {
  case two = 2
  case three = 3
}

/// Replies behind one another, in memory that is used again.
///
/// What RESP2 does not have becomes what its clients expect in its place: a map is a flat array, a set an array, null a
/// bulk of −1, a truth 0 or 1, a text with a format a bulk.
package struct ReplyBuffer: ~Copyable {
  private var memory: UnsafeMutableRawPointer
  private var capacity: Int
  /// Bytes that have been written.
  package private(set) var count = 0
  /// The protocol of the replies that are written next.
  package var version = RESPVersion.two

  package init(capacity: Int = 1 << 10) {
    self.capacity = capacity
    memory = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { memory.deallocate() }

  /// What has been written; valid until the next change.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

  /// Forgets what was written, and gives memory beyond `capacityMax` back.
  package mutating func clear(capacityMax: Int = .max) {
    count = 0
    if capacity > capacityMax { resize(capacityMax) }
  }

  /// Forgets all behind the first `count` bytes.
  package mutating func truncate(to count: Int) {
    precondition(count <= self.count, "a reply buffer of \(self.count) bytes is cut to \(count)")
    self.count = count
  }

  // MARK: - Memory

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if capacity &- count < more { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    // A value's room is exact, so that a large one is not doubled.
    resize(more > capacity ? count + more + 64 : capacity * 2)
  }

  private mutating func resize(_ bytes: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    larger.copyMemory(from: memory, byteCount: count)
    memory.deallocate()
    (memory, capacity) = (larger, bytes)
  }

  /// Bytes as they are.
  @inline(__always)
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    (memory + count).copyMemory(from: start, byteCount: bytes.count)
    count &+= bytes.count
  }

  /// A whole reply as it is, such as `+OK\r\n`.
  @inline(__always)
  package mutating func append(_ reply: StaticString) {
    append(UnsafeRawBufferPointer(start: reply.utf8Start, count: reply.utf8CodeUnitCount))
  }

  @inline(__always)
  private mutating func byte(_ byte: UInt8) {
    reserve(1)
    memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  private mutating func text(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  @inline(__always)
  private mutating func lineEnd() { append("\r\n") }

  /// A mark, a number and a line's end: the header of everything that has a length.
  @inline(__always)
  private mutating func header(_ mark: UInt8, _ number: Int) {
    reserve(24)
    var digits = 1
    var rest = number.magnitude
    while rest >= 10 { (digits, rest) = (digits &+ 1, rest / 10) }
    var at = count
    memory.storeBytes(of: mark, toByteOffset: at, as: UInt8.self)
    at &+= 1
    if number < 0 {
      memory.storeBytes(of: UInt8(ascii: "-"), toByteOffset: at, as: UInt8.self)
      at &+= 1
    }
    rest = number.magnitude
    for place in stride(from: digits &- 1, through: 0, by: -1) {
      memory.storeBytes(of: 48 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: at &+ place, as: UInt8.self)
      rest /= 10
    }
    at &+= digits
    memory.storeBytes(of: 0x0A0D, toByteOffset: at, as: UInt16.self)
    count = at &+ 2
  }

  // MARK: - Replies

  package mutating func ok() { append("+OK\r\n") }

  /// A status of one line, which must have no line's end in it.
  package mutating func simple(_ status: String) { line(UInt8(ascii: "+"), status) }

  /// An error: a code in capitals, a space, and words. Line ends in it become spaces.
  package mutating func error(_ message: String) { line(UInt8(ascii: "-"), message) }

  private mutating func line(_ mark: UInt8, _ line: String) {
    byte(mark)
    let start = count
    text(line)
    for at in start..<count {
      let value = memory.load(fromByteOffset: at, as: UInt8.self)
      if value == 0x0A || value == 0x0D { memory.storeBytes(of: 0x20, toByteOffset: at, as: UInt8.self) }
    }
    lineEnd()
  }

  @inline(__always)
  package mutating func integer(_ value: Int) { header(UInt8(ascii: ":"), value) }

  @inline(__always)
  package mutating func bulk(_ bytes: UnsafeRawBufferPointer) {
    header(UInt8(ascii: "$"), bytes.count)
    append(bytes)
    lineEnd()
  }

  /// A bulk of `byteCount` bytes that the caller writes into the memory returned, before anything else is written.
  @inline(__always)
  package mutating func bulkRoom(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    reserve(byteCount &+ 32)
    header(UInt8(ascii: "$"), byteCount)
    let room = UnsafeMutableRawBufferPointer(start: memory + count, count: byteCount)
    count &+= byteCount
    lineEnd()
    return room
  }

  package mutating func bulk(_ bytes: [UInt8]) { bytes.withUnsafeBytes { bulk($0) } }

  package mutating func bulk(_ text: String) {
    var text = text
    text.withUTF8 { bulk(UnsafeRawBufferPointer($0)) }
  }

  /// No value.
  package mutating func null() {
    if version == .three { append("_\r\n") } else { append("$-1\r\n") }
  }

  /// No array.
  package mutating func nullArray() {
    if version == .three { append("_\r\n") } else { append("*-1\r\n") }
  }

  /// The header of an array; its elements follow.
  package mutating func array(_ count: Int) { header(UInt8(ascii: "*"), count) }

  /// The header of a map; its keys and values follow, in turn.
  package mutating func map(_ count: Int) {
    if version == .three { header(UInt8(ascii: "%"), count) } else { array(count * 2) }
  }

  /// The header of a set; its elements follow.
  package mutating func set(_ count: Int) {
    if version == .three { header(UInt8(ascii: "~"), count) } else { array(count) }
  }

  /// The header of a message that nobody asked for; its elements follow. RESP2 has an array there.
  package mutating func push(_ count: Int) {
    if version == .three { header(UInt8(ascii: ">"), count) } else { array(count) }
  }

  package mutating func truth(_ value: Bool) {
    if version == .three { append(value ? "#t\r\n" : "#f\r\n") } else { integer(value ? 1 : 0) }
  }

  package mutating func double(_ value: Double) {
    guard version == .three else { return bulk(Self.words(value)) }
    line(UInt8(ascii: ","), Self.words(value))
  }

  /// A text with a format of three letters, such as `txt`.
  package mutating func verbatim(_ text: String, format: StaticString = "txt") {
    guard version == .three else { return bulk(text) }
    precondition(format.utf8CodeUnitCount == 3, "a format has three letters")
    header(UInt8(ascii: "="), text.utf8.count + 4)
    append(format)
    byte(UInt8(ascii: ":"))
    self.text(text)
    lineEnd()
  }

  private static func words(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
