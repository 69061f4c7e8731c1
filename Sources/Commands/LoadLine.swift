import KVCluster

/// One line of a file to load: `key<TAB>value`, bytes taken literally. Further tabs belong to the value.
struct LoadLine: Equatable {
  var key: [UInt8]
  var value: [UInt8]

  /// Why a line cannot be stored.
  enum Fault: Error, Equatable, CustomStringConvertible {
    case noTab
    case emptyKey
    case keyTooLong(byteCount: Int)
    case valueTooLong

    var description: String {
      switch self {
      case .noTab: "no tab between key and value"
      case .emptyKey: "the key is empty"
      case .keyTooLong(let byteCount): "the key has \(byteCount) bytes, \(Limits.keyBytesMax) are allowed"
      case .valueTooLong: "the value has more than \(Limits.valueBytesMax) bytes"
      }
    }
  }

  /// Longer lines hold no key and value within the limits.
  static let byteCountMax = Limits.keyBytesMax + 1 + Limits.valueBytesMax
}

extension LoadLine {
  init(_ line: LineReader.Line) throws(Fault) {
    guard case .bytes(let bytes) = line else { throw .valueTooLong }
    guard let tab = bytes.firstIndex(of: Ascii.tab) else { throw .noTab }
    guard tab > 0 else { throw .emptyKey }
    guard tab <= Limits.keyBytesMax else { throw .keyTooLong(byteCount: tab) }
    guard bytes.count - tab - 1 <= Limits.valueBytesMax else { throw .valueTooLong }
    key = Array(bytes[..<tab])
    value = Array(bytes[(tab + 1)...])
  }
}
