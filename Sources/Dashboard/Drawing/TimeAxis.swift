import ClusterModel
import Text

/// The line of time that graphs stand on, with marks where a node was added, removed, killed or restarted.
enum TimeAxis {
  /// The axis of what was seen, which ends now.
  static func draw(_ state: DashboardState, row: Int, on canvas: inout Canvas, _ look: Look) {
    let perCell = look.glyphs.kind == .braille ? 2 : 1
    let span = Double(canvas.width * perCell) * Double(ThroughputHistory.bucketNs) / 1e9
    let places = state.history.marks.compactMap { mark in
      state.history.age(ofNs: mark.atNs).map { Place(mark: mark, column: canvas.width - 1 - $0 / perCell) }
    }
    draw("-\(Figures.duration(seconds: span))", places, row: row, on: &canvas, look)
  }

  /// The axis of a span of time, from its start at the left; marks outside are left out.
  static func draw(
    _ label: String, _ marks: [ThroughputHistory.Mark], from startNs: UInt64, lengthNs: UInt64, row: Int,
    on canvas: inout Canvas, _ look: Look
  ) {
    let places = marks.filter { $0.atNs >= startNs && $0.atNs - startNs <= lengthNs }.map { mark in
      let part = Double(mark.atNs - startNs) / Double(Swift.max(1, lengthNs))
      return Place(mark: mark, column: Swift.min(canvas.width - 1, Int(part * Double(canvas.width))))
    }
    draw(label, places, row: row, on: &canvas, look)
  }

  private struct Place { var mark: ThroughputHistory.Mark, column: Int }

  private static func draw(
    _ label: String, _ places: [Place], row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    for column in 0..<canvas.width { canvas.put(look.glyphs.axis, column: column, row: row, look.style(.border)) }
    canvas.write(label, column: 0, row: row, look.style(.dim))
    drawMarks(places.reversed().filter { $0.column >= 0 }, row: row, on: &canvas, look)
  }

  /// From the newest back: each with its node's name behind it, or alone where there is no room. At the right edge a mark
  /// gives way to the left by as much as its name needs.
  private static func drawMarks(_ marks: [Place], row: Int, on canvas: inout Canvas, _ look: Look) {
    // The rightmost column that has no label yet.
    var free = canvas.width
    for (index, place) in marks.enumerated() where place.column < free {
      let (mark, column) = (place.mark, place.column)
      guard let sign = look.glyphs.mark(mark.kind) else { continue }
      let style = look.style(markKey(mark.kind), .bold)
      let older = marks.dropFirst(index + 1).first { $0.column < column }?.column ?? -1
      let start = Swift.min(column, free - 1 - mark.node.columns)
      if start == column || start > older {
        canvas.write(sign + mark.node, column: start, row: row, style)
        free = start - 1
      } else {
        canvas.write(sign, column: column, row: row, style)
        free = column
      }
    }
  }

  private static func markKey(_ kind: ClusterEvent.Kind) -> ThemeKey {
    switch kind {
    case .join, .restart: .ok
    case .kill: .bad
    case .leave: .warn
    case .cluster, .recovery, .hints, .storage: .graphMark
    }
  }
}
