import Foundation
import FoundationXML
import KVCluster
import Testing

@testable import KVBench

/// Files that a run leaves behind.
@Suite struct ReportTests {
  /// A run of three seconds with a mark, made of figures that are easy to find again.
  private func result(rate: Double? = nil) -> BenchmarkResult {
    var plan = BenchmarkPlan(workload: .ycsbA, keys: 1_000)
    plan.rate = rate
    var set = LatencySet()
    for i in 1...1_000 as ClosedRange<UInt64> {
      set.reads.record(i * 1_000)
      set.writes.record(i * 2_000)
    }
    let memory = ProcessMemory(residentBytes: 1, anonymousBytes: 1)
    let status = ClusterStatus(
      uptimeNs: 0, phase: .serving, epoch: 1, quorum: QuorumSettings(), fsync: .always, dataFolder: "/",
      isEphemeral: true, nodes: [], ring: RingStatus(), change: nil, operations: OperationCounters.zero)
    let seconds = (0..<3).map { number in
      BenchmarkSecond(
        startNs: UInt64(number) * 1_000_000_000, endNs: UInt64(number + 1) * 1_000_000_000,
        counts: OperationCounts(reads: 500 * (number + 1), writes: 500),
        latency: LatencyFigures(p50: 1_000, p95: 2_000, p99: 3_000, p999: 4_000, max: 5_000),
        nodes: [NodeOperations(node: "node1", operations: 750), NodeOperations(node: "node<2>", operations: 250)])
    }
    return BenchmarkResult(
      plan: plan, fsync: .always, replicas: 3, operations: 4_500, elapsedNs: 3_000_000_000, latencies: set.all,
      footprint: BenchmarkFootprint(status, memoryAtStart: memory),
      counts: OperationCounts(reads: 3_000, writes: 1_500), latencySet: set, seconds: seconds,
      marks: [BenchmarkMark(atNs: 1_500_000_000, kind: .kill, text: "node<2> was \"killed\"\n")])
  }

  @Test("The page is whole: nothing outside it, every tag closed, every word escaped")
  func isWhole() throws {
    let page = HTMLReport(result()).page
    for outside in ["src=", "href=", "url(", "<script", "@import", "http"] {
      #expect(!page.contains(outside), "\(outside)")
    }
    #expect(!page.contains("node<2>") && page.contains("node&lt;2&gt; 25"))
    for tag in ["html", "svg", "figure", "table", "ol", "main", "section"] {
      #expect(
        page.components(separatedBy: "<\(tag)").count == page.components(separatedBy: "</\(tag)>").count, "\(tag)")
    }
    let body = try #require(page.range(of: "<main>").map { page[$0.lowerBound...] })
    let main = try #require(body.range(of: "</main>").map { body[..<$0.upperBound] })
    // XML is stricter than HTML: what is well-formed is well nested.
    let parser = XMLParser(data: Data(main.utf8))
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
  }

  @Test("The page has throughput and latency over time, percentiles, nodes' shares, and the marks")
  func hasCharts() {
    let page = HTMLReport(result()).page
    for title in ["Throughput", "Latency", "Latency by percentile", "Requests each node serves"] {
      #expect(page.contains("<strong>\(title)"))
    }
    #expect(page.contains("1.50 k") && page.contains("1.00 k to 2.00 k by second"))
    #expect(page.contains("<li>at 1.50 s: node&lt;2&gt; was &quot;killed&quot;"))
    // Two charts over time and the nodes' carry the mark.
    #expect(page.components(separatedBy: "<circle class=\"mark\"").count == 4)
    #expect(page.contains("node1 75 %"))
    #expect(page.contains("Closed loop"))
    #expect(HTMLReport(result(rate: 100)).page.contains("Open loop"))
  }

  @Test("A run without seconds, as of opening a folder, has a page too")
  func reportsOpenings() {
    var short = result()
    (short.seconds, short.marks, short.counts, short.latencySet) = ([], [], OperationCounts(), LatencySet())
    let page = HTMLReport(short).page
    #expect(page.contains("in 3.00 s") && !page.contains("nan") && !page.contains("inf"))
  }

  @Test("The JSON is one line that a parser and the comparison read back")
  func readsBack() throws {
    let json = result().json
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let page = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Sources/KVBench/KVBench.docc/KVBench.md"), encoding: .utf8)
    for member in object.keys { #expect(page.contains("`\(member)`"), "KVBench.md explains no \(member)") }
    let marks = try #require(object["marks"] as? [[String: Any]])
    #expect(marks.first?["text"] as? String == "node<2> was \"killed\"\n")
    #expect((object["nodes"] as? [String: Int]) == ["node1": 2_250, "node<2>": 750])
    let kinds = try #require(object["kinds"] as? [String: [String: Any]])
    #expect(kinds["read"]?["operations"] as? Int == 3_000)
    let runs = try RecordedRun.read(json + "\n" + json, named: "x")
    #expect(runs.count == 2 && runs[1].opsPerSecond == 1_500)
  }

  @Test("The CSV has a row a second")
  func writesCSV() {
    let rows = result().secondsCSV.split(separator: "\n")
    #expect(rows[0] == "end_s,reads,writes,modifies,failures,p50_ns,p95_ns,p99_ns,p99.9_ns,max_ns")
    #expect(rows[2] == "2.0,1000,500,0,0,1000,2000,3000,4000,5000")
    #expect(rows.count == 4)
  }

  private func runs(_ rates: [Double], clients: Int = 1) throws -> [RecordedRun] {
    try RecordedRun.read(
      rates.map {
        "{\"opsPerSecond\": \($0), \"clients\": \(clients), \"latencyNs\": {\"p50\": \($0 * 10), \"p99\": 5000}}"
      }.joined(separator: "\n"), named: "runs")
  }

  @Test("Several runs are compared in turn: median, least and greatest of each side and of the ratio")
  func comparesRuns() throws {
    let comparison = BenchmarkComparison(try runs([100, 200, 150]), try runs([150, 200, 300], clients: 4))
    let rate = try #require(comparison.rows.first)
    #expect(rate.name == "ops/s")
    #expect(rate.a == .init(min: 100, median: 150, max: 200))
    #expect(rate.b == .init(min: 150, median: 200, max: 300))
    // 150/100, 200/200, 300/150
    #expect(rate.ratio == .init(min: 1, median: 1.5, max: 2))
    #expect(comparison.differences == ["clients: 1 and 4"])
    let table = comparison.table("a.json", "b.json")
    #expect(table.contains("They differ in clients: 1 and 4"))
    #expect(table.contains("ops/s  150 [100 – 200]"))
    #expect(table.contains("×1.5 [×1 – ×2]"))
  }

  @Test("Of one run each, the seconds are the spread, and the ratio's range is the widest they allow")
  func comparesSeconds() throws {
    let a = try RecordedRun.read(result().json, named: "a")
    let comparison = BenchmarkComparison(a, a)
    let rate = try #require(comparison.rows.first)
    #expect(rate.a == .init(min: 1_000, median: 1_500, max: 2_000))
    #expect(rate.ratio == .init(min: 0.5, median: 1, max: 2))
    #expect(comparison.differences.isEmpty)
  }

  @Test("What is no result is said with its line", arguments: ["", "\n", "{}", "[1]", "{\"latencyNs\": {}}"])
  func refusesOthers(text: String) {
    let error = #expect(throws: ComparisonError.self) { try RecordedRun.read(text, named: "f.json") }
    #expect(error?.description.hasPrefix("f.json") == true)
  }

  @Test(
    "Figures that no run measures are refused with their line",
    arguments: [
      #"{"opsPerSecond": 1e300, "latencyNs": {}}"#, #"{"opsPerSecond": -5, "latencyNs": {}}"#,
      #"{"opsPerSecond": 1, "latencyNs": {"p50": 18446744073709551615}}"#,
      #"{"opsPerSecond": 1, "latencyNs": {}, "seconds": [{"startNs": 0, "endNs": 1, "reads": 0, "writes": 0, "modifies": 0, "latencyNs": {"max": 18446744073709551615}}]}"#,
      #"{"opsPerSecond": NaN, "latencyNs": {}}"#,
    ])
  func refusesFigures(text: String) {
    let error = #expect(throws: ComparisonError.self) { try RecordedRun.read("\n" + text, named: "f.json") }
    #expect(error?.description.hasPrefix("f.json, line 2: ") == true)
  }

  @Test("Nothing is a multiple of 0, and seconds that are none are left out")
  func comparesAnything() throws {
    let zero = try RecordedRun.read(#"{"opsPerSecond": 0, "latencyNs": {"p50": 0}}"#, named: "zero")
    let some = try RecordedRun.read(
      #"{"opsPerSecond": 10, "latencyNs": null, "seconds": ["#
        + #"{"startNs": 5, "endNs": 1, "reads": 1, "writes": 0, "modifies": 0},"#
        + #"{"startNs": 0, "endNs": 1000000000, "reads": -9, "writes": 0, "modifies": 0},"#
        + #"{"startNs": 0, "endNs": 1000000000, "reads": 9223372036854775807, "writes": 9223372036854775807, "modifies": 0},"#
        + #"{"startNs": 0, "endNs": 5000000, "reads": 3000, "writes": 0, "modifies": 0}]}"#, named: "some")
    #expect(BenchmarkComparison(zero, some).table("a", "b").contains("—"))
    #expect(BenchmarkComparison(some, zero).table("a", "b").contains("×0\n"))
    #expect(BenchmarkComparison(zero, zero).rows.first?.ratio == nil)
  }

  @Test("A slice that is no second has no part in the spread, and a figure that was not measured is null")
  func spreadsOverWholeSeconds() throws {
    var stalled = result()
    let slice = BenchmarkSecond(
      startNs: 1_000_000_000, endNs: 1_005_000_000, counts: OperationCounts(reads: 1_400), latency: nil)
    stalled.seconds.insert(slice, at: 1)
    #expect(try #require(stalled.spread).max == 2_000)
    #expect(
      BenchmarkSecond(startNs: 5, endNs: 5, counts: OperationCounts(reads: 1), latency: nil).readsPerSecond.isFinite)
    stalled.latencies = .ofLatencies()
    #expect(stalled.json.contains(#""latencyNs": null, "kinds""#) && stalled.table.contains("): none\n"))
    #expect([0, 0.5, 52, 1_234.5, .infinity].map(BenchmarkResult.plainRate) == ["0", "0.5", "52", "1235", "null"])
  }

  @Test("Axes stand at round numbers around the values")
  func rounds() {
    #expect(ChartScale.fromZero(to: 7).ticks == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(ChartScale.fromZero(to: 1_234_567).high == 1_400_000)
    #expect(ChartScale.fromZero(to: 0).high > 0)
    #expect(ChartScale.powers([1_500, 90_000]).ticks == [1_000, 10_000, 100_000])
    #expect(ChartScale.powers([]).ticks.count >= 2)
    #expect(abs(ChartScale.powers([1, 100]).place(10) - 0.5) < 1e-12)
    #expect([1, 10, 100, 1_000, 10_000].map(HTMLReport.percentile) == ["0", "90", "99", "99.9", "99.99"])
  }
}
