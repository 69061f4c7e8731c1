import ClusterModel
import Dashboard
import Foundation
import Synchronization
import TestBackends
import Testing

/// Whole screens compared with the pictures in `Goldens/`, which are text files one can read.
///
/// `UPDATE_GOLDENS=1 swift test --filter GoldenTests` writes them anew; look at the difference before it is kept.
@Suite struct GoldenTests {
  static let sizes = [Size(width: 80, height: 24), Size(width: 120, height: 40)]

  @Test(arguments: Scene.allCases, sizes)
  func `the screen looks as its golden picture, in UTF-8 and in ASCII`(scene: Scene, size: Size) throws {
    let state = scene.state(size)
    try expectGolden("\(scene.rawValue)-\(size.width)x\(size.height)", Picture(state, .utf8).canvas)
    try expectGolden("\(scene.rawValue)-\(size.width)x\(size.height)-ascii", Picture(state, .ascii).canvas)
  }

  @Test(arguments: [Scene.healthy, .walking, .dead, .joining])
  func `a large screen looks as its golden picture`(scene: Scene) throws {
    try expectGolden(
      "\(scene.rawValue)-200x60", Picture(scene.state(Size(width: 200, height: 60)), .utf8).canvas)
  }

  @Test func `a backend of a hundred lines has the dashboard, as its golden picture shows`() async throws {
    let seconds = Mutex(0.0)
    let backend = DictionaryBackend { .seconds(seconds.withLock { $0 }) }
    var state = DashboardState(size: Size(width: 120, height: 40), advice: Sample.advice)
    for event in backend.events(after: 0) { state.apply(event: event) }
    for tick in 0...60 {
      seconds.withLock { $0 = Double(tick) / 4 }
      let key = Array("key \(tick % 20)".utf8)
      try await backend.put(key, [1], WriteOptions())
      _ = try await backend.get(key, ReadOptions())
      state.apply(status: backend.status(), nowNs: 1_000_000_000 + UInt64(tick) * 250_000_000)
    }
    try expectGolden("dictionary-120x40", Picture(state, .utf8).canvas)
  }

  @Test func `graphs without braille look as their golden picture`() throws {
    let state = Scene.healthy.state(Size(width: 80, height: 24))
    try expectGolden("throughput-blocks", Picture.panel(.throughput, state, Size(width: 60, height: 16), .blocks))
  }

  @Test(arguments: PanelKind.allCases, sizes + [Size(width: 200, height: 60)])
  func `each panel zoomed looks as its golden picture, colours included`(panel: PanelKind, size: Size) throws {
    var state = panel.needsBenchmark ? Scene.measured.state(size) : Scene.dead.state(size)
    while state.focus != .panel(panel) {
      // Not every panel is on every screen; zoomed, Tab visits them all.
      if case .panel = state.focus, !state.isZoomed { _ = state.handle(.character("z")) }
      _ = state.handle(.tab)
    }
    if !state.isZoomed { _ = state.handle(.character("z")) }
    let body = try #require(state.layout.panels[panel])
    let canvas = Picture.panel(panel, state, body.size, .utf8)
    try expectGolden("panel-\(panel.rawValue)-\(size.width)x\(size.height)", canvas, StyleMap(canvas, .truecolor))
  }

  @Test(arguments: [Scene.dead, .faulty, .measuring], sizes + [Size(width: 200, height: 60)])
  func `the screen has its golden colours`(scene: Scene, size: Size) throws {
    let canvas = Picture(scene.state(size), .utf8).canvas
    try expectGolden("\(scene.rawValue)-\(size.width)x\(size.height)-colours", canvas, StyleMap(canvas, .truecolor))
  }

  @Test(arguments: [ColorDepth.palette256, .ansi16, .ansi8, .mono], sizes + [Size(width: 200, height: 60)])
  func `with fewer colours the screen has its golden ones`(depth: ColorDepth, size: Size) throws {
    let theme = depth >= .palette256 ? Theme.midnight : .terminal
    let canvas = Picture(Scene.dead.state(size), Look(theme: theme, glyphs: Glyphs(.blocks), depth: depth)).canvas
    try expectGolden("dead-\(size.width)x\(size.height)-\(depth)", canvas, StyleMap(canvas, depth))
  }

  @Test(arguments: Scene.allCases)
  func `the C locale gets nothing but printable ASCII`(scene: Scene) {
    for size in Self.sizes {
      let cells = Picture(scene.state(size), .ascii).canvas.cells
      #expect(cells.allSatisfy { (0x20...0x7E).contains($0.scalar.value) })
    }
  }

  private func expectGolden(_ name: String, _ canvas: Canvas, _ styles: StyleMap? = nil) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Goldens")
    let file = folder.appendingPathComponent(name + ".txt")
    // Blanks at line ends would be lost in editors and mails.
    let lines = (canvas.lines + (styles.map { [""] + $0.lines } ?? [])).map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
    let text = lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    guard let golden = try? String(contentsOf: file, encoding: .utf8) else {
      Issue.record("there is no golden \(name).txt; UPDATE_GOLDENS=1 writes it")
      return
    }
    if let difference = Self.difference(golden, text) {
      Issue.record("\(name) \(difference); UPDATE_GOLDENS=1 writes it anew")
    }
  }

  /// The first row that differs: two whole pictures fill a screen and more.
  private static func difference(_ golden: String, _ text: String) -> String? {
    let old = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let new = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard old != new else { return nil }
    let rows = (0..<max(old.count, new.count)).filter { row in
      (row < old.count ? old[row] : nil) != (row < new.count ? new[row] : nil)
    }
    func shown(_ lines: [Substring]) -> String { rows[0] < lines.count ? "“\(lines[rows[0]])”" : "nothing" }
    let others = rows.count > 1 ? ", as \(rows.count - 1) more do" : ""
    return "differs in row \(rows[0] + 1)\(others):\n  golden \(shown(old))\n  now    \(shown(new))"
  }
}
