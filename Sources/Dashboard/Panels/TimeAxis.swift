import KVCluster

/// The line of time that graphs stand on, with marks where a node was added, removed, killed or restarted.
enum TimeAxis {
  static func draw(_ state: DashboardState, row: Int, on canvas: inout Canvas, _ look: Look) {
    for column in 0..<canvas.width { canvas.put(look.glyphs.axis, column: column, row: row, look.style(.border)) }
    let perCell = look.glyphs.kind == .braille ? 2 : 1
    let span = Double(canvas.width * perCell) * Double(ThroughputHistory.bucketNs) / 1e9
    canvas.write("-\(Figures.duration(seconds: span))", column: 0, row: row, look.style(.dim))
    drawMarks(state, row: row, perCell: perCell, on: &canvas, look)
  }

  /// From the newest back: each with its node's name at its right, or at its left, or alone, as there is room.
  private static func drawMarks(
    _ state: DashboardState, row: Int, perCell: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let marks = state.history.marks.reversed().compactMap { mark in
      state.history.age(ofNs: mark.atNs).map { (mark: mark, column: canvas.width - 1 - $0 / perCell) }
    }.filter { $0.column >= 0 }
    // The rightmost column that has no label yet.
    var free = canvas.width
    for (index, (mark, column)) in marks.enumerated() where column < free {
      guard let sign = look.glyphs.mark(mark.kind) else { continue }
      let style = look.style(markKey(mark.kind), .bold)
      let older = index + 1 < marks.count ? marks[index + 1].column : -1
      let name = mark.node.columns
      if column + 1 + name <= free {
        canvas.write(sign + mark.node, column: column, row: row, style)
        free = column - 1
      } else if column - name > older + 1 {
        canvas.write(mark.node + sign, endingAt: column + 1, row: row, style)
        free = column - name - 1
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
