import KVCluster

/// The nodes as a table, a row each.
package enum NodesPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let status = state.status else { return canvas }
    let columns = NodesColumns(width: size.width, names: status.nodes.map(\.name))
    let rows = Swift.max(0, size.height - 1)
    let selected = state.focus == .panel(.nodes) ? state.selectedNode : nil
    drawTitles(columns, on: &canvas, look)
    let first = firstRow(selected: selected ?? 0, rows: rows, count: status.nodes.count)
    let keysMax = status.nodes.map(\.keys).max() ?? 0
    for (row, index) in (first..<Swift.min(status.nodes.count, first + rows)).enumerated() {
      let node = status.nodes[index]
      let context = Row(
        node: node, operations: state.operationsPerSecond(ofNode: node.id), keysMax: keysMax, look: look)
      context.draw(columns, row: row + 1, isSelected: index == selected, on: &canvas)
    }
    return canvas
  }

  /// How many nodes there are, and which of them are shown where not all fit.
  static func note(_ state: DashboardState, _ size: Size) -> String {
    guard let status = state.status else { return "" }
    let rows = Swift.max(0, size.height - 1)
    guard status.nodes.count > rows, rows > 0 else { return "" }
    let selected = state.focus == .panel(.nodes) ? state.selectedNode : 0
    let first = firstRow(selected: selected, rows: rows, count: status.nodes.count)
    return "\(first + 1)-\(first + rows) of \(status.nodes.count)"
  }

  private static func firstRow(selected: Int, rows: Int, count: Int) -> Int {
    Swift.max(0, Swift.min(selected - rows / 2, count - rows))
  }

  private static func drawTitles(_ columns: NodesColumns, on canvas: inout Canvas, _ look: Look) {
    let style = look.style(.dim)
    canvas.write("node", column: NodesColumns.signsWidth, row: 0, style)
    for placed in columns.placed {
      let title = placed.column.title
      if placed.column.isLeftAligned {
        canvas.write(title, column: placed.start, row: 0, style)
      } else {
        canvas.write(title, endingAt: placed.start + placed.width, row: 0, style)
      }
    }
  }
}

/// One node's row.
private struct Row {
  let node: NodeStatus
  let operations: Double
  let keysMax: Int
  let look: Look

  func draw(_ columns: NodesColumns, row: Int, isSelected: Bool, on canvas: inout Canvas) {
    var line = Canvas(Size(width: canvas.width, height: 1), background: look.style(.text))
    let color = look.theme.node(node.id)
    let swatch = look.usesLetters ? look.letter(node.id) : look.glyphs.swatch
    line.put(swatch, column: 0, row: 0, Style(color, on: look.theme[.background], [.bold]))
    line.write(look.glyphs.state(node.state), column: 2, row: 0, stateStyle)
    let name = node.name.fitted(to: columns.nameWidth - NodesColumns.signsWidth, ellipsis: look.glyphs.ellipsis)
    line.write(name, column: NodesColumns.signsWidth, row: 0, Style(color, on: look.theme[.background], [.bold]))
    for placed in columns.placed { draw(placed, on: &line) }
    if isSelected { line.restyle(selected) }
    canvas.draw(line, column: 0, row: row)
  }

  private var stateStyle: Style { look.style(look.theme.key(for: node.state), .bold) }
  private var isServing: Bool { node.state.isServing }

  private func selected(_ style: Style) -> Style {
    let background = look.theme[.selectionBackground]
    // Without a colour of its own a selection is shown by reversing.
    if background.isTerminal { return style.reversed }
    return style.on(background)
  }

  private func draw(_ placed: NodesColumns.Placed, on line: inout Canvas) {
    switch placed.column {
    case .state:
      line.write(stateWord(width: placed.width), column: placed.start, row: 0, stateStyle)
    case .keysMeter:
      let fraction = keysMax > 0 ? Double(node.keys) / Double(keysMax) : 0
      Meter.draw(fraction, column: placed.start, row: 0, width: placed.width, on: &line, look)
    default:
      let (text, key) = figure(placed.column)
      line.write(text, endingAt: placed.start + placed.width, row: 0, look.style(key))
    }
  }

  private func stateWord(width: Int) -> String {
    guard case .recovering(let fraction) = node.state else {
      // It serves writes and is compared with the others before it votes again.
      let word = node.wal.isSuspect ? "rebuilding" : node.state.word
      return word.fitted(to: width, ellipsis: look.glyphs.ellipsis)
    }
    let figure = Figures.percent(fraction)
    return width >= 9 ? "logs \(figure)" : figure
  }

  private func figure(_ column: NodesColumns.Column) -> (String, ThemeKey) {
    switch column {
    case .share: (Figures.percent(node.share), .text)
    case .keys: (Figures.count(node.keys), isServing ? .text : .dim)
    case .cache: node.cache.hitRate.map { (Figures.percent($0), .text) } ?? (look.glyphs.dash, .dim)
    case .wal: (Figures.bytes(node.wal.bytes), .text)
    case .live:
      node.wal.bytes > 0
        ? (Figures.percent(Double(node.wal.liveBytes) / Double(node.wal.bytes)), .text) : (look.glyphs.dash, .dim)
    case .hints: node.hintsWaiting > 0 ? (Figures.count(node.hintsWaiting), .warn) : (look.glyphs.dash, .dim)
    case .operations: isServing ? (Figures.count(operations), .text) : (look.glyphs.dash, .dim)
    case .state, .keysMeter: ("", .text)
    }
  }
}
