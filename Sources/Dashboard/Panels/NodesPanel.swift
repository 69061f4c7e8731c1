import ClusterModel
import Text

/// The nodes as a table, a row each.
package enum NodesPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard state.status != nil else { return canvas }
    let nodes = state.nodes
    let columns = columns(nodes, width: size.width)
    let rows = rows(state, size)
    let selected = state.focus == .panel(.nodes) || state.layout.detail.height > 0 ? state.selectedNode : nil
    drawTitles(columns, state.nodeOrder, on: &canvas, look)
    let scale = KeysScale(nodes)
    for (row, index) in rows.enumerated() {
      let context = Row(
        node: nodes[index], seen: state.seen, scale: scale, showsLetters: look.showsLetters(nodes.count), look: look)
      context.draw(columns, row: row + 1, isSelected: index == selected, on: &canvas)
    }
    if nodes.isEmpty, state.nodeFilter.isActive {
      canvas.write("no node's name has it; Esc shows all", column: NodesColumns.signsWidth, row: 1, look.style(.dim))
    }
    let cells = NodeCells.rows(state, size)
    if cells > 0 { NodeCells.draw(state, row: size.height - cells, rows: cells, on: &canvas, look) }
    if state.isZoomed, size.height - rows.count - 2 >= 4 {
      let area = Rect(column: 0, row: rows.count + 2, width: size.width, height: size.height - rows.count - 2)
      canvas.draw(NodeDetail.draw(state, area.size, look), column: area.column, row: area.row)
    }
    return canvas
  }

  /// How many nodes there are, and which of them are shown where not all fit.
  package static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    let rows = rows(state, size)
    let count = state.nodes.count
    var parts: [String] = []
    if state.nodeFilter.isActive { parts.append("/\(state.nodeFilter.text)\(state.nodeFilter.isTyping ? "_" : "")") }
    if state.hasTroubleFirst { parts.append("trouble first") }
    if state.nodeOrder != NodeOrder() {
      parts.append("by \(state.nodeOrder.criterion.word)\(state.nodeOrder.isReversed ? ", reversed" : "")")
    }
    if let expiry = state.status?.expiry, expiry.keys > 0 || expiry.behindMs >= 1_000 { parts.append(words(expiry)) }
    if count > rows.count, !rows.isEmpty { parts.append("\(rows.lowerBound + 1)-\(rows.upperBound) of \(count)") }
    return parts.joined(separator: " \(look.glyphs.separator) ")
  }

  private static func words(_ expiry: ExpiryStatus) -> String {
    let behind = Figures.duration(seconds: Double(expiry.behindMs) / 1_000)
    return "\(Figures.short(expiry.keys)) \(Figures.word(expiry.keys, "key expires", "keys expire"))"
      + (expiry.soon > 0 ? ", \(Figures.short(expiry.soon)) within a minute" : "")
      + (expiry.behindMs >= 1_000 ? ", \(behind) behind" : "")
  }

  /// The order that the heading in a column of cells stands for; `nil` where there is none.
  static func criterion(at column: Int, _ state: DashboardState, _ size: Size) -> NodeOrder.Criterion? {
    let columns = columns(state.nodes, width: size.width)
    if column < columns.nameWidth { return .name }
    return columns.placed.first { column >= $0.start - 1 && column < $0.start + $0.width }?.column.criterion
  }

  private static func columns(_ nodes: [NodeStatus], width: Int) -> NodesColumns {
    NodesColumns(
      width: width, names: nodes.map(\.name), hasHints: nodes.contains { $0.hintsWaiting ?? 0 > 0 },
      hasRoles: nodes.contains { $0.role != nil })
  }

  /// The node in a row of the panel, by position in the table.
  static func node(atRow row: Int, _ state: DashboardState, _ size: Size) -> Int? {
    let rows = rows(state, size)
    return row >= 1 && row <= rows.count ? rows.lowerBound + row - 1 : nil
  }

  /// The nodes that are in sight; zoomed, half of the room is the selected node's.
  private static func rows(_ state: DashboardState, _ size: Size) -> Range<Int> {
    let count = state.nodes.count
    var room = Swift.max(0, size.height - 1 - NodeCells.rows(state, size))
    if state.isZoomed, size.height >= 12 { room = Swift.max(room / 2, room - NodeDetail.rowsWanted - 1) }
    let selected = state.focus == .panel(.nodes) ? Swift.min(state.selectedNode, Swift.max(0, count - 1)) : 0
    let first = firstRow(selected: selected, rows: room, count: count)
    return first..<Swift.max(first, Swift.min(count, first + room))
  }

  private static func firstRow(selected: Int, rows: Int, count: Int) -> Int {
    Swift.max(0, Swift.min(selected - rows / 2, count - rows))
  }

  private static func drawTitles(_ columns: NodesColumns, _ order: NodeOrder, on canvas: inout Canvas, _ look: Look) {
    let style = look.style(.dim)
    canvas.write("node", column: NodesColumns.signsWidth, row: 0, style)
    for placed in columns.placed {
      let title = placed.column.title
      let isOrder = placed.column.criterion == order.criterion
      let style = isOrder ? look.style(.accent, [.bold, .underline]) : style
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
  let seen: Observations
  let scale: KeysScale
  let showsLetters: Bool
  let look: Look

  func draw(_ columns: NodesColumns, row: Int, isSelected: Bool, on canvas: inout Canvas) {
    guard canvas.width > 0 else { return }
    var line = Canvas(Size(width: canvas.width, height: 1), background: look.style(.text))
    let color = look.theme.node(node.id)
    let swatch = showsLetters ? look.letter(node.id) : look.glyphs.swatch
    line.put(swatch, column: 0, row: 0, Style(color, on: look.theme[.background], [.bold]))
    line.write(trouble?.sign(look.glyphs) ?? look.glyphs.state(node.state), column: 2, row: 0, stateStyle)
    let name = node.name.middleFitted(to: columns.nameWidth - NodesColumns.signsWidth, ellipsis: look.glyphs.ellipsis)
    line.write(name, column: NodesColumns.signsWidth, row: 0, Style(color, on: look.theme[.background], [.bold]))
    for placed in columns.placed { draw(placed, on: &line) }
    if isSelected {
      // A row has a few styles, and many cells of each.
      var known: [Style: Style] = [:]
      line.restyle { style in
        if let found = known[style] { return found }
        let found = selected(style)
        known[style] = found
        return found
      }
    }
    canvas.draw(line, column: 0, row: row)
  }

  private var trouble: FaultSummary.Trouble? { seen.trouble(ofNode: node) }
  private var stateStyle: Style { look.style(trouble == nil ? look.theme.key(for: node.state) : .warn, .bold) }
  private var isServing: Bool { node.state.isServing }
  /// A node that is down has no memory, and nobody reads its log: nothing is known of either.
  private var isDown: Bool { RingOwners.Condition.isDown(node.state) }

  private func selected(_ style: Style) -> Style {
    let background = look.theme[.selectionBackground]
    // Without a colour of its own a selection is shown by reversing.
    if background.isTerminal { return style.reversed }
    // Colours stay, because they mean something, as far as they can be read there.
    return Style(
      style.foreground.readable(on: background, towards: look.theme[.selectionText]), on: background, style.attributes)
  }

  private func draw(_ placed: NodesColumns.Placed, on line: inout Canvas) {
    switch placed.column {
    case .state:
      line.write(stateWord(width: placed.width), column: placed.start, row: 0, stateStyle)
    case .keysMeter where isDown || node.keys == nil, .cacheTrend where isDown || node.cache == nil: break
    case .keysMeter:
      scale.draw(node.keys ?? 0, column: placed.start, row: 0, width: placed.width, on: &line, look)
    case .cacheTrend:
      Sparkline.drawLine(
        seen.hitRates(ofNode: node.id, last: 2 * placed.width), column: placed.start, row: 0, width: placed.width,
        on: &line, look)
    default:
      let (text, key) = figure(placed.column)
      line.write(text, endingAt: placed.start + placed.width, row: 0, look.style(key))
    }
  }

  private func stateWord(width: Int) -> String {
    if case .dead = node.state, let ns = node.replacedInNs {
      // Until another takes its place. The sign before the name says that it is dead.
      let left = Figures.duration(seconds: (Double(ns) / 1e9).rounded(.up))
      if let word = ["dead \(left)", left].first(where: { $0.count <= width }) { return word }
    }
    guard case .recovering(let fraction) = node.state else {
      // It serves writes and is compared with the others before it votes again.
      let up = node.state == .up ? node.role?.word ?? node.state.word : node.state.word
      let word = trouble?.word ?? (node.wal?.isSuspect == true ? "rebuilding" : up)
      return word.fitted(to: width, ellipsis: look.glyphs.ellipsis)
    }
    let figure = fraction.map { Figures.percent($0) } ?? look.glyphs.dash
    return width >= 9 ? "logs \(figure)" : figure
  }

  /// Behind its master, if it has one.
  private var lag: (String, ThemeKey)? {
    guard case .replica(_, let lag)? = node.role else { return nil }
    if lag.isLinked == false { return ("no link", .warn) }
    return lag.bytes.map { (Figures.bytes($0), .text) }
  }

  private func figure(_ column: NodesColumns.Column) -> (String, ThemeKey) {
    let none = (look.glyphs.dash, ThemeKey.dim)
    if isDown, [.keys, .cache, .sync, .wal, .live, .lag].contains(column) { return none }
    return switch column {
    case .share: seen.ringDigest.firstParts[node.id].map { (Figures.percent($0), .text) } ?? none
    case .keys: node.keys.map { (Figures.short($0), isServing ? .text : .dim) } ?? none
    case .cache: seen.hitRate(ofNode: node.id).map { (Figures.percent($0), .text) } ?? none
    case .sync: seen.syncTail(ofNode: node.id).map { (Figures.time(ns: $0), .text) } ?? none
    case .wal: node.wal.map { (Figures.bytes($0.bytes), .text) } ?? none
    case .live: node.wal?.liveFraction.map { (Figures.percent($0), .text) } ?? none
    case .hints: node.hintsWaiting.flatMap { $0 > 0 ? (Figures.short($0), .warn) : nil } ?? none
    case .lag: lag ?? none
    case .operations:
      seen.operationsPerSecond(ofNode: node.id).flatMap { isServing ? (Figures.short($0), .text) : nil } ?? none
    case .state, .keysMeter, .cacheTrend: ("", .text)
    }
  }
}

/// The scale of the nodes' key bars. The mean of all nodes is in the middle of the bar, so the bars show skew.
struct KeysScale {
  private let mean: Double
  private let top: Double

  init(_ nodes: [NodeStatus]) {
    let keys = nodes.compactMap(\.keys)
    mean = keys.isEmpty ? 0 : Double(keys.reduce(0, +)) / Double(keys.count)
    top = Swift.max(2 * mean, Double(keys.max() ?? 0))
  }

  func draw(_ keys: Int, column: Int, row: Int, width: Int, on canvas: inout Canvas, _ look: Look) {
    guard width > 0, top > 0 else { return }
    Meter.draw(Double(keys) / top, column: column, row: row, width: width, on: &canvas, look)
    let place = Swift.min(width - 1, Int(mean / top * Double(width)))
    canvas.put(look.glyphs.meanMark, column: column + place, row: row, look.style(.title))
  }
}
