import KVCluster
import RESP

/// Times, and conditions on them, in the arguments of commands.
enum ExpiryArguments {
  /// How a command gives a time.
  enum Unit {
    case seconds, milliseconds, unixSeconds, unixMilliseconds

    /// `EX`, `PX`, `EXAT` and `PXAT` of `SET` and `GETEX`.
    init?(word: String) {
      switch word {
      case "EX": self = .seconds
      case "PX": self = .milliseconds
      case "EXAT": self = .unixSeconds
      case "PXAT": self = .unixMilliseconds
      default: return nil
      }
    }
  }

  /// - Parameter mayHavePassed: such a time deletes the key; otherwise it is an error.
  static func time(
    _ bytes: [UInt8], _ unit: Unit, of command: String, mayHavePassed: Bool = false
  ) throws(ScanOptions.Wrong) -> ExpiryTime {
    guard let number = Integer.parse(bytes) else { throw ScanOptions.Wrong(text: ErrorReply.notAnInteger) }
    let isInSeconds = unit == .seconds || unit == .unixSeconds
    let (milliseconds, isTooLarge) = number.multipliedReportingOverflow(by: isInSeconds ? 1_000 : 1)
    guard !isTooLarge, mayHavePassed || number > 0 else {
      throw ScanOptions.Wrong(text: "ERR invalid expire time in '\(command)' command")
    }
    switch unit {
    case .unixSeconds, .unixMilliseconds: return .at(unixMilliseconds: Int64(milliseconds))
    // The beginning of time has passed.
    case .seconds, .milliseconds:
      return milliseconds > 0 ? .after(milliseconds: Int64(milliseconds)) : .at(unixMilliseconds: 0)
    }
  }

  /// `NX`, `XX`, `GT` and `LT` of `EXPIRE`. A key that does not expire counts as one that does so at the end of time.
  struct Condition {
    private var isNew = false
    private var isOld = false
    private var isLater = false
    private var isEarlier = false

    init(_ words: ArraySlice<[UInt8]>) throws(ScanOptions.Wrong) {
      for word in words {
        switch String(decoding: word, as: UTF8.self).uppercased() {
        case "NX": isNew = true
        case "XX": isOld = true
        case "GT": isLater = true
        case "LT": isEarlier = true
        default: throw ScanOptions.Wrong(text: "ERR Unsupported option \(String(decoding: word, as: UTF8.self))")
        }
      }
      if isNew, isOld || isLater || isEarlier {
        throw ScanOptions.Wrong(text: "ERR NX and XX, GT or LT options at the same time are not compatible")
      }
      if isLater, isEarlier {
        throw ScanOptions.Wrong(text: "ERR GT and LT options at the same time are not compatible")
      }
    }

    /// Whether a key that expires at `old` may expire at `new` instead.
    func allows(_ new: UInt64, insteadOf old: UInt64?) -> Bool {
      if isNew, old != nil { return false }
      if isOld, old == nil { return false }
      if isLater { return old.map { new > $0 } ?? false }
      if isEarlier { return old.map { new < $0 } ?? true }
      return true
    }
  }
}
