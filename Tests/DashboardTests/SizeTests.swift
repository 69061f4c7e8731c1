import Dashboard
import Testing

@Suite struct SizeTests {
  /// Every small size, where things stop fitting, and a sample of the large ones.
  static let sizes: [Size] = {
    var sizes: [Size] = []
    for width in Array(1...6) + [9, 11, 12, 13, 17, 24, 33, 47, 48, 60, 75, 76] {
      for height in Array(1...6) + [8, 10, 12, 14, 19, 20, 27] { sizes.append(Size(width: width, height: height)) }
    }
    let large = [(1, 100), (300, 1), (300, 9), (60, 50), (76, 100), (119, 33), (160, 16), (200, 60), (300, 100)]
    return sizes + large.map { Size(width: $0.0, height: $0.1) }
  }()

  @Test(arguments: Scene.allCases.filter { $0 != .healthy && $0 != .leaving })
  func `the screen can be drawn at every size`(scene: Scene) {
    var state = scene.state(Size(width: 80, height: 24))
    for size in Self.sizes {
      state.size = size
      for look in [Look.utf8, .ascii] {
        let picture = Picture(state, look)
        #expect(picture.canvas.size == size)
        if let cursor = picture.cursor { #expect(cursor.column < size.width && cursor.row < size.height) }
      }
    }
  }

  @Test(arguments: PanelKind.allCases)
  func `each panel can be drawn at every size`(panel: PanelKind) {
    let states = [Scene.opening, .dead, .joining].map { $0.state(Size(width: 80, height: 24)) }
    for size in Self.sizes {
      for state in states {
        #expect(Picture.panel(panel, state, size, .utf8).size == size)
        #expect(Picture.panel(panel, state, size, .ascii).size == size)
      }
    }
  }

  @Test func `an empty screen is an empty picture`() {
    #expect(Picture(Scene.dead.state(Size(width: 0, height: 0)), .utf8).canvas.cells.isEmpty)
  }

  @Test(arguments: [0, 1, 4], [nil, PanelKind.ring, .events])
  func `the layout covers every cell exactly once`(changeRows: Int, zoomed: PanelKind?) {
    for size in Self.sizes {
      for nodes in [1, 5, 40] {
        let layout = Layout(
          size, Layout.Needs(nodeCount: nodes, changeRows: changeRows, zoomed: zoomed, preferred: zoomed ?? .events))
        let areas = [layout.header, layout.change, layout.prompt, layout.keys, layout.detail] + layout.panels.values
        let covered = areas.reduce(0) { $0 + $1.width * $1.height }
        #expect(covered == size.width * size.height, "\(size) \(layout)")
        for (index, area) in areas.enumerated() {
          #expect(area.column >= 0 && area.row >= 0)
          #expect(!areas.dropFirst(index + 1).contains { $0.intersects(area) }, "\(size) \(layout)")
        }
      }
    }
  }

  @Test(arguments: PanelKind.allCases)
  func `with a tour the layout covers every cell once, and shows what the tour speaks of`(spot: PanelKind) {
    for size in Self.sizes {
      for (changeRows, isLong) in [(0, false), (4, false), (2, true)] {
        let layout = Layout(
          size, Layout.Needs(nodeCount: 5, changeRows: changeRows, guided: spot, isGuideLong: isLong))
        let areas = [layout.header, layout.guide, layout.change, layout.prompt, layout.keys] + layout.panels.values
        let covered = areas.reduce(0) { $0 + $1.width * $1.height }
        #expect(covered == size.width * size.height, "\(size) \(layout)")
        for (index, area) in areas.enumerated() {
          #expect(area.column >= 0 && area.row >= 0)
          #expect(!areas.dropFirst(index + 1).contains { $0.intersects(area) }, "\(size) \(layout)")
        }
        if size.height >= 16, !isLong {
          #expect(layout.panels[spot] != nil && layout.guide.height >= 5, "\(size) \(layout)")
        }
      }
    }
  }

  @Test func `the three sizes people have show all panels, and a small one leaves out latency`() {
    func layout(_ width: Int, _ height: Int) -> Layout {
      Layout(Size(width: width, height: height), Layout.Needs(nodeCount: 5, changeRows: 3))
    }
    #expect(layout(80, 24).visible == PanelKind.allCases.filter { $0 != .latency })
    #expect(layout(120, 40).visible == PanelKind.allCases)
    #expect(layout(200, 60).visible == PanelKind.allCases)
    #expect(layout(120, 40).detail.isEmpty && !layout(200, 60).detail.isEmpty)
  }

  @Test func `below the least useful size one panel fills the screen`() {
    let layout = Layout(
      Size(width: 40, height: 12), Layout.Needs(nodeCount: 5, changeRows: 0, preferred: .nodes))
    #expect(layout.visible == [.nodes])
  }
}
