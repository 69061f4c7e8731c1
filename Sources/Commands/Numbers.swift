import KVBench

/// Numbers in sentences: commas between thousands, and units that fit.
package enum Numbers {
  /// `12,345`.
  package static func count(_ number: Int) -> String {
    let digits = Array(String(abs(number)))
    let grouped = digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + String(digits[$0]) }
    return (number < 0 ? "-" : "") + grouped.joined()
  }

  package static func count(_ number: UInt64) -> String { count(Int(clamping: number)) }

  /// `1 key`, `12,345 keys`.
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// A part of a whole with one decimal: `16.7 %`.
  package static func percent(_ part: Double) -> String { "\(decimal(part * 100, places: 1)) %" }

  /// `999 B`, `1.5 KiB`.
  package static func bytes(_ bytes: Int) -> String {
    var (value, unit) = (Double(bytes), 0)
    while value >= 1_024, unit < 4 {
      value /= 1_024
      unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\(decimal(value, places: 1)) \(["B", "KiB", "MiB", "GiB", "TiB"][unit])"
  }

  /// `812 ns`, `1.3 ms`.
  package static func time(ns: UInt64) -> String { BenchmarkResult.duration(ns) }

  package static func time(_ duration: Duration) -> String { time(ns: UInt64(max(0, duration / .nanoseconds(1)))) }

  /// With so many decimals, as in `2.05`.
  package static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "?" }
    let scale = (0..<places).reduce(1) { product, _ in product * 10 }
    let units = Int((abs(value) * Double(scale)).rounded())
    let fraction = String(units % scale)
    let padded =
      String(repeating: "0", count: places - (places == 0 ? 0 : fraction.count)) + (places == 0 ? "" : fraction)
    return (value < 0 && units > 0 ? "-" : "") + "\(units / scale)" + (places == 0 ? "" : ".\(padded)")
  }
}
