import KVCluster

/// How far a membership change is: `join node6  ▓▓▓░  41 %  1.2 M keys  12 MiB/s  8 s left`.
package enum ChangePanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let status = state.status, let change = status.change else { return canvas }
    let figures = fitting(figures(change, status), width: size.width)
    let start = drawName(change, status, on: &canvas, look)
    let end = size.width - figures.reduce(1) { $0 + $1.columns + 2 }
    if end - start >= 8 {
      let color = node(change, status).map { look.theme.node($0.id) } ?? look.theme[.info]
      Meter.drawProgress(change.fraction, column: start, row: 0, width: end - start, color: color, on: &canvas, look)
    }
    var column = Swift.max(start, end)
    for figure in figures {
      let style = look.style(change.waitingFor == nil ? .text : .warn)
      column = canvas.write(figure, column: column + 2, row: 0, style)
    }
    return canvas
  }

  private static func node(_ change: ChangeStatus, _ status: ClusterStatus) -> NodeStatus? {
    status.nodes.first { $0.name == change.node }
  }

  private static func drawName(
    _ change: ChangeStatus, _ status: ClusterStatus, on canvas: inout Canvas, _ look: Look
  ) -> Int {
    let arrow = look.glyphs.longArrow
    let verb = change.kind == .join ? "\(arrow) join" : "leave \(arrow)"
    let column = canvas.write(verb, column: 1, row: 0, look.style(.info, .bold)) + 1
    let color = node(change, status).map { look.theme.node($0.id) } ?? look.theme[.text]
    return canvas.write(change.node, column: column, row: 0, Style(color, on: look.theme[.background], [.bold])) + 2
  }

  /// The least important last: what does not fit beside a readable bar is left out from the end.
  private static func figures(_ change: ChangeStatus, _ status: ClusterStatus) -> [String] {
    var figures = [Figures.percent(change.fraction).rightAligned(5)]
    if let reason = change.waitingFor { return figures + ["waits: \(reason)"] }
    let seconds = Double(change.elapsedNs) / 1e9
    if let left = secondsLeft(change) { figures.append("\(Figures.duration(seconds: left)) left".rightAligned(9)) }
    figures.append("\(Figures.count(change.keysMoved)) keys".rightAligned(11))
    if seconds >= 0.5 { figures.append("\(Figures.bytes(Double(change.bytesMoved) / seconds))/s".rightAligned(10)) }
    if let moved = RingFigures.moved(status) {
      figures.append("moves \(Figures.precisePercent(moved.part)) (ideal \(Figures.precisePercent(moved.ideal)))")
    }
    return figures
  }

  private static func fitting(_ figures: [String], width: Int) -> [String] {
    var kept = figures
    while kept.count > 1, kept.reduce(0, { $0 + $1.columns + 2 }) > width - 32 { kept.removeLast() }
    return kept
  }

  /// Assumes that the rest goes as fast as what is done; says nothing until that is known.
  private static func secondsLeft(_ change: ChangeStatus) -> Double? {
    guard change.fraction > 0.02, change.fraction <= 1 else { return nil }
    return (Double(change.elapsedNs) / 1e9 * (1 - change.fraction) / change.fraction).rounded(.up)
  }
}
