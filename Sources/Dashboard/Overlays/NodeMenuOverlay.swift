import ClusterModel

/// Menu of a node, at the click.
package struct NodeMenu: Equatable, Sendable {
  package struct Item: Equatable, Sendable {
    package var words: String
    /// The order that it gives; `nil` shows the node's details.
    package var order: AdminCommand?
  }

  package var node: String
  package var items: [Item]
  package internal(set) var selected = 0
  /// The cell that was clicked.
  var column: Int
  var row: Int

  package init(_ node: NodeStatus, isPaused: Bool, _ features: Set<Capabilities.Feature>, column: Int, row: Int) {
    let name = node.name
    self.node = name
    (self.column, self.row) = (column, row)
    func item(_ verb: String, _ order: AdminCommand) -> Item? {
      features.contains(order.feature) ? Item(words: verb, order: order) : nil
    }
    let life =
      node.state.isDown
      ? [item("restart", .restart(name))]
      : [item("kill", .kill(name)), isPaused ? item("resume", .resume(name)) : item("pause", .pause(name))]
    items = [Item(words: "details", order: nil)]
    items += (life + [item("remove", .removeNode(name))]).compactMap { $0 }
  }
}

/// The menu as a box.
enum NodeMenuOverlay {
  static func size(_ menu: NodeMenu, _ screen: Size) -> Size {
    let width = Swift.max(menu.node.columns + 8, (menu.items.map(\.words.columns).max() ?? 0) + 6)
    return Size(width: Swift.min(screen.width, width), height: Swift.min(screen.height, menu.items.count + 2))
  }

  /// Where the box stands: at the click, as far as the screen has room there.
  static func place(_ menu: NodeMenu, _ screen: Size) -> (column: Int, row: Int) {
    let size = size(menu, screen)
    return (
      Swift.max(0, Swift.min(menu.column, screen.width - size.width)),
      Swift.max(0, Swift.min(menu.row, screen.height - size.height))
    )
  }

  static func draw(_ menu: NodeMenu, _ screen: Size, _ look: Look) -> Canvas {
    let size = size(menu, screen)
    var content = Canvas(PanelFrame.inner(size), background: look.style(.text))
    for (row, item) in menu.items.enumerated() {
      let style = row == menu.selected ? look.style(.accent, [.bold, .reverse]) : look.style(.text)
      content.write(" \(item.words) ", column: 0, row: row, style)
    }
    return PanelFrame.frame(content, title: menu.node, size: size, isFocused: false, look)
  }

  /// The item in a cell of the screen; `nil` beside them.
  static func item(at column: Int, _ row: Int, _ menu: NodeMenu, _ screen: Size) -> Int? {
    let (place, size) = (place(menu, screen), size(menu, screen))
    let edge = PanelFrame.isWorthwhile(size) ? 1 : 0
    let index = row - place.row - edge
    guard column >= place.column, column < place.column + size.width, menu.items.indices.contains(index) else {
      return nil
    }
    return index
  }
}
