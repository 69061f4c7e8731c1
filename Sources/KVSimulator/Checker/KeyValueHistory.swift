/// A log of get, put and append over several keys, one EDN map a line.
///
/// ```
/// {:process 0, :type :invoke, :f :append, :key "4", :value "x 0 1 y"}
/// {:process 0, :type :ok, :f :append, :key "4", :value "x 0 1 y"}
/// ```
/// `:type` is `:invoke`, `:ok`, `:fail` or `:info`; `:f` is `:get`, `:put`, `:append` or `:delete`. A get is invoked
/// with the value `nil`. A key that nobody wrote reads as the empty string, so absent and empty are the same here.
package enum KeyValueHistory {
  static func parse(_ lines: [RecordedLine]) throws(HistoryFormatError) -> History {
    var pairing = EventPairing()
    for line in lines {
      guard let event = try Event(line) else { continue }
      if event.kind == .invoke {
        try pairing.invoke(event.process, key: event.key, event.call(line), line)
      } else {
        let call = try pairing.call(of: event.process, key: event.key, line)
        pairing.end(event.process, try event.outcome(of: call, line), line)
      }
    }
    return History(pairing.finish(), initialContents: [[]])
  }

  private struct Event {
    var process: Int
    var kind: EventPairing.Kind
    var function: String
    var key: [UInt8]
    var value: [UInt8]

    /// `nil` for what the tester itself did, whose process is a keyword such as `:nemesis`.
    init?(_ line: RecordedLine) throws(HistoryFormatError) {
      var map = EDNMap(line)
      try map.parse()
      if case .word(let process) = map[":process"], process.hasPrefix(":") { return nil }
      guard case .number(let process) = map[":process"] else { throw line.error(":process is missing or no number") }
      guard case .word(let type) = map[":type"], let kind = EventPairing.Kind(rawValue: String(type.dropFirst())) else {
        throw line.error(":type is none of :invoke, :ok, :fail, :info")
      }
      guard case .word(let function) = map[":f"] else { throw line.error(":f is missing") }
      guard case .string(let key) = map[":key"] else { throw line.error(":key is missing or no string") }
      switch map[":value"] {
      case .string(let bytes): value = bytes
      case .word("nil"), .word(":timed-out"), .none: value = []
      case .word, .number: throw line.error(":value is neither a string nor nil")
      }
      self.process = process
      self.kind = kind
      self.function = function
      self.key = key
    }

    func call(_ line: RecordedLine) throws(HistoryFormatError) -> History.Call {
      switch function {
      case ":get": .get
      case ":put": .put(value)
      case ":append": .append(value)
      case ":delete": .put([])
      default: throw line.error("\(function) is none of :get, :put, :append, :delete")
      }
    }

    func outcome(of call: History.Call, _ line: RecordedLine) throws(HistoryFormatError) -> History.Outcome? {
      let answered = try self.call(line)
      switch (kind, call) {
      case (.info, _): return .unknown
      case (.fail, _): return nil
      case (_, .get) where answered == .get: return .found(value)
      case (_, _) where answered == call: return .done
      default: throw line.error("this is no answer to what process \(process) asked for")
      }
    }
  }
}

/// One line's map, as far as these logs need EDN: keywords to keywords, `nil`, integers and strings.
private struct EDNMap {
  enum Value: Equatable {
    case number(Int)
    case string([UInt8])
    /// A keyword with its colon, or a symbol such as `nil`.
    case word(String)
  }

  private let line: RecordedLine
  private let bytes: [UInt8]
  private var position = 0
  private var pairs: [(keyword: String, value: Value)] = []

  init(_ line: RecordedLine) {
    self.line = line
    bytes = line.bytes
  }

  subscript(keyword: String) -> Value? {
    pairs.first { $0.keyword == keyword }?.value
  }

  mutating func parse() throws(HistoryFormatError) {
    guard peek() == UInt8(ascii: "{") else { throw line.error("expected a map in braces") }
    position += 1
    while let byte = peek(), byte != UInt8(ascii: "}") {
      guard case .word(let keyword) = try value(), keyword.hasPrefix(":") else {
        throw line.error("expected a keyword at column \(position)")
      }
      guard self[keyword] == nil else { throw line.error("\(keyword) occurs twice") }
      pairs.append((keyword, try value()))
    }
    guard peek() != nil else { throw line.error("the closing brace is missing") }
    position += 1
    guard peek() == nil else { throw line.error("something follows the closing brace") }
  }

  /// The next byte that is no space; commas are spaces in EDN.
  private mutating func peek() -> UInt8? {
    while position < bytes.count, " ,\t\r".utf8.contains(bytes[position]) { position += 1 }
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func value() throws(HistoryFormatError) -> Value {
    guard let first = peek() else { throw line.error("the line ends too early") }
    if first == UInt8(ascii: "\"") { return .string(try string()) }
    let start = position
    while position < bytes.count, !" ,\t\r{}\"".utf8.contains(bytes[position]) { position += 1 }
    guard position > start else { throw line.error("unexpected \(UnicodeScalar(first)) at column \(position + 1)") }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    return Int(word).map(Value.number) ?? .word(word)
  }

  private mutating func string() throws(HistoryFormatError) -> [UInt8] {
    position += 1
    var result: [UInt8] = []
    while position < bytes.count {
      var byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return result }
      if byte == UInt8(ascii: "\\"), position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "n"): byte = UInt8(ascii: "\n")
        case UInt8(ascii: "t"): byte = UInt8(ascii: "\t")
        case UInt8(ascii: "r"): byte = UInt8(ascii: "\r")
        case UInt8(ascii: "b"): byte = 8
        case UInt8(ascii: "f"): byte = 12
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte = bytes[position]
        case UInt8(ascii: "u"):
          result += try unit()
          continue
        default: throw line.error("unknown escape at column \(position)")
        }
        position += 1
      }
      result.append(byte)
    }
    throw line.error("the closing quotation mark is missing")
  }

  /// The character of four hexadecimal digits, behind the `u`.
  private mutating func unit() throws(HistoryFormatError) -> [UInt8] {
    let digits = String(decoding: bytes[position...].dropFirst().prefix(4), as: UTF8.self)
    guard digits.count == 4, let number = UInt32(digits, radix: 16), let scalar = UnicodeScalar(number) else {
      throw line.error("\\u\(digits) at column \(position) is no character")
    }
    position += 5
    return Array(String(scalar).utf8)
  }
}
