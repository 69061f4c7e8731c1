import Dashboard
import ClusterModel
import Testing

@Suite struct BenchmarkPanelTests {
  private func lines(_ state: DashboardState, _ width: Int, _ height: Int) -> [String] {
    Picture.panel(.benchmark, state, Size(width: width, height: height), .utf8).lines
  }

  @Test func `a run says how far it is, how fast and how slow, in two rows of times where one has no room`() {
    let state = Scene.measuring.state(Size(width: 80, height: 24))
    let wide = lines(state, 72, 12)
    #expect(wide[0].contains("ycsb-a, 64 clients"))
    #expect(wide[1].contains("measuring") && wide[1].contains("60 %") && wide[1].contains("8 s left"))
    #expect(wide[2].contains("reads/s") && wide[2].contains("writes/s") && wide[2].contains("failed 3"))
    for name in ["p50 1.20 ms", "p95 2.52 ms", "p99 4.44 ms", "p99.9 11.0 ms"] { #expect(wide[3].contains(name)) }
    let narrow = lines(state, 40, 8).joined(separator: "\n")
    for name in ["p50", "p95", "p99", "p99.9", "failed 3"] { #expect(narrow.contains(name)) }
  }

  @Test func `the graph marks what happened to nodes during the run`() throws {
    let axis = try #require(lines(Scene.measuring.state(Size(width: 80, height: 24)), 72, 12).dropLast().last)
    #expect(axis.contains("✗node2"))
  }

  @Test func `after the end it shows the whole run beside the one before it of the same name`() {
    let state = Scene.measured.state(Size(width: 120, height: 40))
    let text = lines(state, 60, 10).joined(separator: "\n")
    #expect(text.contains("finished  512 k operations in 20.0 s"))
    #expect(text.contains("25.6 k ops/s") && text.contains("×1.05"))
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

  @Test func `a run that keeps no seconds is drawn from the cluster's own throughput`() {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 120, height: 40))
    var run = BenchmarkStatus(name: "writes, then reads", phase: "writing", isRunning: true)
    (run.startedNs, run.atNs) = (Sample.openedNs + 50_000_000_000, Sample.openedNs + 60_000_000_000)
    (run.lengthNs, run.fraction) = (20_000_000_000, 0.5)
    state.apply(benchmark: run)
    let bottom = lines(state, 64, 12).dropLast(2).last ?? ""
    let inside = Array(bottom.dropFirst(2).dropLast(2))
    #expect(inside.prefix(25).allSatisfy { $0 != " " })
    #expect(inside.suffix(25).allSatisfy { $0 == " " })
  }
}
