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
    #expect(rates.count == 31)
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
    for key: Key in [.tab, .tab, .tab, .tab, .character("l"), .escape] { _ = state.handle(key) }
    #expect(state.showsLatencyLines)
    var status = try #require(state.status)
    for second in 1...4 {
      status.uptimeNs += 1_000_000_000
      status.latencies?.reads.add(ns: second == 3 ? 5_370_000_000 : 60_000)
      status.operations?.reads += 1
      state.apply(status: status)
    }
    for (look, mark) in [(Look.utf8, "▲"), (.ascii, "^")] {
      let lines = Picture.panel(.latency, state, Size(width: 70, height: 14), look).lines
      #expect(lines[0].contains("(max 5."), "\(lines[0])")
      let top = try #require(lines.dropFirst(3).first)
      #expect(top.contains(mark), "\(top)")
    }
    let calm = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    let lines = Picture.panel(.latency, calm, Size(width: 70, height: 14), .utf8).lines
    #expect(!lines[0].contains("max") && !lines.dropFirst(3).joined().contains("▲"))
  }

  @Test func `a mark is a sign on the time axis, and the legend names its node, also of a node that has left`() throws {
    var state = DashboardState.watching(Sample(nodes: 4), Size(width: 120, height: 40))
    state.apply(status: Sample(nodes: 3).status(at: 60.4, reads: 9_000_000, writes: 9_000_000))
    state.apply(event: Sample.event(1, at: 30, .kill, .warning, "node2 was killed; its writes wait as hints"))
    state.apply(event: Sample.event(2, at: 59.8, .leave, .success, "node4 left: 1 copy moved to the others"))
    let lines = Picture.panel(.throughput, state, Size(width: 76, height: 12), .utf8).lines
    let axis = try #require(lines.first { $0.contains("-1 m") || $0.contains("-2 m") })
    #expect(axis.contains("✗") && axis.contains("←") && !axis.contains("node"), "\(axis)")
    #expect(lines.last?.contains("✗ node2 killed") == true && lines.last?.contains("← node4 leaves") == true)
  }

  @Test func `a change has one mark, though it begins and ends`() {
    var state = DashboardState.watching(Sample(nodes: 4), Size(width: 120, height: 40))
    state.apply(event: Sample.event(1, at: 30, .join, .info, "node4 joins"))
    state.apply(event: Sample.event(2, at: 50, .join, .success, "node4 has joined"))
    #expect(state.seen.causes.marks.map(\.kind) == [.join])
    state.apply(event: Sample.event(3, at: 51, .leave, .info, "node4 leaves"))
    state.apply(event: Sample.event(4, at: 52, .join, .info, "node4 joins"))
    #expect(state.seen.causes.marks.map(\.kind) == [.join, .leave, .join])
  }

  @Test func `a second of slow syncs and a compaction are marked`() throws {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var status = try #require(state.status)
    func pass(_ change: (inout NodeStatus) -> Void) {
      status.uptimeNs += 1_100_000_000
      change(&status.nodes[1])
      state.apply(status: status)
    }
    for _ in 0..<3 {
      pass { node in
        var syncs = node.wal?.syncLatencies ?? LatencyCounts()
        for _ in 0..<100 { syncs.add(ns: 400_000) }
        node.wal?.syncLatencies = syncs
      }
    }
    #expect(state.seen.causes.marks.isEmpty)
    pass { $0.wal?.syncLatencies?.add(ns: 80_000_000) }
    pass { $0.wal?.compactions = 1 }
    #expect(state.seen.causes.marks.map(\.kind) == [.slowSync, .compaction])
    #expect(state.seen.causes.marks.allSatisfy { $0.node == "node2" })
  }

  @Test func `the halves of a graph are as high whatever is measured`() {
    func axis(_ reads: UInt64, _ writes: UInt64) -> Int? {
      var state = DashboardState(size: Size(width: 120, height: 40))
      for tick in 0..<100 {
        let sample = Sample(nodes: 3).status(
          at: Double(tick) / 10, reads: reads * UInt64(tick), writes: writes * UInt64(tick), ring: RingStatus())
        state.apply(status: sample)
      }
      let lines = Picture.panel(.throughput, state, Size(width: 76, height: 14), .utf8).lines
      return lines.firstIndex { $0.contains("now") }
    }
    #expect(axis(1, 100_000) == axis(100_000, 1) && axis(100_000, 0) == axis(50, 50))
    #expect(axis(1, 1) != nil)
  }

  @Test func `a graph's span grows with what was seen, and a reader zooms and scrolls it`() {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    func axis() -> String {
      Picture.panel(.throughput, state, Size(width: 76, height: 14), .utf8).lines.first { $0.contains("┴") } ?? ""
    }
    #expect(axis().contains("-1 m") && axis().contains("now"))
    for key: Key in [.tab, .tab, .tab, .character("+")] { _ = state.handle(key) }
    #expect(axis().contains("-30 s"))
    _ = state.handle(.left)
    #expect(!axis().contains("now"))
    for _ in 0..<50 { _ = state.handle(.left) }
    let first = axis()
    _ = state.handle(.left)
    #expect(axis() == first)
    _ = state.handle(.end)
    #expect(axis().contains("-30 s") && axis().contains("now"))
    _ = state.handle(.end)
    #expect(axis().contains("-1 m"))
  }

  @Test func `rates over a span are means of its parts, and what lies between samples that are finer`() {
    var history = ThroughputHistory()
    for tick: UInt64 in 0...100 {
      history.add(operations(tick * tick), atNs: start + tick * 100_000_000)
    }
    let all = history.span!
    let coarse = history.rates(over: all, count: 10)
    #expect(coarse.count == 10 && coarse.allSatisfy { $0 != nil })
    // Ten buckets of 0, 1, … per tick: their mean, a second.
    #expect(abs(coarse[0]!.reads - 100) < 1e-6, "\(coarse[0]!)")
    let fine = history.rates(over: all, count: 400)
    for (a, b) in zip(fine.dropFirst(2), fine.dropFirst(3)) { #expect(a!.reads <= b!.reads + 1e-6) }
    let before = history.rates(
      over: GraphSpan(startNs: start - 10_000_000_000, endNs: start + 10_000_000_000), count: 20)
    #expect(before.prefix(10).allSatisfy { $0 == nil } && before.suffix(10).allSatisfy { $0 != nil })
  }

  @Test func `the bucket that is being filled is not shown`() {
    var history = ThroughputHistory()
    history.add(operations(0), atNs: start)
    let early = history.add(operations(100), atNs: start + 80_000_000)
    #expect(!early)
    #expect(history.rates(last: 10).isEmpty)
    let late = history.add(operations(200), atNs: start + 120_000_000)
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
    #expect(history.rates(last: 10_000).count <= ThroughputHistory.bucketsMax)
    history.add(operations(1_000_500), atNs: start + 86_401 * 1_000_000_000)
    #expect(history.rates(last: 2).allSatisfy { abs($0.reads - 500) < 1 })
  }

  @Test func `an event marks the time axis with the node it names`() {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 80, height: 24))
    state.apply(event: Sample.event(1, at: 3, .kill, .warning, "killed node2, as asked"))
    state.apply(event: Sample.event(2, at: 4, .storage, .info, "node1 cleaned its log"))
    #expect(state.seen.causes.marks.map(\.node) == ["node2"])
  }

  @Test func `the rate now spans about a second and survives a restart`() {
    var meter = RateMeter()
    for tick in 0...30 { meter.add(operations(UInt64(tick) * 50), atNs: start + UInt64(tick) * 100_000_000) }
    #expect(meter.perSecond.map { abs($0.reads - 500) < 0.001 } == true)
    meter.add(operations(0), atNs: start + 3_100_000_000)
    #expect(meter.perSecond == nil)
    meter.add(operations(20), atNs: start + 3_300_000_000)
    #expect(meter.perSecond.map { abs($0.reads - 100) < 0.001 } == true)
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
    axis.update([90_000] + Array(repeating: 100, count: 40))
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
