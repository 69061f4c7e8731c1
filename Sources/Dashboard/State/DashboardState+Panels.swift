import ClusterModel

extension DashboardState {
  /// A key press while a panel has the keys.
  mutating func handle(_ key: Key, in panel: PanelKind) -> [Action] {
    if isFrozen, playback == nil, travels(key) { return [] }
    switch key {
    case .escape:
      if isZoomed {
        toggleZoom(of: panel)
      } else if panel == .events, filter.isActive {
        filter = EventFilter()
        scrollEventsToEnd()
      } else if panel == .nodes, nodeFilter.isActive {
        nodeFilter = NameFilter()
      } else {
        focus = .prompt
      }
    case .character("q"): leavePanels()
    case .tab: moveFocus(by: 1)
    case .backTab: moveFocus(by: -1)
    case .enter, .character("z"): toggleZoom(of: panel)
    case .character(" ") where playback != nil: return [.playback(.playOrPause)]
    case .character(" "): toggleFreeze()
    case .character("?"): toggleHelp()
    case .control("d"): return [playback == nil ? .quit : .playback(.quit)]
    case .character("x") where panel == .benchmark: return endBenchmark()
    default: move(key, in: panel)
    }
    return []
  }

  /// In a frozen picture left and right go through time; returns whether the key was one of these.
  private mutating func travels(_ key: Key) -> Bool {
    switch key {
    case .left: travel(by: -1)
    case .right: travel(by: 1)
    case .pageUp: travel(byNs: -10_000_000_000)
    case .pageDown: travel(byNs: 10_000_000_000)
    case .home: travelToStart()
    case .end: travel(by: StatusHistory.momentsMax)
    default: return false
    }
    return true
  }

  /// The panels in Tab's order: those in sight, or all there are where only one has room.
  var panelStops: [PanelKind] {
    let visible = layout.visible
    return visible.count > 1 ? visible : PanelKind.allCases.filter { !$0.needsBenchmark || benchmark != nil }
  }

  mutating func enterPanel(_ panel: PanelKind?) {
    if let panel { focus = .panel(panel) }
  }

  mutating func leavePanels() {
    focus = .prompt
    isZoomed = false
  }

  /// A panel that has no place beside the others gives the keys back when it is no longer alone.
  mutating func toggleZoom(of panel: PanelKind) {
    isZoomed.toggle()
    if layout.panels[panel] == nil { leavePanels() }
  }

  /// From the last panel on, Tab returns to the prompt.
  private mutating func moveFocus(by step: Int) {
    guard case .panel(let panel) = focus else { return }
    let stops = panelStops
    guard let at = stops.firstIndex(of: panel), stops.indices.contains(at + step) else { return leavePanels() }
    focus = .panel(stops[at + step])
  }

  private mutating func move(_ key: Key, in panel: PanelKind) {
    switch panel {
    case .events: moveInEvents(key)
    case .nodes: moveInNodes(key)
    case .ring: moveInRing(key)
    case .throughput, .benchmark: moveInGraph(key, panel)
    case .latency:
      if key == .character("l") { showsLatencyLines.toggle() } else { moveInGraph(key, panel) }
    }
  }

  /// `+` and `-` change how much time a graph shows, left and right where it ends.
  mutating func moveInGraph(_ key: Key, _ panel: PanelKind) {
    let isRun = panel == .benchmark
    guard let seen = isRun ? benchmark.map(\.measuredSpan) : history.span else { return }
    var view = isRun ? benchmarkView : graphView
    switch key {
    case .character("+"), .character("="): view.zoom(by: -1, seen)
    case .character("-"): view.zoom(by: 1, seen)
    case .left, .character("h"): view.scroll(by: -1, seen)
    case .right: view.scroll(by: 1, seen)
    case .home, .character("g"): view.scrollToStart(seen)
    case .end, .character("G"), .character("0"): view.followNow()
    default: return
    }
    if isRun { benchmarkView = view } else { graphView = view }
  }

  /// Stops the one that runs, or puts the results of the last one away.
  private mutating func endBenchmark() -> [Action] {
    if closeBenchmark() { return [] }
    return run(advice.choose(.stopBenchmark))
  }

  private mutating func moveInEvents(_ key: Key) {
    switch key {
    case .up, .character("k"): scrollEvents(by: 1)
    case .down, .character("j"): scrollEvents(by: -1)
    case .pageUp: scrollEvents(by: eventsHeight)
    case .pageDown: scrollEvents(by: -eventsHeight)
    case .home, .character("g"): scrollEventsToStart()
    case .end, .character("G"): scrollEventsToEnd()
    case .character("/"):
      filter.isTyping = true
      scrollEventsToEnd()
    case .character("f"):
      filter.next()
      scrollEventsToEnd()
    default: break
    }
  }

  private mutating func moveInNodes(_ key: Key) {
    let last = Swift.max(0, nodes.count - 1)
    let page = Swift.max(1, (layout.panels[.nodes]?.height ?? 4) - 3)
    switch key {
    case .up, .character("k"): selectedNode = Swift.max(0, selectedNode - 1)
    case .down, .character("j"): selectedNode = Swift.min(last, selectedNode + 1)
    case .pageUp: selectedNode = Swift.max(0, selectedNode - page)
    case .pageDown: selectedNode = Swift.min(last, selectedNode + page)
    case .home, .character("g"): selectedNode = 0
    case .end, .character("G"): selectedNode = last
    case .character("s"): nodeOrder.next()
    case .character("r"): nodeOrder.reverse()
    case .character("/"): nodeFilter.isTyping = true
    default: break
    }
  }

  /// Left and right go from range to range, up and down by a sixteenth of the ring: a digit of the hash.
  private mutating func moveInRing(_ key: Key) {
    if key == .character("r") { return showsHeat.toggle() }
    guard ring.slotCount > 0, !ring.owners.isEmpty else { return }
    let at = Swift.min(ringCursor ?? walk?.key.slot ?? 0, ring.slotCount - 1)
    let run = ring.run(around: at)
    switch key {
    case .left, .character("h"): ringCursor = run.lowerBound > 0 ? run.lowerBound - 1 : ring.slotCount - 1
    case .right, .character("l"): ringCursor = run.upperBound < ring.slotCount ? run.upperBound : 0
    case .up, .character("k"): moveRingCursor(from: at, bySixteenths: -1)
    case .down, .character("j"): moveRingCursor(from: at, bySixteenths: 1)
    case .pageUp: moveRingCursor(from: at, bySixteenths: -4)
    case .pageDown: moveRingCursor(from: at, bySixteenths: 4)
    case .home, .character("g"): ringCursor = 0
    case .end, .character("G"): ringCursor = ring.slotCount - 1
    default: break
    }
  }

  private mutating func moveRingCursor(from slot: Int, bySixteenths count: Int) {
    let moved = slot + count * ring.slotCount / 16
    ringCursor = (moved % ring.slotCount + ring.slotCount) % ring.slotCount
  }
}
