import KVCluster

/// The hash ring: the donut for the idea, the tape below it for the truth.
package enum RingPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let status = state.status else { return canvas }
    let owners = RingOwners(status, phase: state.ringPhase)
    guard !owners.isEmpty else {
      canvas.write(
        "no ring yet".fitted(to: size.width, ellipsis: look.glyphs.ellipsis), column: 1, row: 0, look.style(.dim))
      return canvas
    }
    let tapeHeight = tapeRows(size)
    var tape = Canvas(Size(width: size.width - 2, height: tapeHeight), background: look.style(.text))
    RingTape(owners: owners, look: look).draw(on: &tape)
    canvas.draw(tape, column: 1, row: size.height - tapeHeight)

    let gap = tapeHeight > 0 && size.height >= 9 ? 1 : 0
    var donut = Canvas(Size(width: size.width, height: size.height - tapeHeight - gap), background: look.style(.text))
    let names = Dictionary(status.nodes.map { ($0.id, $0.name) }) { first, _ in first }
    let hole = RingDonut(owners: owners, look: look, names: names).draw(on: &donut)
    writeFigures(status, width: hole, on: &donut, look)
    canvas.draw(donut, column: 0, row: 0)
    if gap > 0 { writeCaption(status, row: donut.height, on: &canvas, look) }
    return canvas
  }

  /// What the picture means, in the words that matter most now.
  private static func writeCaption(_ status: ClusterStatus, row: Int, on canvas: inout Canvas, _ look: Look) {
    let captions: [String]
    if status.change != nil {
      captions = ["ranges that move alternate: old owner, new owner", "moving ranges alternate"]
    } else if status.nodes.contains(where: { RingOwners.Condition($0.state) == .dead }) {
      captions = [
        "\(look.glyphs.dead) its owner is down; the inner bands hold copies", "\(look.glyphs.dead) owner down",
      ]
    } else if status.ring.ranks > 1 {
      captions = ["outer band: first copy; inner: the others", "outer band: first copy"]
    } else {
      captions = ["each colour is a node's part"]
    }
    guard let caption = captions.first(where: { $0.columns <= canvas.width }) else { return }
    canvas.write(caption, column: (canvas.width - caption.columns) / 2, row: row, look.style(.dim))
  }

  /// What stands at the right of the frame's upper edge.
  static func note(_ state: DashboardState) -> String {
    guard let ring = state.status?.ring, ring.tokenCount > 0 else { return "" }
    return "\(Figures.count(ring.tokenCount)) tokens"
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

  private static func writeFigures(_ status: ClusterStatus, width: Int, on canvas: inout Canvas, _ look: Look) {
    let keys = Figures.count(status.keys)
    let imbalance = RingFigures.imbalance(status).map { look.glyphs.times + Figures.decimal($0, places: 2) }
    var lines = [(text: keys, style: look.style(.title, .bold)), (text: "keys", style: look.style(.dim))]
    if let imbalance {
      if width >= 12 { lines.append((text: "", style: look.style(.dim))) }
      lines.append((text: imbalance, style: look.style(.text)))
      if width >= 12 { lines.append((text: "max/mean", style: look.style(.dim))) }
    }
    // What a round hole of that width has room for.
    lines = Array(lines.prefix(Swift.max(0, width / 2 - 1)))
    let top = (canvas.height - lines.count + 1) / 2
    for (offset, line) in lines.enumerated() where line.text.columns <= width {
      canvas.write(line.text, column: (canvas.width - line.text.columns) / 2, row: top + offset, line.style)
    }
  }
}
