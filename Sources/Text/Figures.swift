/// Numbers as people read them: the one way in which every face, panel and report writes them.
///
/// Two forms, and when to use which:
/// - ``count(_:)`` is exact, with commas: `12,345`. For things that were counted, in sentences; with their noun by
///   ``count(_:_:plural:)``: `12,345 keys`, `1 key`.
/// - ``short(_:)`` has three digits and a prefix: `81.5 k`. For what was measured (rates), and in columns, where a figure
///   must not change its width. ``bytes(_:)-(Double)`` and ``time(ns:)-(Double)`` are like it.
///
/// An unknown figure, or one that is no number, is ``unknown``. A decimal point, whatever the locale: the rest is English too.
/// Output that programs read (JSON, CSV, `load`'s progress) has plain digits and does not come from here.
///
/// Pure, and in this module because every face imports it and it imports nothing.
package enum Figures {
  /// Stands for a figure that is not known.
  package static let unknown = "—"

  // MARK: - Exact

  /// `12,345`.
  package static func count(_ value: Int) -> String {
    let digits = String(value.magnitude)
    let grouped = digits.enumerated().map { place, digit in
      (place > 0 && (digits.count - place) % 3 == 0 ? "," : "") + String(digit)
    }
    return (value < 0 ? "-" : "") + grouped.joined()
  }

  package static func count(_ value: UInt64) -> String { count(Int(clamping: value)) }

  /// `1 key`, `12,345 keys`; `2 copies` with a plural of its own.
  package static func count(_ value: Int, _ noun: String, plural: String? = nil) -> String {
    "\(count(value)) \(word(value, noun, plural ?? noun + "s"))"
  }

  /// The word for one thing, or for another number of them: `is` and `are`.
  package static func word(_ count: Int, _ one: String, _ several: String) -> String { count == 1 ? one : several }

  /// `node1`, `node1 and node2`, `node1, node2 and node3`.
  package static func list(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) and \(last)"
  }

  // MARK: - Three digits

  /// `999`, `1.23 k`, `45.6 M`. At most 6 columns below 10³⁰.
  package static func short(_ value: Double) -> String {
    scaled(value, base: 1000, units: ["", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"])
  }

  package static func short(_ value: Int) -> String { short(Double(value)) }

  /// A measured rate: tenths where it is small, else as ``short(_:)-(Double)``: `0.5`, `52`, `1.23 k`.
  package static func rate(_ value: Double) -> String {
    abs(value) < 99.95 ? number(value, placesMax: 1) : short(value)
  }

  /// Bytes with an IEC prefix: `999 B`, `1.50 KiB`. At most 8 columns.
  package static func bytes(_ value: Double) -> String {
    scaled(value, base: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
  }

  package static func bytes(_ value: Int) -> String { bytes(Double(value)) }

  /// A time: `812 ns`, `1.25 ms`, `2.00 s`. At most 7 columns below 10,000 s.
  package static func time(ns: Double) -> String {
    // Nobody says kiloseconds.
    if ns >= 999.5e9, ns < 1e24 { return "\(count(Int((ns / 1e9).rounded()))) s" }
    return scaled(ns, base: 1000, units: ["ns", "µs", "ms", "s"])
  }

  package static func time(ns: UInt64) -> String { time(ns: Double(ns)) }

  package static func time(_ duration: Duration) -> String { time(ns: duration / .nanoseconds(1)) }

  /// A moment or a length in seconds, with a fixed count of decimals: `1.250000 s`.
  package static func seconds(ns: UInt64, places: Int) -> String { "\(decimal(Double(ns) / 1e9, places: places)) s" }

  private static func scaled(_ value: Double, base: Double, units: [String]) -> String {
    guard value.isFinite else { return unknown }
    var scaled = abs(value)
    var unit = 0
    // From 999.5 on three digits would round to four: the next unit says it in three.
    while scaled >= 999.5, unit + 1 < units.count {
      scaled /= base
      unit += 1
    }
    guard scaled < 999.5 else { return unknown }
    let places = unit == 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2
    let text = decimal(value < 0 ? -scaled : scaled, places: places)
    return units[unit].isEmpty ? text : "\(text) \(units[unit])"
  }

  /// A time that someone gave, with as few digits as say it: `20 ms`, `0.5 ms`, `1.5 s`.
  package static func given(ns: UInt64) -> String {
    for (unit, name) in [(1e9, "s"), (1e6, "ms"), (1e3, "µs")] where Double(ns) >= unit {
      return "\(number(Double(ns) / unit, placesMax: 3)) \(name)"
    }
    return "\(ns) ns"
  }

  /// A size that someone gave, with as few digits as say it: `64 MiB`, `1.5 KiB`, `100 B`.
  package static func given(bytes: Int) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    for (unit, name) in units where bytes >= unit {
      return "\(number(Double(bytes) / Double(unit), placesMax: 2)) \(name)"
    }
    return "\(bytes) B"
  }

  /// A part that someone gave in thousandths: `30 %`, `0.5 %`.
  package static func given(perMille: Int) -> String { "\(number(Double(perMille) / 10, placesMax: 1)) %" }

  /// ``short(_:)-(Double)`` with as few digits as say it, for the labels of a scale: `60 k`, `7.5 k`.
  package static func shortest(_ value: Double) -> String {
    let text = short(value)
    guard let blank = text.firstIndex(of: " "), let number = Double(text[..<blank]) else { return text }
    return Figures.number(number, placesMax: 2) + text[blank...]
  }

  // MARK: - Parts

  /// A part of a whole as a whole percentage: `41 %`. Below all and above nothing it says neither 100 nor 0.
  package static func percent(_ fraction: Double) -> String {
    guard fraction.isFinite, abs(fraction) < 1e13 else { return unknown }
    let rounded = Int((fraction * 100).rounded())
    if fraction > 0, rounded == 0 { return "1 %" }
    if fraction < 1, rounded >= 100 { return "99 %" }
    return "\(rounded) %"
  }

  /// A part of a whole with one decimal: `19.8 %`.
  package static func precisePercent(_ fraction: Double) -> String {
    let text = decimal(fraction * 100, places: 1)
    return text == unknown ? text : "\(text) %"
  }

  // MARK: - Long times

  /// A duration in its two greatest units: `8 s`, `3 m 12 s`, `2 d 4 h`.
  package static func duration(seconds: Double) -> String {
    guard !seconds.isNaN else { return unknown }
    let total = Int(min(max(0, seconds), 1e9))
    let (days, hours, minutes, rest) = (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60)
    if days > 0 { return "\(days) d \(hours) h" }
    if hours > 0 { return "\(hours) h \(minutes) m" }
    return minutes > 0 ? "\(minutes) m \(rest) s" : "\(rest) s"
  }

  /// A moment since the start as a clock shows it: `02:05`, `1:02:05`.
  package static func clock(seconds: Double) -> String {
    guard !seconds.isNaN else { return unknown }
    let total = Int(min(max(0, seconds), 1e9))
    let tail = "\(twoDigits(total / 60 % 60)):\(twoDigits(total % 60))"
    return total < 3600 ? tail : "\(total / 3600):\(tail)"
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  // MARK: - Decimals

  /// A number with a fixed count of decimals, rounded half away from zero: `2.05`.
  package static func decimal(_ value: Double, places: Int) -> String {
    let scale = (0..<places).reduce(1) { product, _ in product * 10 }
    guard value.isFinite, abs(value) * Double(scale) < 9e18 else { return unknown }
    let units = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % scale)
    return "\(sign)\(units / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }

  /// The same with as few decimals as say it: `2`, `2.5`, `2.05`.
  package static func number(_ value: Double, placesMax: Int) -> String {
    var text = decimal(value, places: placesMax)[...]
    guard text.contains(".") else { return String(text) }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return String(text)
  }

  /// How many times as much: `×1.25`.
  package static func factor(_ value: Double, placesMax: Int) -> String {
    value.isFinite && abs(value) < 1e12 ? "×\(number(value, placesMax: placesMax))" : unknown
  }
}
