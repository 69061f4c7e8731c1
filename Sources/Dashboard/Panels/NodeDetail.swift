import ClusterModel
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
    drawHead(node, state.seen.trouble(ofNode: node), state.advice, on: &canvas, look)
    drawLog(node, row: 2, on: &canvas, look)
    let lines = lines(node, state.seen, state.nodes, look)
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
    _ node: NodeStatus, _ trouble: FaultSummary.Trouble?, _ advice: CommandAdvice,
    on canvas: inout Canvas, _ look: Look
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
      case .recovering(let fraction): "reads its log" + (fraction.map { ", \(Figures.percent($0))" } ?? "")
      case .dead:
        (node.hintsWaiting == nil ? "" : "its writes wait as hints; ")
          + (advice.advise(.restart(node.name)) ?? "it is back when its program runs again")
          + (node.replacedInNs.map {
            ", in \(Figures.duration(seconds: (Double($0) / 1e9).rounded(.up))) it is replaced"
          } ?? "")
      case .up, .joining, .leaving:
        trouble.map { $0.words(node.name, advice) }
          ?? (node.wal?.isSuspect == true ? "has lost records; rebuilt from the others before it votes" : "")
      }
    canvas.write(
      words.fitted(to: canvas.width - column, ellipsis: look.glyphs.ellipsis), column: column, row: 0, look.style(.dim))
  }

  /// The log as a bar of live and dead bytes.
  private static func drawLog(_ node: NodeStatus, row: Int, on canvas: inout Canvas, _ look: Look) {
    canvas.write("log", column: 1, row: row, look.style(.dim))
    let isDown = RingOwners.Condition.isDown(node.state)
    guard let wal = node.wal, wal.bytes > 0, !isDown else {
      let word =
        node.wal == nil ? look.glyphs.dash : isDown ? "on the disk; read when the node starts" : "empty"
      canvas.write(word, column: labelWidth, row: row, look.style(.dim))
      return
    }
    let parts = [(wal.liveBytes, "live"), (wal.deadBytes, "dead")].compactMap { bytes, word in
      bytes.map { "\(Figures.bytes($0)) \(word)" }
    }
    let text = parts.isEmpty ? Figures.bytes(wal.bytes) : parts.joined(separator: ", ")
    let width = Swift.min(40, canvas.width - labelWidth - text.columns - 3)
    var column = labelWidth
    if width >= 6, let live = wal.liveFraction {
      Meter.draw(live, column: column, row: row, width: width, on: &canvas, look)
      column += width + 2
    }
    canvas.write(text, column: column, row: row, look.style(.text))
  }

  private static func lines(
    _ node: NodeStatus, _ seen: Observations, _ nodes: [NodeStatus], _ look: Look
  ) -> [Line] {
    let dash = look.glyphs.dash
    let hints = hints(node)
    let first = seen.ringDigest.firstParts[node.id].map { "\(Figures.precisePercent($0)) of the ring" }
    let all = node.share.map { "\(Figures.precisePercent($0)) with all copies" }
    let parts = [first, all].compactMap { $0 }.joined(separator: ", ")
    let owns = Line(label: "owns", text: parts.isEmpty ? dash : parts, key: .text)
    let waiting =
      node.role.map { Line(label: "role", text: RoleWords.text($0, nodes), key: .text) }
      ?? Line(label: "hints", text: hints ?? dash, key: node.hintsWaiting ?? 0 > 0 ? .warn : .text)
    // Its memory is gone, and what its log holds is known when it starts again.
    if RingOwners.Condition.isDown(node.state) { return [owns, waiting] }
    let deleted = node.tombstones.map { ", \(Figures.short($0)) deleted" } ?? ""
    let damages = node.wal?.damages
    return [
      Line(label: "keys", text: node.keys.map { Figures.short($0) + deleted } ?? dash, key: .text),
      owns,
      Line(label: "cache", text: cache(node) ?? dash, key: .text),
      Line(label: "segments", text: node.wal.flatMap(segments) ?? dash, key: .text),
      Line(label: "compacted", text: node.wal.flatMap(compacted) ?? dash, key: .text),
      Line(
        label: "damage",
        text: damages.map { $0 > 0 ? "\(Figures.count($0)) found since it started" : "none found" } ?? dash,
        key: damages ?? 0 > 0 ? .warn : .text),
      waiting,
    ]
  }

  private static func hints(_ node: NodeStatus) -> String? {
    guard let count = node.hintsWaiting else { return nil }
    guard count > 0 else { return "none waiting" }
    let bytes = node.hintBytes.map { $0 > 0 ? ", \(Figures.bytes($0))" : "" } ?? ""
    return "\(Figures.count(count, "write")) \(Figures.word(count, "waits", "wait")) for it\(bytes)"
  }

  private static func cache(_ node: NodeStatus) -> String? {
    guard let bytes = node.cache?.bytes else { return nil }
    return Figures.bytes(bytes) + (node.cache?.capacityBytes.map { " of \(Figures.bytes($0))" } ?? "")
  }

  private static func segments(_ wal: WalStatus) -> String? {
    let times = [(0.5, "p50"), (0.99, "p99")].compactMap { part, name in
      wal.syncLatencies?.percentileNs(part).map { "\(name) \(Figures.time(ns: Double($0)))" }
    }.joined(separator: ", ")
    let syncs = wal.syncs.map { Figures.count(Int(clamping: $0), "sync") + (times.isEmpty ? "" : ": \(times)") }
    let parts = [wal.segments.map(String.init), syncs].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  private static func compacted(_ wal: WalStatus) -> String? {
    wal.compactions.map { count in
      guard count > 0 else { return "none yet" }
      let bytes = wal.compactedBytes.map { ", \(Figures.bytes($0)) written again" } ?? ""
      return "\(Figures.count(count, "segment")) emptied\(bytes)"
    }
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
        seen.operationsPerSecond(ofNode: node.id).map { Figures.short($0) } ?? look.glyphs.dash
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
