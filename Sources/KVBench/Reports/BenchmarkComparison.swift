import FoundationEssentials
import Text

/// One run as a file has it: what `kvstore bench --json` wrote, or a driver of a peer, which says less.
package struct RecordedRun: Decodable, Sendable {
  struct Second: Decodable, Sendable {
    var startNs: UInt64
    var endNs: UInt64
    var reads: Int
    var writes: Int
    var modifies: Int
    var latencyNs: [String: UInt64]?

    /// `nil` if it is too short to have a rate, or the figures are none of a second.
    var operationsPerSecond: Double? {
      let counts = [reads, writes, modifies].map(Double.init)
      guard endNs > startNs, endNs - startNs >= 900_000_000, counts.allSatisfy({ $0 >= 0 }) else { return nil }
      return counts.reduce(0, +) / (Double(endNs - startNs) / 1e9)
    }
  }

  var workload: String?
  var keys: Int?
  var valueSizes: String?
  var distribution: String?
  var clients: Int?
  var threads: Int?
  var rate: Double?
  var fsync: String?
  var replicas: Int?
  var opsPerSecond: Double
  /// `nil` if nothing was timed.
  var latencyNs: [String: UInt64]?
  var seconds: [Second]?

  /// Reads a file's runs, one JSON object a line.
  /// - Throws: ``ComparisonError``, which says what is wrong with which line.
  package static func read(_ text: String, named name: String) throws(ComparisonError) -> [RecordedRun] {
    var runs: [RecordedRun] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where line.contains(where: { !$0.isWhitespace }) {
      let run: RecordedRun
      do {
        run = try JSONDecoder().decode(RecordedRun.self, from: Data(line.utf8))
      } catch {
        throw ComparisonError(description: "\(name), line \(index + 1): no result of kvstore bench --json")
      }
      if let problem = run.problem { throw ComparisonError(description: "\(name), line \(index + 1): \(problem)") }
      runs.append(run)
    }
    if runs.isEmpty { throw ComparisonError(description: "\(name) holds no result") }
    return runs
  }

  /// Beyond any machine, and exact in every number here; in latencies it is eleven days.
  private static let figureMax = 1e15

  /// A figure that cannot be one, in words.
  private var problem: String? {
    if !(0...Self.figureMax).contains(opsPerSecond) {
      return "opsPerSecond is \(opsPerSecond), which no run measures"
    }
    let latencies = [latencyNs ?? [:]] + (seconds ?? []).map { $0.latencyNs ?? [:] }
    for (name, ns) in latencies.flatMap({ $0 }).sorted(by: { $0.key < $1.key }) where Double(ns) > Self.figureMax {
      return "the latency \(name.prefix(32)) is \(ns) ns, which no run measures"
    }
    return nil
  }

  /// What was run, by name, as far as it is said.
  var conditions: [(name: String, value: String)] {
    [
      ("workload", workload), ("keys", keys.map(String.init)), ("values", valueSizes), ("distribution", distribution),
      ("clients", clients.map(String.init)), ("threads", threads.map(String.init)),
      ("rate", rate.map(BenchmarkResult.number)), ("fsync", fsync), ("replicas", replicas.map(String.init)),
    ].compactMap { name, value in value.map { (name, $0) } }
  }
}

package struct ComparisonError: Error, CustomStringConvertible {
  package let description: String
}

/// Two sets of runs side by side.
///
/// Each figure is a median with the least and the greatest: of the runs, or, if there is one only, of its seconds. The
/// ratio is B's median to A's. Its range: run by run if there are as many of both and more than one, since runs taken in
/// turn share the machine's mood; else the least it can be, B's least to A's greatest, and the most.
package struct BenchmarkComparison: Sendable {
  package struct Row: Sendable, Equatable {
    package var name: String
    package var a: Spread
    package var b: Spread
    /// `nil` if a figure of A is 0, of which nothing is a multiple.
    package var ratio: Spread?
  }

  /// A median and its bounds.
  package struct Spread: Sendable, Equatable {
    package var min: Double
    package var median: Double
    package var max: Double

    /// - Precondition: there is a value.
    init(_ values: [Double]) {
      let sorted = values.sorted()
      let middle = sorted.count / 2
      (min, max) = (sorted[0], sorted[sorted.count - 1])
      median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    init(min: Double, median: Double, max: Double) {
      (self.min, self.median, self.max) = (min, median, max)
    }
  }

  package private(set) var rows: [Row] = []
  /// What differs between the two in what was run.
  package private(set) var differences: [String] = []

  package init(_ a: [RecordedRun], _ b: [RecordedRun]) {
    rows.append(Self.row("ops/s", a, b, \.opsPerSecond) { $0.operationsPerSecond })
    for percentile in ["p50", "p95", "p99", "p99.9", "max"]
    where (a + b).allSatisfy({ ($0.latencyNs?[percentile] ?? 0) > 0 }) {
      rows.append(
        Self.row(percentile, a, b, { Double($0.latencyNs?[percentile] ?? 0) }) {
          $0.latencyNs?[percentile].map(Double.init)
        })
    }
    for (name, value) in a[0].conditions {
      if let other = b[0].conditions.first(where: { $0.name == name })?.value, other != value {
        differences.append("\(name): \(value) and \(other)")
      }
    }
  }

  private static func row(
    _ name: String, _ a: [RecordedRun], _ b: [RecordedRun], _ figure: (RecordedRun) -> Double,
    _ ofSecond: (RecordedRun.Second) -> Double?
  ) -> Row {
    let (valuesA, valuesB) = (a.map(figure), b.map(figure))
    let (spreadA, spreadB) = (spread(valuesA, a, ofSecond), spread(valuesB, b, ofSecond))
    guard spreadA.min > 0 else { return Row(name: name, a: spreadA, b: spreadB, ratio: nil) }
    let medians = spreadB.median / spreadA.median
    let ratio =
      valuesA.count == valuesB.count && valuesA.count > 1
      ? Spread(zip(valuesA, valuesB).map { $1 / $0 })
      : Spread(min: spreadB.min / spreadA.max, median: medians, max: spreadB.max / spreadA.min)
    return Row(name: name, a: spreadA, b: spreadB, ratio: ratio)
  }

  /// Of several runs their own; of one that of its seconds, but for those that were cut short.
  private static func spread(
    _ values: [Double], _ runs: [RecordedRun], _ ofSecond: (RecordedRun.Second) -> Double?
  ) -> Spread {
    guard values.count == 1 else { return Spread(values) }
    let whole = (runs[0].seconds ?? []).filter { $0.operationsPerSecond != nil }
    let parts = Spread(whole.compactMap(ofSecond) + values)
    return Spread(min: parts.min, median: values[0], max: parts.max)
  }

  /// A few lines for people.
  package func table(_ a: String, _ b: String) -> String {
    var lines = ["A: \(a)", "B: \(b)"]
    if !differences.isEmpty { lines.append("They differ in \(differences.joined(separator: "; "))") }
    let cells = rows.map { row in
      let isRate = row.name == "ops/s"
      let form = { (value: Double) in
        isRate ? Figures.rate(value) : Figures.time(ns: value)
      }
      let ratio = row.ratio.map { Self.text($0) { Figures.factor($0, placesMax: 3) } }
      return [row.name, Self.text(row.a, form), Self.text(row.b, form), ratio ?? Figures.unknown]
    }
    let all = [["", "A", "B", "B / A"]] + cells
    let widths = (0..<4).map { column in all.map { $0[column].count }.max() ?? 0 }
    lines += all.map { row in
      row.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
        .joined(separator: "  ").trimmedAtEnd
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func text(_ spread: Spread, _ form: (Double) -> String) -> String {
    spread.min == spread.max
      ? form(spread.median) : "\(form(spread.median)) [\(form(spread.min)) – \(form(spread.max))]"
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    var rest = self[...]
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
