import ClusterModel
import Text

/// How far a membership change is: the whole in one row, and below it who hands over how much to whom.
package enum ChangePanel {
  /// Columns a transfer takes: `node2 ──▶ node6  ▓▓▓░  41 %  12.0 MiB/s  of 3.1 %`.
  private static let transferWidth = 58

  /// Rows it could fill at a width; 0 without a change.
  static func rowsWanted(_ state: DashboardState, width: Int) -> Int {
    guard let status = state.status, status.change != nil else { return 0 }
    let transfers = state.seen.plan?.transfers.count ?? 0
    return 1 + (transfers + columnCount(width) - 1) / columnCount(width)
  }

  private static func columnCount(_ width: Int) -> Int { Swift.max(1, width / transferWidth) }

  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let status = state.status, let change = status.change else { return canvas }
    drawWhole(change, status, state.seen, state.advice, on: &canvas, look)
    guard size.height > 1, let plan = state.seen.plan else { return canvas }
    let columns = columnCount(size.width)
    let room = (size.height - 1) * columns
    let width = size.width / columns
    for (index, transfer) in plan.transfers.prefix(room).enumerated() {
      let cell = draw(transfer, plan, change, status, width: width, look)
      // Down the columns, as names are listed.
      canvas.draw(cell, column: index % columns * width, row: 1 + index / columns)
    }
    return canvas
  }

  // MARK: The whole

  private static func drawWhole(
    _ change: ChangeStatus, _ status: ClusterStatus, _ seen: Observations, _ advice: CommandAdvice,
    on canvas: inout Canvas, _ look: Look
  ) {
    let figures = fitting(figures(change, status, seen, advice), width: canvas.width)
    let start = drawName(change, status, on: &canvas, look)
    let end = canvas.width - figures.reduce(1) { $0 + $1.columns + 2 }
    if end - start >= 8 {
      let color = node(change, status).map { look.theme.node($0.id) } ?? look.theme[.info]
      Meter.drawProgress(change.fraction, column: start, row: 0, width: end - start, color: color, on: &canvas, look)
    }
    var column = Swift.max(start, end)
    for figure in figures {
      let style = look.style(change.waitingFor == nil ? .text : .warn)
      column = canvas.write(figure, column: column + 2, row: 0, style)
    }
  }

  private static func node(_ change: ChangeStatus, _ status: ClusterStatus) -> NodeStatus? {
    status.nodes.first { $0.name == change.node }
  }

  private static func drawName(
    _ change: ChangeStatus, _ status: ClusterStatus, on canvas: inout Canvas, _ look: Look
  ) -> Int {
    let arrow = look.glyphs.longArrow
    let verb = change.replacement != nil ? "replace" : change.kind == .join ? "\(arrow) join" : "leave \(arrow)"
    func write(_ name: String, column: Int) -> Int {
      let color = status.nodes.first { $0.name == name }.map { look.theme.node($0.id) } ?? look.theme[.text]
      return canvas.write(name, column: column, row: 0, Style(color, on: look.theme[.background], [.bold]))
    }
    var column = canvas.write(verb, column: 1, row: 0, look.style(.info, .bold)) + 1
    column = write(change.node, column: column)
    guard let replacement = change.replacement else { return column + 2 }
    column = canvas.write(" \(arrow) ", column: column, row: 0, look.style(.dim))
    return write(replacement, column: column) + 2
  }

  /// The least important last: what does not fit beside a readable bar is left out from the end.
  private static func figures(
    _ change: ChangeStatus, _ status: ClusterStatus, _ seen: Observations, _ advice: CommandAdvice
  ) -> [String] {
    var figures = [Figures.percent(change.fraction).rightAligned(5)]
    if let reason = change.waitingFor { return figures + ["waits: \(advice.words(reason))"] }
    let seconds = Double(change.elapsedNs) / 1e9
    if let left = secondsLeft(change.fraction, change) {
      figures.append("\(Figures.duration(seconds: left)) left".rightAligned(9))
    }
    if let keys = change.keysMoved {
      figures.append("\(Figures.short(keys)) \(Figures.word(keys, "key", "keys"))".rightAligned(11))
    }
    if let bytes = change.bytesMoved, seconds >= 0.5 {
      figures.append("\(Figures.bytes(Double(bytes) / seconds))/s".rightAligned(10))
    }
    if let plan = seen.plan {
      let ideal = MovePlan.ideal(change, status, ranks: seen.ring.ranks).map {
        " (ideal \(Figures.precisePercent($0)))"
      }
      figures.append("moves \(Figures.precisePercent(plan.movedPart))\(ideal ?? "")")
    }
    if !status.queuedChanges.isEmpty { figures.append("+\(Figures.count(status.queuedChanges.count)) waiting") }
    return figures
  }

  private static func fitting(_ figures: [String], width: Int) -> [String] {
    var kept = figures
    while kept.count > 1, kept.reduce(0, { $0 + $1.columns + 2 }) > width - 32 { kept.removeLast() }
    return kept
  }

  /// Assumes that the rest goes as fast as what is done; says nothing until that is known.
  private static func secondsLeft(_ fraction: Double, _ change: ChangeStatus) -> Double? {
    guard fraction > 0.02, fraction <= 1 else { return nil }
    return (Double(change.elapsedNs) / 1e9 * (1 - fraction) / fraction).rounded(.up)
  }

  // MARK: A transfer

  private static func draw(
    _ transfer: MovePlan.Transfer, _ plan: MovePlan, _ change: ChangeStatus, _ status: ClusterStatus, width: Int,
    _ look: Look
  ) -> Canvas {
    var canvas = Canvas(Size(width: width, height: 1), background: look.style(.text))
    let nameWidth = Swift.min(12, status.nodes.map(\.name.columns).max() ?? 0)
    var column = write(transfer.from, ifNone: "a new copy", nameWidth, column: 3, status, on: &canvas, look)
    column = canvas.write(" \(look.glyphs.longArrow) ", column: column, row: 0, look.style(.dim))
    column = write(transfer.to, ifNone: "?", nameWidth, column: column, status, on: &canvas, look) + 1
    let done = transfer.done(at: change.fraction)
    // Words that do not fit beside a readable bar are left out from the end.
    var tail = Figures.percent(done).rightAligned(6)
    for figure in figures(transfer, plan, change) where column + 6 + tail.columns + figure.columns + 2 <= width {
      tail += figure
    }
    let end = width - 2 - tail.columns
    if end - column >= 4 {
      Meter.drawLine(
        done, column: column, row: 0, width: end - column, color: look.theme.node(transfer.to), on: &canvas, look)
    }
    canvas.write(tail, column: Swift.max(column, end), row: 0, look.style(.text))
    return canvas
  }

  /// How fast, and how much of the ring: each as wide every time, whether it is known yet or not.
  private static func figures(
    _ transfer: MovePlan.Transfer, _ plan: MovePlan, _ change: ChangeStatus
  ) -> [String] {
    let moved = change.transfers.first { $0.from == transfer.from && $0.to == transfer.to }
    let seconds = Double(change.elapsedNs) / 1e9
    let rate = moved.flatMap { seconds >= 0.5 ? "\(Figures.bytes(Double($0.bytes) / seconds))/s" : nil } ?? ""
    // How long all of it takes still stands above: a second estimate would contradict that.
    let share = "of \(Figures.precisePercent(plan.part(of: transfer)))"
    return [rate.rightAligned(12), share.rightAligned(11)]
  }

  private static func write(
    _ id: Int?, ifNone none: String, _ width: Int, column: Int, _ status: ClusterStatus, on canvas: inout Canvas,
    _ look: Look
  ) -> Int {
    let name = id.map { id in status.nodes.first { $0.id == id }?.name ?? "?" } ?? none
    let color = id.map { look.theme.node($0) } ?? look.theme[.dim]
    canvas.write(
      name.middleFitted(to: Swift.max(width, none.columns), ellipsis: look.glyphs.ellipsis), column: column, row: 0,
      Style(color, on: look.theme[.background], [.bold]))
    return column + width
  }
}
