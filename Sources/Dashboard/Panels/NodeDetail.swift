import KVCluster
import Text

/// All there is to say of the selected node.
package enum NodeDetail {
  /// Rows after which nothing is left to say.
  static let rowsWanted = 13

  /// With its frame, for a screen that has room for it beside the other panels.
  static func panel(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    PanelFrame.frame(
      draw(state, PanelFrame.inner(size), look), title: "node",
      note: state.status == nil ? "" : "Tab to nodes, then select",
      size: size, isFocused: false, look)
  }

  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard state.nodes.indices.contains(state.selectedNode) else { return canvas }
    let node = state.nodes[state.selectedNode]
    drawHead(node, state.seen.trouble(ofNode: node), on: &canvas, look)
    drawLog(node, row: 2, on: &canvas, look)
    let lines = lines(node, state.seen, look)
    for (offset, line) in lines.enumerated() {
      let row = 4 + offset
      canvas.write(line.label, column: 1, row: row, look.style(.dim))
      canvas.write(line.text, column: labelWidth, row: row, look.style(line.key))
    }
    drawTrends(node, state.seen, row: 5 + lines.count, on: &canvas, look)
    return canvas
  }

  private static let labelWidth = 11
  private struct Line { var label: String, text: String, key: ThemeKey }

  private static func drawHead(
    _ node: NodeStatus, _ trouble: FaultSummary.Trouble?, on canvas: inout Canvas, _ look: Look
  ) {
    let style = Style(look.theme.node(node.id), on: look.theme[.background], [.bold])
    var column = canvas.write(node.name, column: 1, row: 0, style) + 2
    let stateStyle = look.style(trouble == nil ? look.theme.key(for: node.state) : .warn, .bold)
    let word =
      trouble.map { "\($0.sign(look.glyphs)) \($0.word)" } ?? "\(look.glyphs.state(node.state)) \(node.state.word)"
    column = canvas.write(word, column: column, row: 0, stateStyle) + 2
    let words =
      switch node.state {
      case .failed(let reason): reason
      case .recovering(let fraction): "reads its log, \(Figures.percent(fraction))"
      case .dead:
        "its writes wait as hints; `restart \(node.name)` brings it back"
          + (node.replacedInNs.map {
            ", in \(Figures.duration(seconds: (Double($0) / 1e9).rounded(.up))) it is replaced"
          } ?? "")
      case .up, .joining, .leaving:
        trouble.map { $0.words(node.name) }
          ?? (node.wal.isSuspect ? "has lost records; rebuilt from the others before it votes" : "")
      }
    canvas.write(
      words.fitted(to: canvas.width - column, ellipsis: look.glyphs.ellipsis), column: column, row: 0, look.style(.dim))
  }

  /// The log as a bar of live and dead bytes.
  private static func drawLog(_ node: NodeStatus, row: Int, on canvas: inout Canvas, _ look: Look) {
    canvas.write("log", column: 1, row: row, look.style(.dim))
    let wal = node.wal
    let isDown = RingOwners.Condition.isDown(node.state)
    guard wal.bytes > 0, !isDown else {
      let word = isDown ? "on the disk; read when the node starts" : "empty"
      canvas.write(word, column: labelWidth, row: row, look.style(.dim))
      return
    }
    let text = "\(Figures.bytes(wal.liveBytes)) live, \(Figures.bytes(wal.deadBytes)) dead"
    let width = Swift.min(40, canvas.width - labelWidth - text.columns - 3)
    var column = labelWidth
    if width >= 6 {
      Meter.draw(Double(wal.liveBytes) / Double(wal.bytes), column: column, row: row, width: width, on: &canvas, look)
      column += width + 2
    }
    canvas.write(text, column: column, row: row, look.style(.text))
  }

  private static func lines(_ node: NodeStatus, _ seen: Observations, _ look: Look) -> [Line] {
    let wal = node.wal
    let sync = [(0.5, "p50"), (0.99, "p99")].compactMap { part, name in
      wal.syncLatencies.percentileNs(part).map { "\(name) \(Figures.time(ns: Double($0)))" }
    }.joined(separator: ", ")
    let compacted =
      wal.compactions > 0
      ? "\(Figures.count(wal.compactions, "segment")) emptied, \(Figures.bytes(wal.compactedBytes)) written again"
      : "none yet"
    let damage = wal.damages > 0 ? "\(wal.damages) found since it started" : "none found"
    let hintBytes = node.hintBytes > 0 ? ", \(Figures.bytes(node.hintBytes))" : ""
    let hints =
      node.hintsWaiting > 0
      ? "\(Figures.count(node.hintsWaiting, "write")) \(Figures.word(node.hintsWaiting, "waits", "wait")) for it\(hintBytes)"
      : "none waiting"
    let owns = Line(
      label: "owns", text: "\(Figures.precisePercent(node.share)) of the ring, all copies counted", key: .text)
    let waiting = Line(label: "hints", text: hints, key: node.hintsWaiting > 0 ? .warn : .text)
    // Its memory is gone, and what its log holds is known when it starts again.
    if RingOwners.Condition.isDown(node.state) { return [owns, waiting] }
    return [
      Line(label: "keys", text: "\(Figures.short(node.keys)), \(Figures.short(node.tombstones)) deleted", key: .text),
      owns,
      Line(
        label: "cache",
        text: "\(Figures.bytes(node.cache.bytes)) of \(Figures.bytes(node.cache.capacityBytes))", key: .text),
      Line(
        label: "segments",
        text: "\(wal.segments), \(Figures.count(Int(clamping: wal.syncs), "sync"))\(sync.isEmpty ? "" : ": \(sync)")",
        key: .text),
      Line(label: "compacted", text: compacted, key: .text),
      Line(label: "damage", text: damage, key: wal.damages > 0 ? .warn : .text),
      waiting,
    ]
  }

  private static func drawTrends(
    _ node: NodeStatus, _ seen: Observations, row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let width = Swift.min(60, canvas.width - labelWidth - 10)
    guard width >= 8 else { return }
    let operations = seen.operations(ofNode: node.id, last: width)
    let trends: [(label: String, values: [Double?], top: Double, now: String)] = [
      (
        "ops/s", operations, operations.compactMap { $0 }.max() ?? 0,
        Figures.short(seen.operationsPerSecond(ofNode: node.id))
      ),
      (
        "hits", seen.hitRates(ofNode: node.id, last: width), 1,
        RingOwners.Condition.isDown(node.state)
          ? look.glyphs.dash : seen.hitRate(ofNode: node.id).map { Figures.percent($0) } ?? look.glyphs.dash
      ),
    ]
    for (offset, trend) in trends.enumerated() {
      canvas.write(trend.label, column: 1, row: row + offset, look.style(.dim))
      Sparkline.draw(
        trend.values, top: trend.top, column: labelWidth, row: row + offset, width: width, on: &canvas, look)
      canvas.write(trend.now.rightAligned(7), column: labelWidth + width + 1, row: row + offset, look.style(.text))
    }
  }
}
