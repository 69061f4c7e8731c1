import ClusterModel
import Text

/// The hash ring: the donut for the idea, the tape below it for the truth.
package enum RingPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let status = state.status else { return canvas }
    let owners = RingOwners(status, state.seen, phase: state.ringPhase)
    guard !owners.isEmpty else {
      canvas.write(
        "no ring yet".fitted(to: size.width, ellipsis: look.glyphs.ellipsis), column: 1, row: 0, look.style(.dim))
      return canvas
    }
    let mark = RingMark(state)
    let area = tape(size)
    var tape = Canvas(area.size, background: look.style(.text))
    let heat = state.showsHeat && !state.seen.heat.rates.isEmpty ? state.seen.heat : nil
    RingTape(owners: owners, look: look, mark: mark, heat: heat).draw(on: &tape)
    canvas.draw(tape, column: area.column, row: area.row)

    let gap = area.height > 0 && size.height >= 9 ? 1 : 0
    var donut = Canvas(Size(width: size.width, height: area.row - gap), background: look.style(.text))
    let names = Dictionary(status.nodes.map { ($0.id, $0.name) }) { first, _ in first }
    let places = state.seen.ringDigest.labelPlaces
    let hole = RingDonut(owners: owners, look: look, names: names, places: places, mark: mark, heat: heat).draw(
      on: &donut)
    // Messages cross the hole: it is theirs.
    if let playback = state.playback, playback.steps != nil {
      let circle = (
        column: Double(donut.width) / 2, row: Double(donut.height) / 2, radius: Double(hole + 1) / 2
      )
      FlightDots(flights: playback.flights, places: places, look: look).draw(around: circle, on: &donut)
    } else {
      writeFigures(status, width: hole, on: &donut, look)
    }
    canvas.draw(donut, column: 0, row: 0)
    guard gap > 0 else { return canvas }
    let words = RingCaption.words(state, owners, mark, width: size.width - 2, look)
    // A line that grows while a key walks stays where it begins.
    let column = mark == nil ? (size.width - RingCaption.columns(words)) / 2 : area.column
    writeCaption(words, column: column, row: donut.height, on: &canvas, look)
    return canvas
  }

  /// Text at the right of the frame's upper edge.
  static func note(_ state: DashboardState) -> String {
    guard let tokens = state.status?.ring.tokenCount, tokens > 0 else { return "" }
    return Figures.count(tokens, "token")
  }

  /// The slot that a cell of the tape shows; `nil` elsewhere.
  static func slot(at column: Int, _ row: Int, _ state: DashboardState, _ size: Size) -> Int? {
    let ring = state.ring
    guard ring.slotCount > 0, !ring.owners.isEmpty else { return nil }
    let area = tape(size)
    let shape = RingTape.Shape(area.size, state.appearance.look)
    return shape.slot(column: column - area.column, row: row - area.row, of: ring.slotCount)
  }

  private static func tape(_ size: Size) -> Rect {
    let rows = tapeRows(size)
    return Rect(column: 1, row: size.height - rows, width: size.width - 2, height: rows)
  }

  private static func tapeRows(_ size: Size) -> Int {
    switch size.height {
    case ..<6: Swift.min(1, size.height)
    case ..<14: 1
    case ..<18: 2
    case ..<30: 4
    default: 8
    }
  }

  private static func writeCaption(
    _ words: [RingCaption.Word], column: Int, row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    var column = column
    for word in words {
      let style = word.node.map { Style(look.theme.node($0), on: look.theme[.background], [.bold]) }
      column = canvas.write(word.text, column: column, row: row, style ?? look.style(.dim))
    }
  }

  private static func writeFigures(_ status: ClusterStatus, width: Int, on canvas: inout Canvas, _ look: Look) {
    let keys = status.keys.map { Figures.short($0) } ?? look.glyphs.dash
    let imbalance = RingFigures.imbalance(status).map { ratio in
      let figure = Figures.decimal(ratio, places: 2)
      // The hole has an even width: with an odd one of its own it would stand half a cell beside its middle.
      return look.glyphs.times + (figure.columns % 2 == 0 ? " " : "") + figure
    }
    let word = Figures.word(status.keys ?? 0, "key", "keys")
    var lines = [(text: keys, style: look.style(.title, .bold)), (text: word, style: look.style(.dim))]
    if let imbalance {
      if width >= 12 { lines.append((text: "", style: look.style(.dim))) }
      lines.append((text: imbalance, style: look.style(.text)))
      if width >= 12 { lines.append((text: "max/mean", style: look.style(.dim))) }
    }
    // The room in a round hole of that width.
    lines = Array(lines.prefix(Swift.max(0, width / 2 - 1)))
    let top = (canvas.height - lines.count + 1) / 2
    for (offset, line) in lines.enumerated() where line.text.columns <= width {
      canvas.write(line.text, column: (canvas.width - line.text.columns) / 2, row: top + offset, line.style)
    }
  }
}
