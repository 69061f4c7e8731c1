import Text

/// Operations as bars over time, a lane a client, as the checker draws them: two that overlap may have taken effect in either
/// order, two that do not may not.
enum CallLanes {
  static func draw(_ playback: Playback, on canvas: inout Canvas, _ look: Look) {
    let names = Swift.min(playback.lanes.map(\.name.columns).max() ?? 0, Swift.max(0, canvas.width / 4))
    let width = canvas.width - names - 3
    guard width > 4 else { return }
    let span = GraphSpan(
      startNs: playback.nowNs - Swift.min(playback.nowNs, playback.windowNs), endNs: playback.nowNs)
    let shown = shown(playback.lanes, canvas.height)
    for (row, lane) in shown.enumerated() {
      canvas.write(
        lane.name.fitted(to: names, ellipsis: look.glyphs.ellipsis), column: 1, row: row, look.style(.dim))
      for call in lane.calls {
        draw(call, span, first: names + 2, width: width, row: row, on: &canvas, look)
      }
    }
  }

  /// Where there are more clients than rows: clients with operations that no order explains, then the first.
  private static func shown(_ lanes: [Playback.Lane], _ count: Int) -> [Playback.Lane] {
    guard lanes.count > count else { return lanes }
    let offending = lanes.indices.filter { lanes[$0].calls.contains { $0.isOffending } }
    let others = lanes.indices.filter { !offending.contains($0) }
    return (offending + others).prefix(count).sorted().map { lanes[$0] }
  }

  private static func draw(
    _ call: Playback.Call, _ span: GraphSpan, first: Int, width: Int, row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    guard call.fromNs <= span.endNs, call.toNs >= span.startNs else { return }
    let begins = call.fromNs >= span.startNs
    let left = begins ? span.column(ofNs: call.fromNs, of: width) ?? 0 : 0
    let right = span.column(ofNs: Swift.min(call.toNs, span.endNs), of: width) ?? width - 1
    let style = style(call, look)
    guard right > left else {
      return canvas.put(look.glyphs.vertical, column: first + left, row: row, style)
    }
    let inside = right - left - 1
    let text = inside >= 3 ? call.text.fitted(to: inside, ellipsis: look.glyphs.ellipsis) : ""
    canvas.write(begins ? "[" : look.glyphs.ellipsis, column: first + left, row: row, style)
    var column = canvas.write(text, column: first + left + 1, row: row, style)
    while column < first + right {
      canvas.put(look.glyphs.horizontal, column: column, row: row, style)
      column += 1
    }
    let end =
      switch call.ending {
      case .open: look.glyphs.arrow.columns == 1 ? look.glyphs.arrow : ">"
      case .answered: "]"
      case .unknown: "?"
      case .refused: "x"
      }
    canvas.write(end, column: first + right, row: row, style)
  }

  private static func style(_ call: Playback.Call, _ look: Look) -> Style {
    if call.isOffending { return look.style(.bad, [.bold, .reverse]) }
    switch call.ending {
    case .unknown: return look.style(.warn)
    case .refused: return look.style(.dim)
    case .open, .answered: return look.style(call.isWrite ? .graphWriteEnd : .graphReadEnd)
    }
  }
}
