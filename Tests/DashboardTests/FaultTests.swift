import Dashboard
import ClusterModel
import Testing

/// What is said of links that are not good.
@Suite struct FaultTests {
  private func summary(_ faults: [LinkFault], paused: [Int] = [], nodes: Int = 5) -> FaultSummary {
    var sample = Sample(nodes: nodes)
    (sample.linkFaults, sample.pausedNodes) = (faults, paused)
    return FaultSummary(sample.status(at: 0))
  }

  @Test func `a partition is named by its sides, the largest first, and the smaller ones are cut off`() {
    let two = summary(Sample.cut([0, 1], [2, 3, 4]))
    #expect(two.texts == ["node3 node4 node5 ╳ node1 node2 cut"])
    #expect(two.troubles == [0: .cutOff, 1: .cutOff])
    let three = summary(Sample.cut([0], [1, 2, 3, 4]) + Sample.cut([1, 2], [3, 4]))
    #expect(three.texts == ["node2 node3 ╳ node4 node5 ╳ node1 cut"])
    #expect(three.troubles.count == 5)
  }

  @Test func `links that are cut without making sides are named one by one`() {
    let one = summary([LinkFault(from: 0, to: 3, isCut: true)])
    #expect(one.texts == ["node1 → node4 cut"])
    #expect(one.troubles.isEmpty)
    let mutual = summary(Sample.cut([1], [3]) + [LinkFault(from: 4, to: 0, isCut: true)])
    #expect(mutual.texts == ["node2 ╳ node4 cut", "node5 → node1 cut"])
  }

  @Test func `a node all of whose links are slow or lossy is named alone`() {
    #expect(summary(Sample.slow(2, byMs: 20, of: 5)).texts == ["node3 +20 ms"])
    #expect(summary(Sample.loss(2, perMille: 300, of: 5)).texts == ["node3 loses 30 %"])
    #expect(summary(Sample.loss(2, perMille: 305, of: 5)).troubles == [2: .losing(perMille: 305)])
  }

  @Test func `of two slow nodes the later one keeps the link between them`() {
    let second = Sample.slow(3, byMs: 50, of: 5)
    let first = Sample.slow(1, byMs: 20, of: 5).filter { $0.from != 3 && $0.to != 3 }
    let both = summary(first + second)
    #expect(both.texts == ["node4 +50 ms", "node2 +20 ms"])
    #expect(both.troubles == [3: .slow(ns: 50_000_000), 1: .slow(ns: 20_000_000)])
  }

  @Test func `a single slow link is named by its ends`() {
    let link = summary([LinkFault(from: 0, to: 1, delayNs: 5_000_000)], nodes: 3)
    #expect(link.texts == ["node1 → node2 +5 ms"])
    #expect(link.troubles.isEmpty)
  }

  @Test(arguments: [1, 2, 3, 7, 20])
  func `every link that is not good is told, once, for any number of nodes`(nodes: Int) {
    for node in 0..<nodes {
      let faults = Sample.slow(node, byMs: 7, of: nodes)
      #expect(summary(faults, nodes: nodes).texts.count == (faults.isEmpty ? 0 : 1))
    }
  }

  @Test func `a paused node is said to be paused whatever its links are like, and a dead one is dead`() {
    let paused = summary(Sample.slow(2, byMs: 20, of: 5), paused: [2])
    #expect(paused.texts == ["node3 paused", "node3 +20 ms"] && paused.troubles[2] == .paused)
    var sample = Sample(nodes: 5)
    sample.pausedNodes = [2]
    sample.nodes[2].state = .dead
    let state = DashboardState.watching(sample, Size(width: 120, height: 40))
    let row = Picture.panel(.nodes, state, Size(width: 80, height: 10), .utf8).lines[4]
    #expect(row.contains("dead") && !row.contains("paused"))
  }

  @Test func `a node that others do not hear is silent, and its details say to whom`() {
    var sample = Sample(nodes: 3)
    sample.nodes[1].suspectedBy = ["node1", "node3"]
    var state = DashboardState.watching(sample, Size(width: 120, height: 40))
    for key: Key in [.tab, .tab, .down, .enter] { _ = state.handle(key) }
    let lines = Picture(state, .utf8).canvas.lines
    #expect(lines.contains { $0.contains("node2 silent") })
    #expect(lines.contains { $0.contains("not heard by node1 and node3") })
  }

  @Test func `of a cut cluster the healthy side is up, and only the side that is cut off is in trouble`() {
    let lines = Picture(Scene.partitioned.state(Size(width: 120, height: 40)), .utf8).canvas.lines
    #expect(lines[0].contains("2 up, 1 cut off"))
    #expect(!lines.contains { $0.contains("silent") })
    #expect(lines.count { $0.contains("node2 up ") || $0.contains("node3 up ") } == 2)
    #expect(lines.contains { $0.contains("node1 cut") })
    #expect(lines.contains { $0.contains("node2 node3 ╳ node1 cut") })
  }

  @Test func `of a dead node the table tells neither cache nor log, which nobody knows`() throws {
    let state = Scene.dead.state(Size(width: 200, height: 60))
    let lines = Picture.panel(.nodes, state, Size(width: 120, height: 10), .utf8).lines
    let dead = try #require(lines.first { $0.contains("node2") })
    let alive = try #require(lines.first { $0.contains("node3") })
    #expect(!dead.contains("%") || dead.split(separator: " ").count { $0 == "%" } == 1, "only what it owns: \(dead)")
    #expect(!dead.contains("iB") && dead.contains("—"))
    #expect(alive.contains("iB"))
  }

  @Test func `a dead node that is going to be replaced says when`() {
    var sample = Sample(nodes: 5)
    sample.nodes[1].state = .dead
    sample.nodes[1].replacedInNs = 27_100_000_000
    let state = DashboardState.watching(sample, Size(width: 200, height: 60))
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("dead 28 s") })
  }

  @Test func `the faults' row leaves out what has no room and says how much`() {
    let faults = (0..<4).map { LinkFault(from: $0, to: $0 + 1, isCut: true) }
    var sample = Sample(nodes: 5)
    sample.linkFaults = faults
    let state = DashboardState.watching(sample, Size(width: 70, height: 24))
    let line = WarningPanel.draw(state, Size(width: 70, height: 1), .utf8).lines[0]
    #expect(line.contains("node1 → node2 cut") && line.contains("… +2") && !line.contains("heal"))
  }

  @Test func `where nodes are paused and no link is faulty the faults' row advises to resume`() {
    var sample = Sample(nodes: 3)
    sample.pausedNodes = [2]
    func line() -> String {
      let state = DashboardState.watching(sample, Size(width: 100, height: 24))
      return WarningPanel.draw(state, Size(width: 100, height: 1), .utf8).lines[0]
    }
    #expect(line().contains("paused") && line().contains("`resume node") && !line().contains("heal"))
    sample.linkFaults = [LinkFault(from: 0, to: 1, isCut: true)]
    #expect(line().contains("`heal`"))
  }

  @Test func `a healthy screen has no warnings, and one fault takes one row from the events`() throws {
    let size = Size(width: 120, height: 40)
    let healthy = Scene.healthy.state(size).layout
    let faulty = Scene.faulty.state(size).layout
    #expect(healthy.warnings.isEmpty && faulty.warnings.height == 1)
    #expect(faulty.panels[.ring] == healthy.panels[.ring])
    let (before, after) = (try #require(healthy.panels[.events]), try #require(faulty.panels[.events]))
    #expect(after.height == before.height - 1)
  }

  @Test func `a paused node counts as down for the health, and a cut network is not healthy`() {
    var status = Sample(nodes: 3).status(at: 0)
    #expect(status.health == .healthy)
    status.linkFaults = Sample.cut([0], [1, 2])
    #expect(status.health == .degraded)
    status.pausedNodes = [0]
    #expect(status.health == .degraded)
    status.pausedNodes = [0, 1]
    #expect(status.health == .unavailable)
  }
}
