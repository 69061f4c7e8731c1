/// How many bytes the values have.
package enum ValueSizes: Sendable, Equatable {
  case fixed(Int)
  case uniform(ClosedRange<Int>)
  /// The smallest most often.
  case zipfian(ClosedRange<Int>)

  /// The most a value may have: the engine's limit.
  package static let bytesMax = 64 << 20

  /// Reads `100`, `uniform:1-1000` or `zipfian:1-1000`.
  package init?(_ text: String) {
    if let bytes = Int(text), bytes >= 0 {
      self = .fixed(bytes)
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1)
    let bounds =
      parts.last.map { $0.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).compactMap { Int($0) } }
      ?? []
    guard parts.count == 2, bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1] else { return nil }
    switch parts[0] {
    case "uniform": self = .uniform(bounds[0]...bounds[1])
    case "zipfian": self = .zipfian(bounds[0]...bounds[1])
    default: return nil
    }
  }

  package var text: String {
    switch self {
    case .fixed(let bytes): "\(bytes)"
    case .uniform(let range): "uniform:\(range.lowerBound)-\(range.upperBound)"
    case .zipfian(let range): "zipfian:\(range.lowerBound)-\(range.upperBound)"
    }
  }

  /// The size with its unit: `1 byte`, `uniform:1-100 bytes`.
  package var words: String { self == .fixed(1) ? "1 byte" : "\(text) bytes" }

  package var most: Int {
    switch self {
    case .fixed(let bytes): bytes
    case .uniform(let range), .zipfian(let range): range.upperBound
    }
  }
}

/// Draws the sizes of values for one caller.
struct ValueSizer {
  private let sizes: ValueSizes
  private var zipfian: Zipfian

  init(_ sizes: ValueSizes) {
    self.sizes = sizes
    zipfian =
      if case .zipfian(let range) = sizes { Zipfian(count: UInt64(range.count)) } else { Zipfian(count: 1, zeta: 1) }
  }

  @inline(__always)
  mutating func next(_ random: inout BenchmarkRandom) -> Int {
    switch sizes {
    case .fixed(let bytes): bytes
    case .uniform(let range): range.lowerBound + Int(random.next(below: UInt64(range.count)))
    case .zipfian(let range): range.lowerBound + Int(zipfian.next(&random))
    }
  }
}
