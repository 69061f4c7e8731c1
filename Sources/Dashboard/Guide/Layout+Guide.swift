extension Layout {
  /// Rows of the tour's strip: three to say something, some evidence, and the frame.
  private static let guideHeightMin = 10
  private static let guideHeightMax = 14
  /// A line for each chapter, and some words.
  private static let guideHeightLong = 19
  /// From this width on the events stand beside the strip.
  private static let guideBesideEventsWidth = 110
  /// Rows from which all panels fit above the strip.
  private static let guidedPanelsHeight = 18

  /// The tour's strip at the bottom, and above it the panel it speaks of beside the one that goes with it, or all where
  /// there is room.
  mutating func layOutGuided(_ body: Rect, at spot: PanelKind, _ needs: Needs) {
    change = Rect(column: 0, row: body.row, width: body.width, height: 0)
    // The tour says itself what is wrong.
    warnings = change
    guard body.height >= 12, body.width >= Self.stackedWidth else {
      // The text comes first; the panel has the rest, if that is worth anything.
      let height = body.height >= 9 ? body.height / 2 : body.height
      guide = Rect(column: 0, row: body.row + body.height - height, width: body.width, height: height)
      if height < body.height {
        panels[spot] = Rect(column: 0, row: body.row, width: body.width, height: body.height - height)
      }
      return
    }
    let height = guideHeight(body.height, needs)
    if height == body.height {
      guide = body
      return
    }
    var stage = Rect(column: 0, row: body.row, width: body.width, height: body.height - height)
    guide = Rect(column: 0, row: stage.row + stage.height, width: body.width, height: height)
    if body.width >= Self.guideBesideEventsWidth {
      guide.width = body.width * 64 / 100
      panels[.events] = Rect(
        column: guide.width, row: guide.row, width: body.width - guide.width, height: guide.height)
    }
    let changeHeight = Swift.min(needs.changeRows, stage.height < Self.guidedPanelsHeight ? 1 : 3)
    stage.height -= changeHeight
    change = Rect(column: 0, row: stage.row + stage.height, width: body.width, height: changeHeight)
    if stage.width < Self.wideWidth {
      if panels[spot] == nil { panels[spot] = stage }
    } else if stage.height < Self.guidedPanelsHeight {
      pair(spot, in: stage)
    } else {
      showAll(in: stage, spot, needs)
    }
  }

  private func guideHeight(_ room: Int, _ needs: Needs) -> Int {
    if needs.playback == .bars {
      return Swift.min(Self.guideHeightLong, Swift.max(Self.guideHeightMin, room * 2 / 5), room - 6)
    }
    if needs.isGuideLong { return room - Self.guideHeightLong < Self.guidedPanelsHeight ? room : Self.guideHeightLong }
    return Swift.min(Self.guideHeightMax, Swift.max(Self.guideHeightMin, room / 3), room - 6)
  }

  private mutating func pair(_ spot: PanelKind, in stage: Rect) {
    let (left, right): (PanelKind, PanelKind)
    switch spot {
    case .nodes:
      // Alone it has all its columns.
      panels[.nodes] = stage
      return
    case .ring: (left, right) = (.ring, .nodes)
    case .throughput, .latency: (left, right) = (.throughput, .latency)
    case .benchmark: (left, right) = (.throughput, .benchmark)
    case .events: (left, right) = panels[.events] == nil ? (.nodes, .events) : (.ring, .nodes)
    }
    let width = left == .ring ? Swift.min(stage.width / 2, 2 * stage.height + 16) : stage.width / 2
    panels[left] = Rect(column: stage.column, row: stage.row, width: width, height: stage.height)
    panels[right] = Rect(
      column: stage.column + width, row: stage.row, width: stage.width - width, height: stage.height)
  }

  private mutating func showAll(in stage: Rect, _ spot: PanelKind, _ needs: Needs) {
    let ringWidth = Swift.min(2 * (stage.height - 4) + 18, Swift.max(34, stage.width * 38 / 100))
    let right = Rect(
      column: ringWidth, row: stage.row, width: stage.width - ringWidth, height: stage.height)
    let nodes = Swift.min(Swift.max(5, needs.nodeCount + 3), stage.height - 6)
    panels[.ring] = Rect(column: 0, row: stage.row, width: ringWidth, height: stage.height)
    panels[.nodes] = Rect(column: right.column, row: right.row, width: right.width, height: nodes)
    let graphs = Rect(column: right.column, row: right.row + nodes, width: right.width, height: right.height - nodes)
    if spot == .benchmark {
      panels[.benchmark] = graphs
    } else if graphs.height >= Self.twoGraphsHeight {
      let upper = graphs.height - graphs.height / 2
      panels[.throughput] = Rect(column: graphs.column, row: graphs.row, width: graphs.width, height: upper)
      panels[.latency] = Rect(
        column: graphs.column, row: graphs.row + upper, width: graphs.width, height: graphs.height - upper)
    } else {
      panels[spot == .latency ? .latency : .throughput] = graphs
    }
    if panels[spot] == nil {
      // The tour points at a panel that does not fit: it takes the place of the graphs.
      (panels[.throughput], panels[.latency]) = (nil, nil)
      panels[spot] = graphs
    }
  }
}
