/// The panels that can have the keys, in the order in which Tab visits them.
package enum PanelKind: String, CaseIterable, Sendable {
  case ring, nodes, throughput, events
}

/// Where everything is, for a size and what there is to show.
///
/// Three shapes: *wide* (ring beside nodes and throughput, events below), *stacked* for narrow windows, and *single*
/// below the least useful size, where one panel fills the screen, because a readable part says more than an
/// unreadable whole. Every cell belongs to exactly one area.
package struct Layout: Equatable, Sendable {
  package private(set) var header: Rect
  package private(set) var panels: [PanelKind: Rect] = [:]
  /// The rows that tell how far a membership change is; empty without one.
  package private(set) var change: Rect
  package private(set) var prompt: Rect
  /// The bottom line, which names the keys that work now.
  package private(set) var keys: Rect

  /// What a layout depends on beside the size.
  package struct Needs: Equatable, Sendable {
    package var nodeCount: Int
    package var hasChange: Bool
    /// The panel that fills the screen, if one was zoomed.
    package var zoomed: PanelKind?
    /// The panel shown where only one has room.
    package var preferred: PanelKind

    package init(nodeCount: Int, hasChange: Bool, zoomed: PanelKind? = nil, preferred: PanelKind = .events) {
      self.nodeCount = nodeCount
      self.hasChange = hasChange
      self.zoomed = zoomed
      self.preferred = preferred
    }
  }

  /// Narrower than this, two panels side by side cut each other's words.
  static let wideWidth = 76
  /// Narrower than this, no panel is worth its frame beside others.
  static let stackedWidth = 48
  /// Fewer rows than this hold one panel only.
  static let severalPanelsHeight = 10

  package init(_ size: Size, _ needs: Needs) {
    let width = size.width
    let keysHeight = size.height >= 10 ? 1 : 0
    let promptHeight = size.height >= 1 ? 1 : 0
    let headerHeight = size.height >= 20 ? 2 : size.height >= 5 ? 1 : 0
    let bodyHeight = Swift.max(0, size.height - keysHeight - promptHeight - headerHeight)
    let changeHeight = needs.hasChange && bodyHeight >= 6 ? 1 : 0

    header = Rect(column: 0, row: 0, width: width, height: headerHeight)
    keys = Rect(column: 0, row: size.height - keysHeight, width: width, height: keysHeight)
    prompt = Rect(column: 0, row: size.height - keysHeight - promptHeight, width: width, height: promptHeight)
    change = Rect(column: 0, row: prompt.row - changeHeight, width: width, height: changeHeight)
    let body = Rect(column: 0, row: headerHeight, width: width, height: bodyHeight - changeHeight)

    if let zoomed = needs.zoomed {
      panels = [zoomed: body]
    } else if width < Self.stackedWidth || body.height < Self.severalPanelsHeight {
      panels = [needs.preferred: body]
    } else if width < Self.wideWidth {
      stack(in: body, needs)
    } else {
      spread(in: body, needs)
    }
    if !change.isEmpty { moveChangeAboveEvents() }
  }

  /// The focusable panels on the screen, in Tab's order.
  package var visible: [PanelKind] { PanelKind.allCases.filter { panels[$0] != nil } }

  private mutating func stack(in body: Rect, _ needs: Needs) {
    var row = body.row
    func rows(_ height: Int) -> Rect {
      defer { row += height }
      return Rect(column: body.column, row: row, width: body.width, height: height)
    }
    var left: Int { body.row + body.height - row }
    if body.height >= 34 { panels[.ring] = rows(Swift.min(body.height * 2 / 5, body.width / 2 + 2)) }
    panels[.nodes] = rows(Swift.min(Swift.max(4, needs.nodeCount + 3), Swift.max(4, left / 2)))
    if body.height >= 20 { panels[.throughput] = rows(Swift.max(6, left / 3)) }
    panels[.events] = rows(left)
  }

  private mutating func spread(in body: Rect, _ needs: Needs) {
    if body.height < 14 { return splitShort(body, needs) }
    let ringWidthMax = Swift.max(34, body.width * 38 / 100)
    // Higher than the donut can grow in that width, the top would be empty: events use the room better.
    let top = Swift.min(body.height * 7 / 10 - body.height / 30, Swift.max(13, ringWidthMax / 2 + 8))
    // Two columns a row make the donut round; eighteen more hold the names on both sides and the frame.
    let ringWidth = Swift.min(2 * (top - 4) + 18, ringWidthMax)
    let right = body.width - ringWidth
    let nodes = Swift.min(Swift.max(5, needs.nodeCount + 3), top - 5)
    panels[.ring] = Rect(column: 0, row: body.row, width: ringWidth, height: top)
    panels[.nodes] = Rect(column: ringWidth, row: body.row, width: right, height: nodes)
    panels[.throughput] = Rect(column: ringWidth, row: body.row + nodes, width: right, height: top - nodes)
    panels[.events] = Rect(column: 0, row: body.row + top, width: body.width, height: body.height - top)
  }

  private mutating func splitShort(_ body: Rect, _ needs: Needs) {
    let left = body.width * 55 / 100
    panels[.nodes] = Rect(column: 0, row: body.row, width: left, height: body.height)
    panels[.events] = Rect(column: left, row: body.row, width: body.width - left, height: body.height)
  }

  /// A change belongs to the ring: its row stands below it, and only the events move down.
  private mutating func moveChangeAboveEvents() {
    guard let events = panels[.events], events.width == change.width else { return }
    change.row = events.row
    panels[.events]?.row += change.height
  }
}
