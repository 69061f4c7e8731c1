import Dashboard
import ClusterModel
import Testing

@Suite struct RingTests {
  @Test func `a key's walk names its owners one after the other and stays`() {
    let size = Size(width: 120, height: 40)
    var state = DashboardState.watching(Sample(nodes: 5), size)
    type("get user:1001", into: &state)
    _ = state.handle(.enter)
    let startNs = Sample.openedNs + 60_000_000_000
    let caption = { (state: DashboardState) in
      Picture(state, .utf8).canvas.lines.first { $0.contains("user:1001 →") } ?? ""
    }
    #expect(state.isWalking)
    #expect(!caption(state).contains("node"))
    state.advance(toNs: startNs + 300_000_000)
    #expect(caption(state).contains("→ node"))
    #expect(!caption(state).contains("("))
    state.advance(toNs: startNs + 600_000_000)
    #expect(!state.isWalking)
    let end = caption(state)
    state.advance(toNs: startNs + 60_000_000_000)
    #expect(caption(state) == end)
    #expect(end.contains(" (node"))
  }

  @Test func `with reduced motion a key's owners are there at once, and moving ranges stand still`() {
    var state = DashboardState.watching(Sample(nodes: 5), Size(width: 120, height: 40))
    state.appearance.isMotionReduced = true
    type("get user:1001", into: &state)
    _ = state.handle(.enter)
    #expect(!state.isWalking)
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("user:1001 →") && $0.contains(" (node") })
    var joining = Scene.joining.state(Size(width: 120, height: 40))
    joining.appearance.isMotionReduced = true
    #expect(!joining.ringPhase)
  }

  @Test func `moving ranges alternate until they are handed over`() throws {
    var state = Scene.joining.state(Size(width: 120, height: 40))
    let before = Picture(state, .utf8)
    let status = try #require(state.status)
    var later = status
    later.uptimeNs += 400_000_000
    state.apply(status: later)
    #expect(Picture(state, .utf8) != before)
    // All of them handed over, nothing is left to alternate.
    later.change?.fraction = 1
    later.uptimeNs += 400_000_000
    state.apply(status: later)
    let first = Picture.panel(.ring, state, Size(width: 40, height: 20), .utf8)
    later.uptimeNs += 400_000_000
    state.apply(status: later)
    #expect(Picture.panel(.ring, state, Size(width: 40, height: 20), .utf8) == first)
  }

  @Test func `the plan of a change counts every copy that moves once, and its parts end with the whole`() throws {
    let state = Scene.joining.state(Size(width: 80, height: 24))
    let ring = state.ring
    let plan = try #require(MovePlan(ring))
    let moved = (0..<ring.slotCount).reduce(0) { sum, slot in
      let now = Set(ring.owners[slot * ring.ranks..<(slot + 1) * ring.ranks])
      return sum + ring.nextOwners[slot * ring.nextRanks..<(slot + 1) * ring.nextRanks].count { !now.contains($0) }
    }
    #expect(plan.transfers.map(\.slotCount).reduce(0, +) == moved)
    #expect(abs(plan.movedPart - Double(moved) / Double(ring.nextOwners.count)) < 1e-12)
    for transfer in plan.transfers {
      #expect(transfer.done(at: 0) == 0 && transfer.done(at: 1) == 1)
      #expect(transfer.done(at: 0.3) <= transfer.done(at: 0.6))
      #expect(transfer.from != transfer.to)
    }
  }

  @Test func `the cursor goes from range to range and around the ring`() throws {
    var state = DashboardState.watching(Sample(nodes: 5), Size(width: 120, height: 40))
    let ring = state.ring
    _ = state.handle(.tab)
    _ = state.handle(.right)
    let second = try #require(state.ringCursor)
    #expect(ring.owners[second * ring.ranks] != ring.owners[0])
    _ = state.handle(.left)
    _ = state.handle(.left)
    #expect(state.ringCursor == ring.slotCount - 1)
    for _ in 0..<16 { _ = state.handle(.down) }
    #expect(state.ringCursor == ring.slotCount - 1)
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("-ffff →") })
  }

  private func ring(_ state: DashboardState, _ look: Look, _ width: Int = 46, _ height: Int = 27) -> [String] {
    Picture.panel(.ring, state, Size(width: width, height: height), look).lines
  }

  @Test
  func `a partition tears the ring: the side that is cut off is hatched on donut and tape, and the legend says so`() {
    let lines = ring(Scene.partitioned.state(Size(width: 120, height: 40)), .utf8)
    #expect(lines.joined().filter { $0 == "░" }.count > 40)
    #expect(lines.contains { $0.contains("░ cut off") })
    #expect(lines.contains { $0.contains("0000") && $0.contains("░") }, "the tape shows it")
    let ascii = ring(Scene.partitioned.state(Size(width: 120, height: 40)), .ascii)
    #expect(ascii.contains { $0.contains("/ cut off") } && ascii.joined().filter { $0 == "/" }.count > 20)
  }

  @Test func `each condition of a node has a look and a word of its own`() {
    var sample = Sample(nodes: 5)
    sample.nodes[0].state = .dead
    sample.nodes[1].state = .recovering(fraction: 0.4)
    sample.nodes[2].suspectedBy = ["node4", "node5"]
    sample.pausedNodes = [3]
    sample.linkFaults = Sample.slow(4, byMs: 20, of: 5)
    let state = DashboardState.watching(sample, Size(width: 200, height: 60))
    let lines = ring(state, .utf8, 76, 40)
    for sign in ["╳ down", "◌ reading its log", "∙ silent", "▒ paused", "▓ slow"] {
      #expect(lines.contains { $0.contains(sign) }, "\(sign)")
    }
    for sign in ["╳node1", "◌node2", "∙node3", "▒node4", "▓node5"] {
      #expect(lines.contains { $0.contains(sign) }, "\(sign)")
    }
  }

  @Test func `a long name is shortened in its middle, and the ring keeps half of its panel`() {
    var sample = Sample(nodes: 4)
    sample.nodes[3].name = "a-node-with-a-really-quite-long-name-eu-west-1a"
    let state = DashboardState.watching(sample, Size(width: 120, height: 40))
    let lines = ring(state, .utf8)
    #expect(lines.contains { $0.contains("…") && $0.contains("-1a") }, "\(lines)")
    let widest = lines.map { $0.filter { "▀▄".contains($0) }.count }.max() ?? 0
    #expect(widest >= 22, "of 44 columns inside the frame: \(widest)")
  }

  @Test func `a node that joins has a label on the ring before it owns anything`() {
    let lines = ring(Scene.joining.state(Size(width: 120, height: 40)), .utf8)
    #expect(lines.contains { $0.contains("+node6") }, "\(lines)")
  }

  @Test func `the tape's rows begin with their first hash`() {
    let lines = ring(Scene.healthy.state(Size(width: 120, height: 40)), .utf8)
    #expect(lines.contains { $0.contains("0000 ") } && lines.contains { $0.contains("8000 ") })
  }

  @Test func `where colours have no shades, the bands of the other copies are dim`() {
    let state = Scene.healthy.state(Size(width: 120, height: 40))
    let canvas = Picture.panel(.ring, state, Size(width: 46, height: 27), .blocks)
    let bands = canvas.cells.filter { "█▀▄".unicodeScalars.contains($0.scalar) }
    #expect(bands.count { $0.style.attributes.contains(.dim) } > 60)
    #expect(bands.count { !$0.style.attributes.contains(.dim) } > 60)
  }

  @Test func `the heat ring shows where operations go, by height on the tape and in words, and says how far from even`()
    throws
  {
    var state = DashboardState.watching(Sample(nodes: 5), Size(width: 120, height: 40))
    var status = try #require(state.status)
    var counts = Array(repeating: OperationCounters.zero, count: 256)
    for _ in 0..<4 {
      status.uptimeNs += 600_000_000
      for part in counts.indices { counts[part].reads += part == 0 ? 6_000 : 600 }
      status.rangeOperations = counts
      state.apply(status: status)
    }
    #expect(abs(state.seen.heat.most - 10_000) < 1)
    let owners = ring(state, .utf8)
    for key: Key in [.tab, .character("r"), .escape] { _ = state.handle(key) }
    #expect(state.showsHeat)
    let hot = ring(state, .utf8)
    #expect(hot != owners)
    let first = try #require(hot.first { $0.contains("0000 ") })
    #expect(first.contains("0000 █") && first.contains("▁"), "\(first)")
    #expect(hot.contains { $0.contains("hottest") && $0.contains("×9.7") }, "\(hot)")
    #expect(ring(state, .ascii).contains { $0.contains("0000 #") })
  }
}
