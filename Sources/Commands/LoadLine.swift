import ClusterModel

/// One line of a file to load: `key<TAB>value`, bytes taken literally. Further tabs belong to the value.
struct LoadLine: Equatable {
  var key: [UInt8]
  var value: [UInt8]

  /// Why a line cannot be stored.
  enum Fault: Error, Equatable {
    case noTab
    case emptyKey
    case keyTooLong(byteCount: Int, allowed: Int)
    case valueTooLong(allowed: Int)
  }

  /// How long keys and values may be.
  struct Limits: Sendable, Equatable {
    var keyBytesMax = 65_535
    var valueBytesMax = 64 << 20

    /// Longer lines hold no key and value within the limits.
    var lineBytesMax: Int { keyBytesMax + 1 + valueBytesMax }
  }
}

extension LoadLine {
  init(_ line: LineReader.Line, _ limits: Limits = Limits()) throws(Fault) {
    guard case .bytes(let bytes) = line else { throw .valueTooLong(allowed: limits.valueBytesMax) }
    guard let tab = bytes.firstIndex(of: Ascii.tab) else { throw .noTab }
    guard tab > 0 else { throw .emptyKey }
    guard tab <= limits.keyBytesMax else { throw .keyTooLong(byteCount: tab, allowed: limits.keyBytesMax) }
    guard bytes.count - tab - 1 <= limits.valueBytesMax else { throw .valueTooLong(allowed: limits.valueBytesMax) }
    key = Array(bytes[..<tab])
    value = Array(bytes[(tab + 1)...])
  }
}

extension LoadLine.Limits {
  init(_ capabilities: Capabilities) {
    self.init(keyBytesMax: capabilities.keyBytesMax, valueBytesMax: capabilities.valueBytesMax)
  }
}
