import Dashboard
import Foundation
import Testing

/// Whole screens compared with the pictures in `Goldens/`, which are text files one can read.
///
/// `UPDATE_GOLDENS=1 swift test` writes them anew; look at the difference before it is kept.
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

  @Test func `graphs without braille look as their golden picture`() throws {
    let state = Scene.healthy.state(Size(width: 80, height: 24))
    try expectGolden("throughput-blocks", Picture.panel(.throughput, state, Size(width: 60, height: 16), .blocks))
  }

  @Test(arguments: PanelKind.allCases)
  func `each panel alone looks as its golden picture`(panel: PanelKind) throws {
    let state = Scene.dead.state(Size(width: 120, height: 40))
    try expectGolden("panel-\(panel.rawValue)", Picture.panel(panel, state, Size(width: 100, height: 22), .utf8))
  }

  @Test(arguments: Scene.allCases)
  func `the C locale gets nothing but printable ASCII`(scene: Scene) {
    for size in Self.sizes {
      let cells = Picture(scene.state(size), .ascii).canvas.cells
      #expect(cells.allSatisfy { (0x20...0x7E).contains($0.scalar.value) })
    }
  }

  private func expectGolden(_ name: String, _ canvas: Canvas) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Goldens")
    let file = folder.appendingPathComponent(name + ".txt")
    // Blanks at line ends would be lost in editors and mails.
    let lines = canvas.lines.map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
    let text = lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(golden == text, "\(name) differs; UPDATE_GOLDENS=1 writes it anew")
  }
}
