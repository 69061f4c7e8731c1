/// Takes replies of either protocol from bytes that come in pieces: the client's side.
///
/// A server is believed no more than a client: nested at most ``depthMax`` deep, lengths within ``bytesMax``, and nothing
/// allocated before it has come. Attributes are read and dropped, as the protocol allows. Strings of unknown length
/// (`$?`) are refused: no server sends them.
package struct ReplyReader: ~Copyable {
  package enum Failure: Error, Equatable, Sendable {
    /// A byte where no reply begins with it.
    case unknownType(UInt8)
    case badLength
    case badNumber
    case badTrailer
    case tooDeep
    case tooLong
  }

  /// Deeper than any reply of a server is.
  package static let depthMax = 32

  private enum Container { case array, set, map, push, attribute }

  /// An aggregate whose elements are still coming.
  private struct Frame {
    var container: Container
    var missing: Int
    var elements: [ReplyValue] = []
  }

  /// What the reader reads next.
  private enum Token {
    case value(ReplyValue)
    case open(Frame)
  }

  private let bytesMax: Int
  private var input: [UInt8] = []
  /// Where the next token begins.
  private var at = 0
  private var frames: [Frame] = []

  /// - Parameter bytesMax: bytes of one string.
  package init(bytesMax: Int = 512 << 20) { self.bytesMax = bytesMax }

  /// Bytes that have come and are no part of a reply that was returned.
  package var pendingBytes: Int { input.count - at }

  /// Takes more bytes.
  package mutating func feed(_ bytes: some Sequence<UInt8>) {
    if at > 64 << 10 || at == input.count {
      input.removeFirst(at)
      at = 0
    }
    input.append(contentsOf: bytes)
  }

  /// The next whole reply, or `nil` until more has come. After an error nothing more can be read.
  package mutating func next() throws(Failure) -> ReplyValue? {
    while let token = try token() {
      switch token {
      case .value(let value): if let whole = try close(with: value) { return whole }
      case .open(let frame):
        if frame.missing == 0 {
          if frame.container != .attribute, let whole = try close(with: Self.value(of: frame)) { return whole }
        } else {
          guard frames.count < Self.depthMax else { throw .tooDeep }
          frames.append(frame)
        }
      }
    }
    return nil
  }

  /// Puts a value where it belongs; returns the reply if it is whole with that.
  private mutating func close(with value: ReplyValue) throws(Failure) -> ReplyValue? {
    var value = value
    while var frame = frames.popLast() {
      frame.elements.append(value)
      frame.missing -= 1
      if frame.missing > 0 {
        frames.append(frame)
        return nil
      }
      if frame.container == .attribute { return nil }
      value = Self.value(of: frame)
    }
    return value
  }

  private static func value(of frame: Frame) -> ReplyValue {
    switch frame.container {
    case .array, .attribute: .array(frame.elements)
    case .set: .set(frame.elements)
    case .push: .push(frame.elements)
    case .map:
      .map(
        stride(from: 0, to: frame.elements.count, by: 2).map {
          ReplyValue.Pair(frame.elements[$0], frame.elements[$0 + 1])
        })
    }
  }

  // MARK: - Tokens

  private mutating func token() throws(Failure) -> Token? {
    guard at < input.count else { return nil }
    switch input[at] {
    case UInt8(ascii: "+"): return try line().map { .value(.simple($0)) }
    case UInt8(ascii: "-"): return try line().map { .value(.error($0)) }
    case UInt8(ascii: "("): return try line().map { .value(.bigNumber($0)) }
    case UInt8(ascii: ":"): return try parsed { Int(String(decoding: $0, as: UTF8.self)).map(ReplyValue.integer) }
    case UInt8(ascii: ","): return try parsed { Double(String(decoding: $0, as: UTF8.self)).map(ReplyValue.double) }
    case UInt8(ascii: "#"):
      return try parsed {
        $0 == [UInt8(ascii: "t")] ? .truth(true) : $0 == [UInt8(ascii: "f")] ? .truth(false) : nil
      }
    case UInt8(ascii: "_"): return try parsed { $0.isEmpty ? .null : nil }
    case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"): return try string()
    case UInt8(ascii: "*"): return try open(.array, each: 1)
    case UInt8(ascii: "~"): return try open(.set, each: 1)
    case UInt8(ascii: ">"): return try open(.push, each: 1)
    case UInt8(ascii: "%"): return try open(.map, each: 2)
    case UInt8(ascii: "|"): return try open(.attribute, each: 2)
    default: throw .unknownType(input[at])
    }
  }

  private static let lineBytesMax = 64 << 10

  /// The line at `at`, without its mark; consumes it.
  private mutating func line() throws(Failure) -> [UInt8]? {
    guard let end = input[at...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < input.count else {
      if input.count - at > Self.lineBytesMax { throw .tooLong }
      return nil
    }
    guard input[end + 1] == UInt8(ascii: "\n") else { throw .badTrailer }
    defer { at = end + 2 }
    return Array(input[at + 1..<end])
  }

  private mutating func parsed(_ parse: ([UInt8]) -> ReplyValue?) throws(Failure) -> Token? {
    guard let line = try line() else { return nil }
    guard let value = parse(line) else { throw .badNumber }
    return .value(value)
  }

  private func length() throws(Failure) -> (value: Int, end: Int)? {
    switch input.withUnsafeBytes({ Length.read($0, at: at + 1) }) {
    case .incomplete: return nil
    case .malformed: throw .badLength
    case .value(let value, let end): return (value, end)
    }
  }

  private mutating func string() throws(Failure) -> Token? {
    guard let (count, start) = try length() else { return nil }
    let mark = input[at]
    if count == -1, mark == UInt8(ascii: "$") {
      at = start
      return .value(.null)
    }
    guard count >= 0, count <= bytesMax else { throw .badLength }
    let end = start + count
    guard input.count - end >= 2 else { return nil }
    guard input[end] == UInt8(ascii: "\r"), input[end + 1] == UInt8(ascii: "\n") else { throw .badTrailer }
    let bytes = Array(input[start..<end])
    at = end + 2
    switch mark {
    case UInt8(ascii: "$"): return .value(.bulk(bytes))
    case UInt8(ascii: "!"): return .value(.error(bytes))
    default:
      guard count >= 4, bytes[3] == UInt8(ascii: ":") else { throw .badLength }
      return .value(.verbatim(format: Array(bytes[..<3]), Array(bytes[4...])))
    }
  }

  private mutating func open(_ container: Container, each: Int) throws(Failure) -> Token? {
    guard let (count, end) = try length() else { return nil }
    if count == -1, container == .array {
      at = end
      return .value(.null)
    }
    guard count >= 0, count <= 1 << 30 else { throw .badLength }
    at = end
    return .open(Frame(container: container, missing: count * each))
  }
}
