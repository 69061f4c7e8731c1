import Dashboard
import Foundation
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

  static let widths = Array(1...300)
  static let heightsMax = 100

  /// What can be on the screen and trap: each panel zoomed, each overlay, and the panels together.
  private enum Shape: Hashable {
    case panel(PanelKind)
    case help, themes, asking, all

    static let every = PanelKind.allCases.map(Shape.panel) + [.help, .themes, .asking, .all]

    var panel: PanelKind? { if case .panel(let panel) = self { panel } else { nil } }
  }

  /// All 30,000 sizes are drawn with every panel and overlay where `KVSTORE_EVERY_SIZE` is set: minutes in a debug
  /// build. Otherwise each size is drawn once, and what it is drawn with follows from a seed, so that many runs draw all.
  @Test func `each panel and overlay can be drawn at every size from 1×1 to 300×100`() {
    let isWhole = ProcessInfo.processInfo.environment["KVSTORE_EVERY_SIZE"] != nil
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed: seed)
    let states = Self.shapes()
    var drawn = 0
    for width in Self.widths {
      for height in 1...Self.heightsMax {
        let size = Size(width: width, height: height)
        // Large ones cost the most and differ the least.
        if !isWhole, width * height > 1_200, random.next() % 16 != 0 { continue }
        let chosen = isWhole ? 0..<states.count : Self.one(of: states.count, &random)
        for index in chosen {
          let look: Look = (width + height + index) % 3 == 0 ? .ascii : (width + index) % 3 == 1 ? .blocks : .utf8
          let canvas = draw(states[index], size, look)
          drawn += 1
          if canvas.size != size { Issue.record("\(states[index].shape) at \(size) is \(canvas.size), seed \(seed)") }
        }
      }
    }
    #expect(drawn > 3_000)
  }

  private static func one(of count: Int, _ random: inout SplitMix) -> Range<Int> {
    let index = Int(random.next() % UInt64(count))
    return index..<index + 1
  }

  private struct Shaped { var shape: Shape, state: DashboardState }

  private static func shapes() -> [Shaped] {
    let small = Size(width: 80, height: 24)
    let scenes: [Shape: Scene] = [
      .help: .help, .themes: .themes, .asking: .asking, .all: .faulty, .panel(.benchmark): .measured,
    ]
    return Shape.every.map { shape in
      var state = (scenes[shape] ?? .joining).state(small)
      if shape == .all { state.apply(benchmark: Sample.benchmark(isRunning: true)) }
      return Shaped(shape: shape, state: state)
    }
  }

  private func draw(_ shaped: Shaped, _ size: Size, _ look: Look) -> Canvas {
    if let panel = shaped.shape.panel { return Picture.panel(panel, shaped.state, size, look) }
    var state = shaped.state
    state.size = size
    return Picture(state, look).canvas
  }

  @Test func `an empty screen is an empty picture`() {
    #expect(Picture(Scene.dead.state(Size(width: 0, height: 0)), .utf8).canvas.cells.isEmpty)
  }

  /// Every cell belongs to exactly one area.
  private func expectTiling(_ areas: [Rect], _ size: Size) {
    #expect(areas.reduce(0) { $0 + $1.width * $1.height } == size.width * size.height, "\(size) \(areas)")
    for (index, area) in areas.enumerated() {
      #expect(area.column >= 0 && area.row >= 0)
      #expect(!areas.dropFirst(index + 1).contains { $0.intersects(area) }, "\(size) \(areas)")
    }
  }

  @Test(arguments: [0, 1, 4], [nil, PanelKind.ring, .events])
  func `the layout covers every cell exactly once`(changeRows: Int, zoomed: PanelKind?) {
    for size in Self.sizes {
      for nodes in [1, 5, 40] {
        let layout = Layout(
          size,
          Layout.Needs(
            nodeCount: nodes, warningRows: changeRows / 2, changeRows: changeRows, hasBenchmark: nodes == 5,
            zoomed: zoomed, preferred: zoomed ?? .events))
        let areas =
          [layout.header, layout.warnings, layout.change, layout.prompt, layout.keys, layout.detail]
          + layout.panels.values
        expectTiling(areas, size)
      }
    }
  }

  @Test(arguments: PanelKind.allCases.filter { !$0.needsBenchmark })
  func `with a tour the layout covers every cell once, and shows what the tour speaks of`(spot: PanelKind) {
    for size in Self.sizes {
      for (changeRows, isLong) in [(0, false), (4, false), (2, true)] {
        let layout = Layout(
          size,
          Layout.Needs(
            nodeCount: 5, warningRows: changeRows / 2, changeRows: changeRows, hasBenchmark: changeRows == 0,
            guided: spot, isGuideLong: isLong))
        let areas =
          [layout.header, layout.guide, layout.warnings, layout.change, layout.prompt, layout.keys]
          + layout.panels.values
        expectTiling(areas, size)
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
    #expect(layout(80, 24).visible == PanelKind.allCases.filter { $0 != .latency && !$0.needsBenchmark })
    #expect(layout(120, 40).visible == PanelKind.allCases.filter { !$0.needsBenchmark })
    #expect(layout(200, 60).visible == PanelKind.allCases.filter { !$0.needsBenchmark })
    #expect(layout(120, 40).detail.isEmpty && !layout(200, 60).detail.isEmpty)
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60), (60, 40), (100, 22)])
  func `a benchmark shares the events' room and moves no other panel`(width: Int, height: Int) {
    func layout(_ hasBenchmark: Bool) -> Layout {
      Layout(Size(width: width, height: height), Layout.Needs(nodeCount: 5, hasBenchmark: hasBenchmark))
    }
    let (without, with) = (layout(false), layout(true))
    #expect(with.panels[.benchmark] != nil)
    for panel in without.visible where panel != .events { #expect(with.panels[panel] == without.panels[panel]) }
    #expect(with.detail == without.detail)
  }

  @Test func `below the least useful size one panel fills the screen`() {
    let layout = Layout(
      Size(width: 40, height: 12), Layout.Needs(nodeCount: 5, changeRows: 0, preferred: .nodes))
    #expect(layout.visible == [.nodes])
  }
}

/// A seeded source, so that a size that failed can be drawn again.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
