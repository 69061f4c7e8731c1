import ClusterModel
import Text

/// Warnings: an answer that nothing explains, and the faults in force.
///
/// Rows of their own between the ring and the events, only while there is something to say: a header that always held
/// room for it would be empty nearly always, and a line among the events scrolls away while the fault stays.
package enum WarningPanel {
  /// Lines of a contradiction that are worth their room; `verdict` says all of it.
  private static let explanationMax = 6

  /// Rows it could fill at a width; 0 if nothing is wrong.
  static func rowsWanted(_ state: DashboardState, width: Int) -> Int {
    let faults = state.seen.faults == nil ? 0 : 1
    guard let verdict = state.status?.verdict, verdict.violations > 0 else { return faults }
    return faults + 1 + (state.isViolationFolded ? 0 : explanation(verdict).count)
  }

  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    var row = 0
    if let verdict = state.status?.verdict, verdict.violations > 0 {
      // The faults' row is part of the explanation: it stays in sight, whatever room the lines leave it.
      let room = state.isViolationFolded ? 1 : size.height - (state.seen.faults != nil && size.height > 1 ? 1 : 0)
      row = drawViolation(verdict, hints(state), rows: room, on: &canvas, look)
    }
    if let faults = state.seen.faults, row < size.height {
      drawFaults(faults, end(of: faults, state), row: row, on: &canvas, look)
    }
    return canvas
  }

  // MARK: A wrong answer

  /// An answer that was given is not taken back: the row stays for the session, but folded it says where the rest is.
  ///
  /// From the longest to the shortest, for as much room as there is.
  private static func hints(_ state: DashboardState) -> [String] {
    if state.isViolationFolded {
      let stays = " stays, as it was answered"
      return state.advice.advise(.verdict).map { ["\(stays); \($0) ", " \($0) "] } ?? ["\(stays) "]
    }
    // Where writes are copied after they are acknowledged, a failover loses some.
    let reason = state.status?.canLoseAcknowledged == true ? "eventual" : "R + W ≤ N"
    let allowed = state.status?.guarantee == .eventual ? [" \(reason) allows it; Esc folds this "] : []
    return allowed + [" Esc folds this ", " Esc folds "]
  }

  private static func explanation(_ verdict: VerdictStatus) -> [String] {
    Array((verdict.lastViolation?.explanation ?? []).dropFirst().prefix(explanationMax))
  }

  /// Returns the row after it.
  private static func drawViolation(
    _ verdict: VerdictStatus, _ hints: [String], rows: Int, on canvas: inout Canvas, _ look: Look
  ) -> Int {
    guard rows > 0 else { return 0 }
    let bar = Style(look.theme[.bad], on: look.theme[.background], [.bold, .reverse])
    canvas.fill(Rect(column: 0, row: 0, width: canvas.width, height: 1), Cell(" ", bar))
    var text = " \(look.glyphs.failure) NOT LINEARIZABLE"
    if verdict.violations > 1 { text += ", \(Figures.count(Int(clamping: verdict.violations), "time"))" }
    if let last = verdict.lastViolation { text += ": \(last.summary)" }
    let hint = hints.first { text.columns + $0.columns < canvas.width } ?? ""
    let room = canvas.width - hint.columns
    canvas.write(text.fitted(to: room, ellipsis: look.glyphs.ellipsis), column: 0, row: 0, bar)
    canvas.write(hint, endingAt: canvas.width, row: 0, bar)
    let lines = explanation(verdict).prefix(rows - 1)
    for (offset, line) in lines.enumerated() {
      let text = line.fitted(to: canvas.width - 3, ellipsis: look.glyphs.ellipsis)
      canvas.write(text, column: 3, row: 1 + offset, look.style(.bad))
    }
    let legend = "p1, p2: clients; time runs to the right "
    if let first = lines.first, first.columns + 6 + legend.columns <= canvas.width {
      canvas.write(legend, endingAt: canvas.width, row: 1, look.style(.dim))
    }
    return 1 + lines.count
  }

  // MARK: Faults

  /// What ends the faults, in words.
  private static func end(of faults: FaultSummary, _ state: DashboardState) -> String? {
    let paused = state.status?.nodes.filter { state.status?.pausedNodes.contains($0.id) ?? false }.map(\.name) ?? []
    return state.advice.advise(faults.isOfPauses ? paused.first.map { .resume($0) } ?? .heal : .heal)
  }

  private static func drawFaults(
    _ faults: FaultSummary, _ end: String?, row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let label = " \(look.glyphs.warning) faults "
    let hint = end.map { "\($0) " } ?? ""
    let separator = " \(look.glyphs.separator) "
    let start = canvas.write(label, column: 0, row: row, look.style(.warn, [.bold, .reverse])) + 1
    let widths = faults.items.map { $0.reduce(0) { $0 + $1.text.columns } }
    let all = start + widths.reduce(0, +) + separator.columns * (widths.count - 1)
    // All of the faults are worth more than the hint.
    if all + 2 + hint.columns <= canvas.width {
      canvas.write(hint, endingAt: canvas.width, row: row, look.style(.dim))
    }
    var column = start
    for (index, item) in faults.items.enumerated() {
      let more = "\(look.glyphs.ellipsis) +\(faults.items.count - index)"
      let lead = index == 0 ? "" : separator
      let reserve = index + 1 < faults.items.count ? more.columns + 1 : 0
      guard column + lead.columns + widths[index] + reserve <= canvas.width else {
        canvas.write(more, column: column + (index == 0 ? 0 : 1), row: row, look.style(.warn))
        return
      }
      column = canvas.write(lead, column: column, row: row, look.style(.border))
      for word in item {
        let color = word.node.map { look.theme.node($0) }
        let style = color.map { Style($0, on: look.theme[.background], [.bold]) } ?? look.style(.warn)
        column = canvas.write(word.text, column: column, row: row, style)
      }
    }
  }
}
