/// Takes requests from the bytes of a connection, in place and however they are cut.
///
/// A request is an array of bulk strings or a line of words:
///
/// ```
/// *3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nhello\r\n
/// SET a "hello"\r\n
/// ```
///
/// The caller keeps the bytes from the beginning of the request that is under way and calls ``parse(_:)`` with them when
/// more have come; the parser goes on where it stopped, so a request costs O(its bytes) however it is cut. Arguments are
/// places in these bytes. Lengths are strict: no sign but `-`, no leading zero, no space; a request is a flat array.
/// The parser allocates room for an argument's place once the argument's length has come, and nothing else.
package struct RequestParser: ~Copyable {
  /// What there is at the beginning of the bytes.
  package enum Outcome: Equatable {
    /// A request, with its byte count; the parser has its arguments until its next parse.
    case request(byteCount: Int)
    /// An empty line or array, with its byte count; it gets no reply.
    case nothing(byteCount: Int)
    /// The request goes on; it will have at least `byteCount` bytes, as far as it has announced.
    case incomplete(byteCount: Int)
    case failed(ProtocolError)
  }

  private struct Place {
    var start: Int
    var count: Int
  }

  private enum Form { case unknown, array, line }

  /// May be changed between two requests.
  package var limits: RequestLimits
  private var form = Form.unknown
  /// Bytes of the request that have been parsed.
  private var parsed = 0
  /// Arguments of the array that have not been parsed.
  private var missing = 0
  private var places = ContiguousArray<Place>()
  /// The words of a line, without their quotes and behind one another: never more bytes than the line has.
  private var words = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var isOver = true

  package init(limits: RequestLimits = .usual) { self.limits = limits }

  deinit { words.deallocate() }

  /// Whether the request was a line of words.
  package var isLine: Bool { form == .line }

  /// Arguments of the request, the command's name included.
  package var count: Int { places.count }

  /// One argument of a request that was found at the beginning of `input`; valid as long as `input` is, or until the
  /// parser parses again.
  @inline(__always)
  package func argument(_ index: Int, of input: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let place = places[index]
    let range = place.start..<place.start &+ place.count
    return UnsafeRawBufferPointer(rebasing: form == .line ? UnsafeRawBufferPointer(words)[range] : input[range])
  }

  /// Parses what is at the beginning of `input`, which begins where the last request ended, or as the last call's did if
  /// that was incomplete.
  package mutating func parse(_ input: UnsafeRawBufferPointer) -> Outcome {
    if isOver { begin() }
    guard input.count > 0 else { return .incomplete(byteCount: 1) }
    if form == .unknown { form = input[0] == UInt8(ascii: "*") ? .array : .line }
    let outcome = form == .array ? parseArray(input) : parseLine(input)
    if case .incomplete = outcome { return outcome }
    isOver = true
    return outcome
  }

  private mutating func begin() {
    form = .unknown
    (parsed, missing) = (0, 0)
    places.removeAll(keepingCapacity: places.capacity <= 1024)
    isOver = false
  }

  // MARK: - Arrays

  private mutating func parseArray(_ input: UnsafeRawBufferPointer) -> Outcome {
    if parsed == 0 {
      switch Length.read(input, at: 1) {
      case .incomplete: return .incomplete(byteCount: max(4, input.count + 1))
      case .malformed: return .failed(.multibulkLength)
      case .value(let count, let end):
        guard count <= limits.argumentsMax else {
          return .failed(limits.isUnauthenticated ? .unauthenticatedMultibulkLength : .multibulkLength)
        }
        parsed = end
        if count <= 0 { return .nothing(byteCount: end) }
        missing = count
      }
    }
    while missing > 0 {
      guard parsed < input.count else { return .incomplete(byteCount: parsed + 6 * missing) }
      guard input[parsed] == UInt8(ascii: "$") else { return .failed(.expectedBulk(input[parsed])) }
      switch Length.read(input, at: parsed &+ 1) {
      case .incomplete: return .incomplete(byteCount: max(parsed + 6 * missing, input.count + 1))
      case .malformed: return .failed(.bulkLength)
      case .value(let count, let start):
        if let error = refusal(ofBytes: count, at: start) { return .failed(error) }
        let end = start &+ count
        guard input.count &- end >= 2 else { return .incomplete(byteCount: end + 2 + 6 * (missing - 1)) }
        guard input[end] == UInt8(ascii: "\r"), input[end &+ 1] == UInt8(ascii: "\n") else {
          return .failed(.bulkTrailer)
        }
        places.append(Place(start: start, count: count))
        parsed = end &+ 2
        missing &-= 1
      }
    }
    return .request(byteCount: parsed)
  }

  @inline(__always)
  private func refusal(ofBytes count: Int, at start: Int) -> ProtocolError? {
    guard count >= 0, count <= limits.argumentBytesMax else {
      return limits.isUnauthenticated && count >= 0 ? .unauthenticatedBulkLength : .bulkLength
    }
    return start + count + 2 > limits.requestBytesMax ? .requestTooLarge : nil
  }

  // MARK: - Lines

  private mutating func parseLine(_ input: UnsafeRawBufferPointer) -> Outcome {
    guard let end = input[parsed...].firstIndex(of: UInt8(ascii: "\n")) else {
      if input.count > limits.inlineBytesMax { return .failed(.inlineTooLong) }
      parsed = input.count
      return .incomplete(byteCount: parsed + 1)
    }
    guard end <= limits.inlineBytesMax else { return .failed(.inlineTooLong) }
    let hasReturn = end > 0 && input[end - 1] == UInt8(ascii: "\r")
    if words.count < end {
      words.deallocate()
      words = .allocate(byteCount: end, alignment: 1)
    }
    var line = InlineWords(UnsafeRawBufferPointer(rebasing: input[..<(hasReturn ? end - 1 : end)]), into: words)
    while true {
      let start = line.written
      switch line.next() {
      case .word:
        guard places.count < limits.argumentsMax else { return .failed(.multibulkLength) }
        places.append(Place(start: start, count: line.written - start))
      case .end: return places.isEmpty ? .nothing(byteCount: end + 1) : .request(byteCount: end + 1)
      case .unbalanced: return .failed(.unbalancedQuotes)
      }
    }
  }
}

/// A length as RESP has it: decimal digits up to CR LF.
enum Length {
  case value(Int, end: Int)
  case incomplete
  case malformed

  /// Reads one that begins at `start`. Refuses at the first byte that cannot be part of one, so that a sender of rubbish is
  /// not waited for.
  @inline(__always)
  static func read(_ input: UnsafeRawBufferPointer, at start: Int) -> Length {
    var at = start
    guard at < input.count else { return .incomplete }
    let isNegative = input[at] == UInt8(ascii: "-")
    if isNegative { at &+= 1 }
    let first = at
    var value = 0
    while at < input.count {
      let digit = input[at] &- UInt8(ascii: "0")
      if digit > 9 { break }
      // Eighteen digits fit; nobody needs more.
      if at &- first == 18 { return .malformed }
      if at &- first == 1, value == 0 { return .malformed }
      value = value &* 10 &+ Int(digit)
      at &+= 1
    }
    guard at < input.count else { return .incomplete }
    guard at > first, input[at] == UInt8(ascii: "\r"), !(isNegative && value == 0) else { return .malformed }
    guard at &+ 1 < input.count else { return .incomplete }
    guard input[at &+ 1] == UInt8(ascii: "\n") else { return .malformed }
    return .value(isNegative ? -value : value, end: at &+ 2)
  }
}
