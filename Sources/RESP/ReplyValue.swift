/// A reply as a client has read it.
package enum ReplyValue: Sendable, Equatable {
  case simple([UInt8])
  /// A code in capitals, a space and words.
  case error([UInt8])
  case integer(Int)
  case bulk([UInt8])
  case null
  case truth(Bool)
  case double(Double)
  /// Digits, perhaps with a sign: more than an integer holds.
  case bigNumber([UInt8])
  /// A text and its format of three letters.
  case verbatim(format: [UInt8], [UInt8])
  case array([ReplyValue])
  case set([ReplyValue])
  /// Keys and values, in the order in which they came.
  case map([Pair])
  /// What nobody asked for.
  case push([ReplyValue])

  package struct Pair: Sendable, Equatable {
    package var key: ReplyValue
    package var value: ReplyValue

    package init(_ key: ReplyValue, _ value: ReplyValue) { (self.key, self.value) = (key, value) }
  }

  /// The bytes of a status, an error or a text.
  package var bytes: [UInt8]? {
    switch self {
    case .simple(let bytes), .error(let bytes), .bulk(let bytes), .verbatim(_, let bytes), .bigNumber(let bytes): bytes
    case .integer, .null, .truth, .double, .array, .set, .map, .push: nil
    }
  }

  /// The same as text.
  package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// The elements of an array, a set or a push; those of a map as keys and values in turn, as RESP2 has it.
  package var elements: [ReplyValue]? {
    switch self {
    case .array(let elements), .set(let elements), .push(let elements): elements
    case .map(let pairs): pairs.flatMap { [$0.key, $0.value] }
    case .simple, .error, .integer, .bulk, .null, .truth, .double, .bigNumber, .verbatim: nil
    }
  }
}
