import Dashboard
import ClusterModel
import Testing

@Suite struct BenchmarkPanelTests {
  private func lines(_ state: DashboardState, _ width: Int, _ height: Int) -> [String] {
    Picture.panel(.benchmark, state, Size(width: width, height: height), .utf8).lines
  }

  @Test func `a run says how far it is, how fast and how slow, reads and writes apart`() {
    let state = Scene.measuring.state(Size(width: 80, height: 24))
    let wide = lines(state, 72, 12)
    #expect(wide[0].contains("ycsb-a, 64 clients"))
    #expect(wide[1].contains("measuring") && wide[1].contains("60 %") && wide[1].contains("8 s left"))
    #expect(wide[1].contains("3 failed") && wide[2].contains("reads/s") && wide[3].contains("writes/s"))
    for row in [2, 3] { #expect(wide[row].contains("p50") && wide[row].contains("p99"), "\(wide[row])") }
    let narrow = lines(state, 44, 8).joined(separator: "\n")
    for name in ["p50", "p99", "3 failed"] { #expect(narrow.contains(name), "\(narrow)") }
  }

  @Test func `the axis has a sign for what happened during the run, and the frame's edge says what it means`() throws {
    let shown = lines(Scene.measuring.state(Size(width: 80, height: 24)), 72, 12)
    #expect(shown.dropLast().contains { $0.contains("✗") && $0.contains("─") })
    #expect(try #require(shown.last).contains("✗ node2 killed"))
  }

  @Test func `percentiles of reads and writes are kept apart, and stay when the run is over`() throws {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var run = BenchmarkStatus(name: "writes, then reads", phase: "writing", isRunning: true)
    (run.startedNs, run.atNs, run.isMeasuring) = (
      Sample.openedNs + 60_000_000_000, Sample.openedNs + 60_000_000_000, true
    )
    state.apply(benchmark: run)
    var status = try #require(state.status)
    for _ in 0..<30 {
      status.uptimeNs += 100_000_000
      status.latencies?.reads.add(ns: 20_000)
      status.latencies?.writes.add(ns: 4_000_000)
      state.apply(status: status)
    }
    (run.isMeasuring, run.phase, run.measuredEndNs) = (false, "cleaning up", Sample.openedNs + 63_000_000_000)
    state.apply(benchmark: run)
    // Deleting its keys is not measured.
    for _ in 0..<10 {
      status.uptimeNs += 100_000_000
      for _ in 0..<100 { status.latencies?.writes.add(ns: 900_000_000) }
      state.apply(status: status)
    }
    run.isRunning = false
    state.apply(benchmark: run)
    let shown = lines(state, 84, 12)
    #expect(shown.contains { $0.contains("reads/s") && $0.contains("p50 20.5 µs") }, "\(shown)")
    #expect(shown.contains { $0.contains("writes/s") && $0.contains("p99 4.19 ms") }, "\(shown)")
  }

  @Test func `the run before stands behind the next one as an outline`() throws {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var run = BenchmarkStatus(name: "mixed", phase: "finished", isRunning: false)
    (run.startedNs, run.atNs) = (Sample.openedNs + 40_000_000_000, Sample.openedNs + 50_000_000_000)
    state.apply(benchmark: run)
    var next = BenchmarkStatus(name: "mixed", phase: "measuring", isRunning: true)
    (next.startedNs, next.atNs) = (Sample.openedNs + 59_000_000_000, Sample.openedNs + 60_000_000_000)
    next.lengthNs = 10_000_000_000
    state.apply(benchmark: next)
    let shown = lines(state, 84, 14)
    #expect(try #require(shown.last).contains("run before"))
    // Right of the present run, which is a tenth of the way, are the outline's dots.
    let dots = shown.dropFirst(4).dropLast(2).joined().unicodeScalars.count { (0x2801...0x28FF).contains($0.value) }
    #expect(dots > 60, "\(shown)")
  }

  @Test func `after the end it shows the whole run beside the one before it of the same name`() {
    let state = Scene.measured.state(Size(width: 120, height: 40))
    let text = lines(state, 70, 10).joined(separator: "\n")
    #expect(text.contains("finished  512 k operations in 20.0 s  ×1.05 the run before"), "\(text)")
    #expect(text.contains("12.8 k reads/s") && text.contains("12.8 k writes/s"), "\(text)")
  }

  @Test func `a plain benchmark that measured nothing says why, and its neighbours' results are not taken for its own`()
  {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var run = Sample.averages()
    (run.readsPerSecond, run.writesPerSecond, run.failures) = (nil, nil, 64)
    run.error = .storage("the disk is full")
    run.results = Sample.benchmark(isRunning: false).results
    state.apply(benchmark: run)
    let text = lines(state, 70, 10).joined(separator: "\n")
    #expect(text.contains("no write succeeded: the disk is full") && text.contains("64 failed"), "\(text)")
    #expect(!text.contains("p50"))
  }

  @Test func `zoomed it lists the runs so far`() {
    var state = Scene.measured.state(Size(width: 120, height: 40))
    while state.focus != .panel(.benchmark) { _ = state.handle(.tab) }
    _ = state.handle(.character("z"))
    let text = Picture(state, .utf8).canvas.lines.joined(separator: "\n")
    #expect(text.contains("runs so far") && text.contains("ycsb-c, 16 clients"))
  }

  @Test func `results stay until they are put away, and the next run brings the panel back`() {
    var state = Scene.measured.state(Size(width: 120, height: 40))
    #expect(state.layout.visible.contains(.benchmark))
    _ = state.handle(.escape)
    _ = state.handle(.escape)
    #expect(!state.layout.visible.contains(.benchmark))
    state.apply(benchmark: Sample.benchmark(isRunning: false))
    #expect(!state.layout.visible.contains(.benchmark))
    state.apply(benchmark: Sample.benchmark(isRunning: true))
    #expect(state.layout.visible.contains(.benchmark))
    _ = state.handle(.escape)
    #expect(state.layout.visible.contains(.benchmark))
  }

  @Test func `x in the panel stops the run, then puts its results away and gives the keys back`() {
    var state = Scene.measuring.state(Size(width: 120, height: 40))
    while state.focus != .panel(.benchmark) { _ = state.handle(.tab) }
    #expect(state.handle(.character("x")) == [.run("benchmark stop")])
    state.apply(benchmark: Sample.benchmark(isRunning: false))
    #expect(state.handle(.character("x")) == [])
    #expect(state.focus == .prompt && state.benchmark == nil)
  }

  @Test func `a run that keeps no seconds is drawn from the cluster's own throughput`() throws {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var run = BenchmarkStatus(name: "writes, then reads", phase: "writing", isRunning: true)
    (run.startedNs, run.atNs) = (Sample.openedNs + 50_000_000_000, Sample.openedNs + 60_000_000_000)
    (run.lengthNs, run.fraction) = (20_000_000_000, 0.5)
    state.apply(benchmark: run)
    let shown = lines(state, 64, 12)
    let bottom = try #require(shown.dropLast().last { $0.unicodeScalars.contains { $0.value > 0x2800 } })
    let inside = Array(bottom.dropFirst(9).dropLast(1))
    #expect(inside.prefix(20).contains { $0 != " " && $0 != "┈" })
    #expect(inside.suffix(12).allSatisfy { $0 == " " || $0 == "┈" })
  }

  @Test func `on a low screen the run has its graph, and its rates in the frame`() throws {
    let state = Scene.measuring.state(Size(width: 80, height: 24))
    let rect = try #require(state.layout.panels[.benchmark])
    let shown = lines(state, rect.width, rect.height)
    #expect(shown[0].contains("▲50.0 k/s"), "\(shown)")
    let dots = shown.joined().unicodeScalars.count { (0x2801...0x28FF).contains($0.value) }
    #expect(dots > 30, "\(shown)")
  }

  @Test func `where the events have too few rows for it, the run takes the place of the throughput`() throws {
    var state = Scene.partitioned.state(Size(width: 80, height: 24))
    #expect(state.layout.panels[.throughput] != nil)
    state.apply(benchmark: Sample.benchmark(isRunning: true))
    #expect(state.layout.panels[.throughput] == nil && state.layout.panels[.benchmark] != nil)
  }
}
