import ClusterModel
import Dashboard
import Testing

/// A frozen picture can be stepped back through what was seen before.
@Suite struct TravelTests {
  private static let secondNs: UInt64 = 1_000_000_000

  private func status(_ second: UInt64) -> ClusterStatus {
    var sample = Sample(nodes: 3)
    if (20..<40).contains(second) { sample.nodes[1].state = .dead }
    var status = sample.status(at: Double(second))
    status.uptimeNs = second * Self.secondNs
    status.operations = OperationCounters(reads: second * (second < 30 ? 100 : 200), writes: second * 10)
    return status
  }

  /// A minute has been seen, in which node2 was dead from 20 s to 40 s; the nodes' panel has the keys.
  private func seen(_ size: Size = Size(width: 120, height: 40)) -> DashboardState {
    var state = DashboardState(size: size)
    for second in UInt64(0)...60 {
      state.apply(status: status(second), nowNs: 100 * Self.secondNs + second * Self.secondNs)
      if second == 20 { state.apply(event: Sample.event(1, at: 20, .kill, .warning, "node2 was killed")) }
      if second == 40 { state.apply(event: Sample.event(2, at: 40, .restart, .success, "node2 serves again")) }
    }
    while state.focus != .panel(.nodes) { _ = state.handle(.tab) }
    return state
  }

  private func text(_ state: DashboardState) -> String { Picture(state, .utf8).canvas.lines.joined(separator: "\n") }

  @Test func `left goes back moment by moment, and the picture is that of the moment`() {
    var state = seen()
    _ = state.handle(.character(" "))
    let frozen = Picture(state, .utf8)
    for _ in 0..<30 { _ = state.handle(.left) }
    #expect(state.status?.uptimeNs == 30 * Self.secondNs && state.status?.nodes[1].state == .dead)
    #expect(state.log.lines.map(\.text) == ["node2 was killed"])
    #expect(text(state).contains("30 s back; Space goes on"))
    // Counted from the second before that moment, not from now.
    #expect(state.seen.rates.map { $0.reads > 0 && $0.writes == 10 } == true)
    #expect(state.history.span.map { $0.endNs <= (100 + 31) * Self.secondNs } == true)
    for _ in 0..<30 { _ = state.handle(.right) }
    #expect(Picture(state, .utf8).canvas.cells.count == frozen.canvas.cells.count)
    #expect(state.status?.uptimeNs == 60 * Self.secondNs && state.log.lines.count == 2)
  }

  @Test func `page up goes ten seconds, home to the oldest moment, end to the frozen one`() {
    var state = seen()
    _ = state.handle(.character(" "))
    _ = state.handle(.pageUp)
    #expect(state.status?.uptimeNs == 50 * Self.secondNs)
    _ = state.handle(.home)
    #expect(state.status?.uptimeNs == 0)
    _ = state.handle(.pageUp)
    _ = state.handle(.left)
    #expect(state.status?.uptimeNs == 0)
    _ = state.handle(.end)
    #expect(state.status?.uptimeNs == 60 * Self.secondNs)
    _ = state.handle(.pageDown)
    #expect(state.status?.uptimeNs == 60 * Self.secondNs)
  }

  @Test func `what comes meanwhile does not move the past, and going on shows the present`() {
    var state = seen()
    _ = state.handle(.character(" "))
    for _ in 0..<25 { _ = state.handle(.left) }
    let past = Picture(state, .utf8)
    for second in UInt64(61)...70 {
      state.apply(status: status(second), nowNs: 100 * Self.secondNs + second * Self.secondNs)
    }
    #expect(Picture(state, .utf8) == past)
    _ = state.handle(.character(" "))
    #expect(!state.isFrozen && state.status?.uptimeNs == 70 * Self.secondNs)
    // Not frozen, left is the panel's again.
    _ = state.handle(.left)
    #expect(state.status?.uptimeNs == 70 * Self.secondNs)
  }

  @Test func `half an hour is kept, thinned with age`() {
    var state = DashboardState(size: Size(width: 80, height: 24))
    let step = Self.secondNs / 10
    for tenth in UInt64(0)..<24_000 {
      var status = ClusterStatus(uptimeNs: tenth * step, phase: .serving)
      status.nodes = [NodeStatus(id: 0, name: "node1", state: .up)]
      state.apply(status: status, nowNs: Self.secondNs + tenth * step)
    }
    _ = state.handle(.tab)
    _ = state.handle(.character(" "))
    var moments: [UInt64] = []
    while moments.last != state.status?.uptimeNs {
      moments.append(state.status?.uptimeNs ?? 0)
      _ = state.handle(.left)
    }
    #expect((700...1_000).contains(moments.count), "\(moments.count)")
    let newest = moments[0]
    #expect(newest - moments[moments.count - 1] >= 1_790 * Self.secondNs, "half an hour")
    for (later, earlier) in zip(moments, moments.dropFirst()) {
      let age = newest - earlier
      #expect(
        later - earlier
          <= (age < 30 * Self.secondNs ? step : age < 300 * Self.secondNs ? Self.secondNs + step : 6 * Self.secondNs))
    }
  }
}
