import Dashboard
import ClusterModel
import Testing

@Suite struct HistoryTests {
  private let start: UInt64 = 1_000_000_000_000

  private func operations(_ reads: UInt64, _ writes: UInt64 = 0) -> OperationCounters {
    OperationCounters(reads: reads, writes: writes)
  }

  @Test func `a steady load is a flat line, however unevenly the statuses arrive`() {
    var history = ThroughputHistory()
    for atMs: UInt64 in [0, 100, 350, 900, 1_800, 1_900, 3_100] {
      history.add(operations(atMs * 40, atMs * 8), atNs: start + atMs * 1_000_000)
    }
    let rates = history.rates(last: 100)
    #expect(rates.count == 6)
    #expect(rates.allSatisfy { abs($0.reads - 40_000) < 1 && abs($0.writes - 8_000) < 1 })
  }

  @Test func `a status that differs by its time alone is worth a new picture twice a second`() {
    var state = DashboardState(size: Size(width: 80, height: 24))
    let sample = Sample(nodes: 3)
    let ring = sample.status(at: 0).ring
    let news = (0..<50).map { tick in state.apply(status: sample.status(at: Double(tick) / 5, ring: ring)) }
    #expect(news.count { $0 } == 20)
    var other = sample
    other.nodes[1].hintsWaiting = 1
    let hasHints = state.apply(status: other.status(at: 9.8, ring: ring))
    #expect(hasHints)
    let isRunning = state.apply(benchmark: Sample.benchmark(isRunning: true))
    let isNoNews = !state.apply(benchmark: Sample.benchmark(isRunning: true))
    #expect(isRunning && isNoNews)
  }

  @Test func `what a graph cuts off is marked at its edge, and the frame says how far it goes`() throws {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var status = try #require(state.status)
    for second in 1...4 {
      status.uptimeNs += 1_000_000_000
      status.latencies?.reads.add(ns: second == 3 ? 5_370_000_000 : 60_000)
      state.apply(status: status)
    }
    for (look, mark) in [(Look.utf8, "▲"), (.ascii, "^")] {
      let lines = Picture.panel(.latency, state, Size(width: 70, height: 14), look).lines
      #expect(lines[0].contains("cut off: up to 5."), "\(lines[0])")
      let top = try #require(lines.dropFirst(3).first)
      #expect(top.contains(mark), "\(top)")
    }
    let calm = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    let lines = Picture.panel(.latency, calm, Size(width: 70, height: 14), .utf8).lines
    #expect(!lines[0].contains("cut off") && !lines.dropFirst(3).joined().contains("▲"))
  }

  @Test func `a mark on the time axis stands before its node's name, also at the edge and of a node that has left`() {
    var state = DashboardState.watching(Sample(nodes: 4), Size(width: 120, height: 40))
    state.apply(status: Sample(nodes: 3).status(at: 60.4, reads: 9_000_000, writes: 9_000_000))
    state.apply(event: Sample.event(1, at: 30, .kill, .warning, "node2 was killed; its writes wait as hints"))
    state.apply(event: Sample.event(2, at: 59.8, .leave, .success, "node4 left: 1 copy moved to the others"))
    let axis = Picture.panel(.throughput, state, Size(width: 76, height: 12), .utf8).lines.first { $0.contains("-1 m") }
    #expect(axis?.contains("✗node2") == true && axis?.contains("←node4") == true, "\(axis ?? "")")
  }

  @Test func `the bucket that is being filled is not shown`() {
    var history = ThroughputHistory()
    history.add(operations(0), atNs: start)
    let early = history.add(operations(100), atNs: start + 400_000_000)
    #expect(!early)
    #expect(history.rates(last: 10).isEmpty)
    let late = history.add(operations(200), atNs: start + 600_000_000)
    #expect(late)
    #expect(history.rates(last: 10).count == 1)
  }

  @Test func `counters that start anew or a clock that stands still do no harm`() {
    var history = ThroughputHistory()
    history.add(operations(1_000), atNs: start)
    history.add(operations(10), atNs: start + 1_000_000_000)
    history.add(operations(10), atNs: start + 1_000_000_000)
    #expect(history.rates(last: 10).allSatisfy { $0.reads == 0 })
  }

  @Test func `a pause longer than the history leaves a bounded history`() {
    var history = ThroughputHistory()
    history.add(operations(0), atNs: start)
    history.add(operations(1_000_000), atNs: start + 86_400 * 1_000_000_000)
    #expect(history.rates(last: 10_000).count <= 720)
    history.add(operations(1_000_500), atNs: start + 86_401 * 1_000_000_000)
    #expect(history.rates(last: 2).allSatisfy { abs($0.reads - 500) < 1 })
  }

  @Test func `marks age with the buckets`() {
    var history = ThroughputHistory()
    for second: UInt64 in 0...10 { history.add(operations(second), atNs: start + second * 1_000_000_000) }
    #expect(history.age(ofNs: start + 9_600_000_000) == 0)
    #expect(history.age(ofNs: start + 5_000_000_000) == 9)
    #expect(history.age(ofNs: start + 20_000_000_000) == nil)
    #expect(history.age(ofNs: 7) == nil)
  }

  @Test func `an event marks the time axis with the node it names`() {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 80, height: 24))
    state.apply(event: Sample.event(1, at: 3, .kill, .warning, "killed node2, as asked"))
    state.apply(event: Sample.event(2, at: 4, .storage, .info, "node1 cleaned its log"))
    #expect(state.history.marks.map(\.node) == ["node2"])
  }

  @Test func `the rate now spans about a second and survives a restart`() {
    var meter = RateMeter()
    for tick in 0...30 { meter.add(operations(UInt64(tick) * 50), atNs: start + UInt64(tick) * 100_000_000) }
    #expect(abs(meter.readsPerSecond - 500) < 0.001)
    meter.add(operations(0), atNs: start + 3_100_000_000)
    #expect(meter.readsPerSecond == 0)
    meter.add(operations(20), atNs: start + 3_300_000_000)
    #expect(abs(meter.readsPerSecond - 100) < 0.001)
  }

  @Test func `the axis grows at once and shrinks only after a while`() {
    var axis = AxisScale()
    axis.update(Array(repeating: 900, count: 40))
    #expect(axis.top == 1_000)
    for _ in 0..<19 { axis.update(Array(repeating: 100, count: 40)) }
    #expect(axis.top == 1_000)
    axis.update(Array(repeating: 100, count: 40))
    #expect(axis.top == 150)
  }

  @Test func `one spike does not move the axis`() {
    var axis = AxisScale()
    axis.update(Array(repeating: 100, count: 40))
    axis.update([90_000, 80_000] + Array(repeating: 100, count: 40))
    #expect(axis.top == 150)
  }

  @Test func `the axis does not flicker between two tops`() {
    var axis = AxisScale()
    var tops: Set<Double> = []
    for step in 0..<200 {
      axis.update(Array(repeating: step.isMultiple(of: 2) ? 99 : 90, count: 40))
      tops.insert(axis.top)
    }
    #expect(tops.count == 1)
  }
}
