import Dashboard
import ClusterModel
import Testing

/// The header's words about answers that were judged.
@Suite struct VerdictTests {
  private func header(_ verdict: VerdictStatus?) -> String {
    let size = Size(width: 160, height: 40)
    var state = DashboardState.watching(Sample(nodes: 3), size)
    guard var status = state.status else { return "" }
    status.verdict = verdict
    state.apply(status: status)
    return HeaderPanel.draw(state, Size(width: 160, height: 2), Look.utf8).lines[1]
  }

  @Test func `the header says how many operations were judged, and how many answers were wrong`() {
    #expect(!header(nil).contains("checked"))
    let good = VerdictStatus(operationsChecked: 1_203_221, keysWatched: 9, keysPerWatched: 128)
    #expect(header(good).contains("1,203,221 operations checked, 0 violations"))
    let bad = VerdictStatus(operationsChecked: 1, violations: 1)
    #expect(header(bad).contains("1 operation checked, 1 violation "))
  }

  @Test func `escape folds what is said of a wrong answer to a row, until there is another one`() {
    var state = Scene.wrong.state(Size(width: 120, height: 40))
    func rows() -> [String] { Picture(state, .utf8).canvas.lines }
    #expect(rows().contains { $0.contains("Esc folds this") } && rows().contains { $0.contains("p1 |--put Bob") })
    #expect(rows().contains { $0.contains("p1, p2: clients; time runs to the right") })
    #expect(rows().last?.contains("Esc fold the warning") == true)
    _ = state.handle(.escape)
    #expect(rows().contains { $0.contains("NOT LINEARIZABLE") && $0.contains("`verdict` tells why") })
    #expect(!rows().contains { $0.contains("p1 |--put Bob") })
    var status = state.status!
    status.verdict?.violations += 1
    state.apply(status: status)
    #expect(rows().contains { $0.contains("p1 |--put Bob") })
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60), (40, 20)])
  func `an answer that cannot be is told in a row of its own, at every size`(width: Int, height: Int) {
    let state = Scene.wrong.state(Size(width: width, height: height))
    let lines = Picture(state, .utf8).canvas.lines
    #expect(lines.contains { $0.hasPrefix(" ✗ NOT LINEARIZABLE, 2 times") })
    #expect(width < 80 || lines.contains { $0.contains("faults") })
  }
}
