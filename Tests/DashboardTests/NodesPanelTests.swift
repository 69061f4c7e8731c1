import ClusterModel
import Dashboard
import Testing

@Suite struct NodesPanelTests {
  private func screen(_ nodes: Int, _ width: Int = 120, _ height: Int = 40) -> DashboardState {
    .watching(Sample(nodes: nodes), Size(width: width, height: height))
  }

  private func click(_ state: inout DashboardState, on word: String, isHeading: Bool = false, _ mouse: Mouse = .press)
    throws -> [Action]
  {
    let lines = Picture(state, .ascii).canvas.lines
    let row = try #require(lines.firstIndex { $0.contains(word) && (!isHeading || $0.contains("owns")) }, "\(word)")
    let column = lines[row].distance(from: lines[row].startIndex, to: lines[row].ranges(of: word)[0].lowerBound)
    return state.handle(.mouse(mouse, column: column, row: row))
  }

  @Test func `what nodes own as first owners adds up to the whole ring`() {
    let state = screen(5)
    let parts = state.seen.ringDigest.firstParts
    #expect(parts.count == 5)
    #expect(abs(parts.values.reduce(0, +) - 1) < 1e-9)
  }

  @Test func `of a hundred nodes the ones in trouble come first, and a row of cells shows all`() throws {
    var sample = Sample(nodes: 100)
    sample.nodes[76].state = .dead
    sample.pausedNodes = [41]
    let state = DashboardState.watching(sample, Size(width: 120, height: 40))
    #expect(state.nodes.prefix(2).map(\.name) == ["node42", "node77"])
    let panel = Picture.panel(.nodes, state, state.layout.panels[.nodes]!.size, .utf8).lines
    #expect(panel[0].contains("trouble first"))
    #expect(panel.contains { $0.contains("node77") && $0.contains("dead") })
    let first = try #require(panel.firstIndex { $0.contains(" all ") })
    let cells = panel[first...].joined()
    #expect(cells.contains("╳") && cells.contains("▒"))
  }

  @Test func `keys that expire are counted in the panel's frame, and how far their deletion is behind`() {
    func note(_ expiry: ExpiryStatus?) -> String {
      var sample = Sample(nodes: 3)
      sample.expiry = expiry
      let state = DashboardState.watching(sample, Size(width: 120, height: 40))
      return NodesPanel.note(state, Size(width: 100, height: 10), .utf8)
    }
    #expect(note(nil).isEmpty)
    #expect(note(ExpiryStatus(keys: 0, soon: 0, deleted: 10, behindMs: 900)).isEmpty)
    #expect(note(ExpiryStatus(keys: 1, soon: 0, deleted: 0, behindMs: 0)) == "1 key expires")
    #expect(
      note(ExpiryStatus(keys: 12_400, soon: 311, deleted: 0, behindMs: 3_200))
        == "12.4 k keys expire, 311 within a minute, 3 s behind")
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60)], [12, 40, 100])
  func `many nodes leave the graphs a useful height`(size: (Int, Int), nodes: Int) throws {
    let layout = screen(nodes, size.0, size.1).layout
    #expect(try #require(layout.panels[.throughput]).height >= (size.1 < 30 ? 5 : 7))
    #expect(try #require(layout.panels[.nodes]).height >= 6)
    if size.1 >= 40 { #expect(try #require(layout.panels[.latency]).height >= 6) }
  }

  @Test func `more nodes than colours have letters beside these`() {
    let lines = Picture(screen(13), .utf8).canvas.lines
    #expect(lines.contains { $0.contains("A ● node1 ") })
    #expect(!Picture(screen(12), .utf8).canvas.lines.contains { $0.contains("A ● node1 ") })
  }

  @Test func `a filter by name is typed after a slash, and Esc shows all again`() {
    var state = screen(40)
    for key: Key in [.tab, .tab, .character("/")] { _ = state.handle(key) }
    type("de37", into: &state)
    #expect(state.nodes.map(\.name) == ["node37"])
    _ = state.handle(.enter)
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("/de37") })
    _ = state.handle(.escape)
    #expect(state.nodes.count == 40 && state.focus == .panel(.nodes))
  }

  @Test func `a click on a heading sorts by its column, a second one the other way round, and says so`() throws {
    var state = screen(5)
    _ = try click(&state, on: "keys", isHeading: true)
    #expect(state.nodes.map(\.name) == ["node1", "node2", "node3", "node4", "node5"])
    #expect(state.nodeOrder.criterion == .keys)
    _ = try click(&state, on: "keys", isHeading: true)
    #expect(state.nodes.first?.name == "node5")
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("nodes by keys, reversed") })
    _ = try click(&state, on: "node  ", isHeading: true)
    #expect(state.nodeOrder.criterion == .name)
  }

  @Test func `a right click on a node opens its menu, whose items are commands`() throws {
    var sample = Sample(nodes: 3)
    sample.nodes[1].state = .dead
    var state = DashboardState.watching(sample, Size(width: 120, height: 40))
    _ = try click(&state, on: "* node1", .rightPress)
    guard case .menu(let menu)? = state.overlay else { throw Missing() }
    #expect(menu.items.map(\.order) == [nil, .kill("node1"), .pause("node1"), .removeNode("node1")])
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("kill") })
    for _ in 0..<9 { _ = state.handle(.down) }
    _ = state.handle(.up)
    #expect(state.handle(.enter) == [.run("pause node1")])
    #expect(state.overlay == nil)
    state = DashboardState.watching(sample, Size(width: 120, height: 40))
    state.openMenu(ofNode: 1, column: 200, row: 90)
    guard case .menu(let dead)? = state.overlay else { throw Missing() }
    #expect(dead.items.map(\.order).contains(.restart("node2")))
    #expect(state.handle(.escape).isEmpty && state.overlay == nil)
  }

  private struct Missing: Error {}

  @Test func `a selected row keeps its colours`() throws {
    var state = screen(3)
    for key: Key in [.tab, .tab] { _ = state.handle(key) }
    let size = try #require(state.layout.panels[.nodes]).size
    let canvas = Picture.panel(.nodes, state, size, .utf8)
    let row = try #require(canvas.lines.firstIndex { $0.contains("node1") })
    let name = canvas[6, row].style
    #expect(name.background == Theme.midnight[.selectionBackground])
    #expect(name.foreground == Theme.midnight.node(0))
  }

  @Test func `bars stand for keys beside the mean, which is in their middle`() throws {
    var sample = Sample(nodes: 3)
    for node in 0..<3 { sample.nodes[node].keys = 1 }
    let state = DashboardState.watching(sample, Size(width: 200, height: 60))
    let lines = Picture.panel(.nodes, state, Size(width: 120, height: 10), .utf8).lines
    let row = try #require(lines.first { $0.contains("node1") })
    #expect(row.contains("■│·") || row.contains("■│"), "\(row)")
    #expect(row.contains("·"), "one key on each of three nodes is no full bar: \(row)")
  }
}
