/// How a benchmark's key numbers become keys, all of one length.
package enum KeyNames: Sendable, Equatable {
  /// A prefix and the number, padded with zeros.
  case decimal(prefix: [UInt8], digits: Int)
  /// `user` and the number's hash in 19 digits: YCSB's names in the order it calls `hashed`.
  case ycsb(prefix: [UInt8])

  static let ycsbWord = Array("user".utf8)
  private static let hashDigits = 19

  package var byteCount: Int {
    switch self {
    case .decimal(let prefix, let digits): prefix.count + digits
    case .ycsb(let prefix): prefix.count + KeyNames.ycsbWord.count + KeyNames.hashDigits
    }
  }

  /// How many keys these names can tell apart.
  var countMax: Int {
    guard case .decimal(_, let digits) = self, digits < 19 else { return .max }
    return (0..<digits).reduce(1) { product, _ in product * 10 }
  }

  /// A key's bytes but for the number, which ``KeyWriter/write(_:into:)`` fills in.
  func template() -> [UInt8] {
    switch self {
    case .decimal(let prefix, let digits): prefix + [UInt8](repeating: UInt8(ascii: "0"), count: digits)
    case .ycsb(let prefix):
      prefix + KeyNames.ycsbWord + [UInt8](repeating: UInt8(ascii: "0"), count: KeyNames.hashDigits)
    }
  }

  /// What fills in the number.
  var writer: KeyWriter {
    switch self {
    case .decimal(_, let digits): KeyWriter(digits: digits, isHashed: false)
    case .ycsb: KeyWriter(digits: KeyNames.hashDigits, isHashed: true)
    }
  }

  func key(_ n: UInt64) -> [UInt8] {
    var key = template()
    key.withUnsafeMutableBytes { writer.write(n, into: $0) }
    return key
  }
}

/// Writes keys' numbers. Apart from ``KeyNames``, whose prefix would be retained and released for every operation.
struct KeyWriter {
  let digits: Int
  let isHashed: Bool

  /// Writes key number `n` into a template.
  @inline(__always)
  func write(_ n: UInt64, into buffer: UnsafeMutableRawBufferPointer) {
    var rest = isHashed ? FNV.hash(n) : n
    for i in stride(from: buffer.count - 1, through: buffer.count - digits, by: -1) {
      buffer[i] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}
