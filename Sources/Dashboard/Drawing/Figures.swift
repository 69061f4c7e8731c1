/// Numbers as people read them, in as many columns each time as the greatest needs, so that nothing jumps.
package enum Figures {
  /// A count with an SI prefix and three digits: `999`, `1.23 k`, `45.6 M`. At most 6 columns.
  package static func count(_ value: Double) -> String {
    scaled(value, base: 1000, units: ["", "k", "M", "G", "T", "P", "E"])
  }

  package static func count(_ value: Int) -> String { count(Double(value)) }

  /// A count of things: `1 key`, `45.6 k keys`.
  package static func count(_ value: Int, _ noun: String) -> String {
    "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  /// Bytes with an IEC prefix and three digits: `999 B`, `1.50 KiB`. At most 8 columns.
  package static func bytes(_ value: Double) -> String {
    scaled(value, base: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
  }

  package static func bytes(_ value: Int) -> String { bytes(Double(value)) }

  /// A short time with an SI prefix and three digits: `812 ns`, `1.25 ms`, `2.00 s`. At most 7 columns.
  package static func time(ns: Double) -> String {
    if ns >= 999.5e6 { return decimal(ns / 1e9, places: ns >= 9.995e9 ? 1 : 2) + " s" }
    return scaled(ns, base: 1000, units: ["ns", "µs", "ms"])
  }

  /// A part of a whole as a whole percentage: `41 %`. Below all and above nothing it says neither 100 nor 0.
  package static func percent(_ fraction: Double) -> String {
    let rounded = Int((fraction * 100).rounded())
    if fraction > 0, rounded == 0 { return "1 %" }
    if fraction < 1, rounded >= 100 { return "99 %" }
    return "\(rounded) %"
  }

  /// A part of a whole with one decimal: `19.8 %`.
  package static func precisePercent(_ fraction: Double) -> String { decimal(fraction * 100, places: 1) + " %" }

  /// A duration in its two greatest units: `8 s`, `3 m 12 s`, `2 d 4 h`.
  package static func duration(seconds: Double) -> String {
    let total = Int(Swift.min(Swift.max(0, seconds), 1e9))
    let (days, hours, minutes, rest) = (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60)
    if days > 0 { return "\(days) d \(hours) h" }
    if hours > 0 { return "\(hours) h \(minutes) m" }
    return minutes > 0 ? "\(minutes) m \(rest) s" : "\(rest) s"
  }

  /// A moment since the start as a clock shows it: `02:05`, `1:02:05`.
  package static func clock(seconds: Double) -> String {
    let total = Int(Swift.min(Swift.max(0, seconds), 1e9))
    let tail = "\(twoDigits(total / 60 % 60)):\(twoDigits(total % 60))"
    return total < 3600 ? tail : "\(total / 3600):\(tail)"
  }

  /// A number with a fixed count of decimals, rounded half up; not a locale's, since the rest is English too.
  package static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "?" }
    let scale = (0..<places).reduce(1) { product, _ in product * 10 }
    let units = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % scale)
    return "\(sign)\(units / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }

  private static func scaled(_ value: Double, base: Double, units: [String]) -> String {
    guard value.isFinite, value >= 0 else { return "?" }
    var scaled = value
    var unit = 0
    // From 999.5 on three digits would round to four: the next unit says it in three.
    while scaled >= 999.5, unit + 1 < units.count {
      scaled /= base
      unit += 1
    }
    let places = unit == 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2
    return decimal(scaled, places: places) + (units[unit].isEmpty ? "" : " " + units[unit])
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
