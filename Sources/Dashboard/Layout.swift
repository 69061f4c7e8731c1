/// Where everything is, for a size and what there is to show.
///
/// Four shapes: *large* (as wide, and the selected node beside the events), *wide* (ring beside nodes and graphs, events
/// below), *stacked* for narrow windows, and *single* below the least useful size, where one panel fills the screen,
/// because a readable part says more than an unreadable whole. Every cell belongs to exactly one area.
package struct Layout: Equatable, Sendable {
  package private(set) var header: Rect
  package internal(set) var panels: [PanelKind: Rect] = [:]
  /// The selected node beside the events, on a large screen; else empty.
  package private(set) var detail = Rect(column: 0, row: 0, width: 0, height: 0)
  /// The rows that tell what is wrong between nodes, and with answers; empty if nothing is.
  package internal(set) var warnings: Rect
  /// The rows that tell how far a membership change is; empty without one.
  package internal(set) var change: Rect
  /// Area of a tour's text; empty without a tour.
  package internal(set) var guide = Rect(column: 0, row: 0, width: 0, height: 0)
  package private(set) var prompt: Rect
  /// The bottom line, which names the keys that work now.
  package private(set) var keys: Rect

  /// Inputs of a layout beside the size.
  package struct Needs: Equatable, Sendable {
    package var nodeCount: Int
    /// Rows that faults and wrong answers have to tell; 0 without any.
    package var warningRows: Int
    /// Rows that a membership change has to tell; 0 without one.
    package var changeRows: Int
    /// A benchmark runs, or has results that are to be seen.
    package var hasBenchmark: Bool
    /// The panel that fills the screen, if one was zoomed.
    package var zoomed: PanelKind?
    /// The panel shown where only one has room.
    package var preferred: PanelKind
    /// One panel at a time is wanted, however large the screen is.
    package var isSingle: Bool
    /// The panel that a tour speaks of, while one is played: it has the prompt's row too.
    package var guided: PanelKind?
    /// It speaks of nothing but itself, at length.
    package var isGuideLong: Bool
    /// The kind of strip that the playback has, if one is shown. The strip takes the prompt's row as well.
    package var playback: Playback.Strip?

    package init(
      nodeCount: Int, warningRows: Int = 0, changeRows: Int = 0, hasBenchmark: Bool = false, zoomed: PanelKind? = nil,
      preferred: PanelKind = .events, isSingle: Bool = false, guided: PanelKind? = nil, isGuideLong: Bool = false
    ) {
      self.nodeCount = nodeCount
      self.warningRows = warningRows
      self.changeRows = changeRows
      self.hasBenchmark = hasBenchmark
      self.zoomed = zoomed
      self.preferred = preferred
      self.isSingle = isSingle
      self.guided = guided
      self.isGuideLong = isGuideLong
    }
  }

  /// Narrower than this, two panels side by side cut each other's words.
  static let wideWidth = 76
  /// Narrower than this, no panel is worth its frame beside others.
  static let stackedWidth = 48
  /// Fewer rows than this hold one panel only.
  static let severalPanelsHeight = 10
  /// From here on the selected node has a panel of its own.
  static let largeSize = Size(width: 160, height: 48)
  /// Wider than this a benchmark has nothing more to say, and events have.
  static let benchmarkWidthMax = 100
  /// In fewer rows a benchmark's panel has no graph.
  static let benchmarkHeightMin = 6
  /// Rows above which the graphs' room is worth two graphs.
  static let twoGraphsHeight = 12

  package init(_ size: Size, _ needs: Needs) {
    let width = size.width
    let keysHeight = size.height >= 10 ? 1 : 0
    let promptHeight = size.height >= 1 && needs.guided == nil && needs.playback == nil ? 1 : 0
    let headerHeight = size.height >= 20 ? 2 : size.height >= 5 ? 1 : 0
    let bodyHeight = Swift.max(0, size.height - keysHeight - promptHeight - headerHeight)
    // The first row tells the whole; the others may take some of the events' room.
    let changeHeight = bodyHeight >= 6 ? Swift.min(needs.changeRows, Swift.max(1, bodyHeight / 7 - 1)) : 0
    let warningHeight = bodyHeight >= 6 ? Swift.min(needs.warningRows, Swift.max(1, bodyHeight / 9)) : 0

    header = Rect(column: 0, row: 0, width: width, height: headerHeight)
    keys = Rect(column: 0, row: size.height - keysHeight, width: width, height: keysHeight)
    prompt = Rect(column: 0, row: size.height - keysHeight - promptHeight, width: width, height: promptHeight)
    change = Rect(column: 0, row: prompt.row - changeHeight, width: width, height: changeHeight)
    warnings = Rect(column: 0, row: change.row - warningHeight, width: width, height: warningHeight)
    var body = Rect(column: 0, row: headerHeight, width: width, height: bodyHeight)
    if needs.playback == .scrubber {
      // All panels stay where they are, above it.
      let height = bodyHeight >= 8 ? 4 : Swift.min(2, bodyHeight)
      body.height -= height
      guide = Rect(column: 0, row: body.row + body.height, width: width, height: height)
      change.row -= height
      warnings.row -= height
    }

    if let spot = needs.guided {
      layOutGuided(body, at: spot, needs)
      return
    }
    if let zoomed = needs.zoomed {
      panels = [zoomed: body]
    } else if needs.isSingle || width < Self.stackedWidth || body.height < Self.severalPanelsHeight {
      panels = [needs.preferred: body]
    } else if width < Self.wideWidth {
      stack(in: body, needs)
    } else {
      spread(in: body, needs)
    }
    if !change.isEmpty || !warnings.isEmpty { makeRoomForNotices() }
    if needs.zoomed == nil, width >= Self.largeSize.width, size.height >= Self.largeSize.height { addDetail() }
    if needs.hasBenchmark { addBenchmark() }
  }

  /// The selected node takes the right end of the events' room, as wide as the graphs above are not.
  private mutating func addDetail() {
    guard let events = panels[.events], panels.count > 1 else { return }
    let width = events.width * 38 / 100
    panels[.events]?.width -= width
    detail = Rect(column: events.column + events.width - width, row: events.row, width: width, height: events.height)
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
    let nodes = Self.nodesHeight(needs.nodeCount, of: top)
    panels[.ring] = Rect(column: 0, row: body.row, width: ringWidth, height: top)
    panels[.nodes] = Rect(column: ringWidth, row: body.row, width: right, height: nodes)
    let graphs = top - nodes
    let latency = graphs >= Self.twoGraphsHeight ? graphs / 2 : 0
    panels[.throughput] = Rect(column: ringWidth, row: body.row + nodes, width: right, height: graphs - latency)
    if latency > 0 {
      panels[.latency] = Rect(column: ringWidth, row: body.row + top - latency, width: right, height: latency)
    }
    panels[.events] = Rect(column: 0, row: body.row + top, width: body.width, height: body.height - top)
  }

  /// A table of many nodes leaves more than half of the room to the graphs: what it does not show, trouble first, a row of
  /// cells does.
  private static func nodesHeight(_ nodeCount: Int, of height: Int) -> Int {
    let wanted = Swift.max(5, nodeCount + 3)
    let most = Swift.max(7, nodeCount <= 12 ? height - 13 : height * 2 / 5)
    return Swift.min(nodeCount <= 6 ? wanted : Swift.min(wanted, most), height - 5)
  }

  private mutating func splitShort(_ body: Rect, _ needs: Needs) {
    let left = body.width * 55 / 100
    panels[.nodes] = Rect(column: 0, row: body.row, width: left, height: body.height)
    panels[.events] = Rect(column: left, row: body.row, width: body.width - left, height: body.height)
  }

  /// A change belongs to the ring, and so do faults: their rows stand below it where they can, and only the panels at the
  /// bottom give way, so that nothing else jumps when they come.
  private mutating func makeRoomForNotices() {
    let height = warnings.height + change.height
    if let events = panels[.events], events.width == change.width, panels.count > 1, events.height > height {
      warnings.row = events.row
      change.row = events.row + warnings.height
      panels[.events]?.row += height
    }
    let bottom = guide.isEmpty ? prompt.row : guide.row
    for (panel, rect) in panels where rect.row + rect.height == bottom || panel == .events {
      panels[panel]?.height -= height
    }
  }

  /// A benchmark shares the events' room: side by side where that leaves both readable, else it stands above them.
  private mutating func addBenchmark() {
    guard let events = panels[.events], panels.count > 1 else { return }
    if events.height < Self.benchmarkHeightMin, let throughput = panels[.throughput],
      throughput.height >= Self.benchmarkHeightMin
    {
      // Its curves are those of the run: on a low screen one of the two has to do.
      panels[.benchmark] = throughput
      panels[.throughput] = nil
    } else if events.width >= Self.wideWidth {
      let width = Swift.min(events.width * 58 / 100, Self.benchmarkWidthMax)
      panels[.events]?.width -= width
      panels[.benchmark] = Rect(
        column: events.column + events.width - width, row: events.row, width: width, height: events.height)
    } else if events.height >= 8 {
      let height = Swift.min(9, events.height / 2)
      panels[.events]?.row += height
      panels[.events]?.height -= height
      panels[.benchmark] = Rect(column: events.column, row: events.row, width: events.width, height: height)
    }
  }
}
