import ClusterModel

/// All nodes of a large cluster in a few rows, one cell a node. The cell shows the node's fault if it has one, else its load
/// compared with the other nodes.
enum NodeCells {
  /// Columns before the cells.
  private static let labelWidth = 5

  /// Rows that they take below a table that does not show all nodes; 0 if it does, or they would take half of it.
  static func rows(_ state: DashboardState, _ size: Size) -> Int {
    let count = state.status?.nodes.count ?? 0
    guard count > size.height - 1, !state.isZoomed, size.width > labelWidth + 8 else { return 0 }
    let rows = (count + size.width - labelWidth - 1) / (size.width - labelWidth)
    return rows <= (size.height - 1) / 2 ? rows : 0
  }

  static func draw(_ state: DashboardState, row: Int, rows: Int, on canvas: inout Canvas, _ look: Look) {
    guard let nodes = state.status?.nodes else { return }
    canvas.write("all", column: 1, row: row, look.style(.dim))
    let width = canvas.width - labelWidth
    let rates = nodes.map { state.seen.operationsPerSecond(ofNode: $0.id) }
    let most = rates.compactMap { $0 }.max() ?? 0
    for (index, node) in nodes.enumerated() {
      let (column, line) = (labelWidth + index % width, index / width)
      guard line < rows else { return }
      let condition = RingOwners.Condition(node, state.seen)
      if let texture = condition.texture(look.glyphs) {
        canvas.put(texture, column: column, row: row + line, look.style(condition == .dead ? .bad : .warn, .bold))
        continue
      }
      guard let rate = rates[index] else {
        canvas.write(look.glyphs.dash, column: column, row: row + line, look.style(.dim))
        continue
      }
      let part = most > 0 ? rate / most : 0
      let levels = look.glyphs.isASCII ? look.glyphs.asciiLevels : look.glyphs.columnsUp
      let level = levels[Swift.min(levels.count - 1, Int(part * Double(levels.count)))]
      canvas.put(level, column: column, row: row + line, Style(look.theme.node(node.id), on: look.theme[.background]))
    }
  }
}
