import ClusterModel

extension DashboardState {
  /// Opens the menu of the node in a cell of the nodes' table; elsewhere nothing happens.
  mutating func openMenu(column: Int, row: Int) {
    guard let rect = layout.panels[.nodes], rect.contains(column: column, row: row) else { return }
    let edge = PanelFrame.isWorthwhile(rect.size) ? 1 : 0
    guard let index = NodesPanel.node(atRow: row - rect.row - edge, self, PanelFrame.inner(rect.size)) else { return }
    openMenu(ofNode: index, column: column + 1, row: row)
  }

  package mutating func openMenu(ofNode index: Int, column: Int, row: Int) {
    guard nodes.indices.contains(index) else { return }
    selectedNode = index
    focus = .panel(.nodes)
    let node = nodes[index]
    let isPaused = status?.pausedNodes.contains(node.id) ?? false
    overlay = .menu(NodeMenu(node, isPaused: isPaused, advice.features, column: column, row: row))
  }

  mutating func handle(_ key: Key, in menu: NodeMenu) -> [Action] {
    var menu = menu
    switch key {
    case .up, .character("k"): menu.selected = Swift.max(0, menu.selected - 1)
    case .down, .character("j"): menu.selected = Swift.min(menu.items.count - 1, menu.selected + 1)
    case .enter: return choose(menu.selected, of: menu)
    case .escape, .character("q"):
      overlay = nil
      return []
    default: return []
    }
    overlay = .menu(menu)
    return []
  }

  mutating func choose(_ index: Int, of menu: NodeMenu) -> [Action] {
    overlay = nil
    guard let order = menu.items[index].order else {
      if !isZoomed { toggleZoom(of: .nodes) }
      return []
    }
    return run(advice.choose(.order(order)))
  }
}

/// Words that are shown for a moment, where nothing else says that a key was taken.
struct Toast: Equatable, Sendable {
  var text: String
  var atNs: UInt64

  /// Long enough to be read, and gone before it is asked about.
  private static let shownNs: UInt64 = 3_000_000_000

  func isShown(nowNs: UInt64) -> Bool { nowNs < atNs + Self.shownNs }
}
