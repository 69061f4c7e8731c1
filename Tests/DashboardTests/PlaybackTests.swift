import ClusterModel
import Dashboard
import Testing

extension Playback {
  /// In the middle of a simulated day, with messages under way; refuted, an answer has just come that no order explains.
  static func sample(isRefuted: Bool = false) -> Playback {
    var playback = Playback(name: "seed 42", startNs: 1_000_000_000, endNs: 21_500_000_000, nowNs: 5_004_512_345)
    (playback.place, playback.speed, playback.isPlaying) = (0.4, 0.01, !isRefuted)
    playback.steps = .init(done: 4_012, count: 10_278)
    playback.windowNs = 60_000_000
    playback.marks = [
      .init(.change, atNs: 2_000_000_000, place: 0.1, text: "node6 joins"),
      .init(.fault, atNs: 4_000_000_000, place: 0.3, text: "partition: 16 links"),
      .init(.fault, atNs: 5_100_000_000, place: 0.5, text: "kill: node1"),
      .init(.healing, atNs: 9_000_000_000, place: 0.8, text: "everything heals"),
    ]
    func ago(_ ms: UInt64) -> UInt64 { playback.nowNs - ms * 1_000_000 }
    playback.lanes = [
      Lane(
        name: "client 0",
        calls: [
          Call(
            isWrite: true, text: "put key1 v7 → done", fromNs: ago(58), toNs: ago(30), ending: .answered,
            isOffending: isRefuted),
          Call(isWrite: false, text: "get key3", fromNs: ago(20), toNs: playback.nowNs, ending: .open),
        ]),
      Lane(
        name: "client 1",
        calls: [
          Call(isWrite: true, text: "del key2 → unknown", fromNs: ago(200), toNs: ago(40), ending: .unknown),
          Call(
            isWrite: false, text: "get key1 → nothing", fromNs: ago(25), toNs: ago(0), ending: .answered,
            isOffending: isRefuted),
        ]),
      Lane(
        name: "client 2",
        calls: [Call(isWrite: true, text: "put key9 v8refused", fromNs: ago(9), toNs: ago(8), ending: .refused)]),
    ]
    playback.flights = [
      Flight(from: 0, to: 2, kind: .read, progress: 0.3, isLost: false),
      Flight(from: 2, to: 0, kind: .answer, progress: 0.5, isLost: false),
      Flight(from: 1, to: 4, kind: .write, progress: 0.9, isLost: true),
    ]
    playback.lines = (0..<12).map { "  4.99000\($0 % 10) s   client 1: get key\($0) → nothing" }
    if isRefuted {
      playback.marks.append(.init(.violation, atNs: playback.nowNs, place: 0.4, text: "client 1: get key1 → nothing"))
      playback.proof = [
        "key key1, at first absent: any order of these 2 operations contradicts an answer",
        "client 0  |--put \"v7\"--|", "client 1               |--get → absent--|",
      ]
    }
    return playback
  }
}

@Suite struct PlaybackTests {
  private func screen(_ width: Int = 120, _ height: Int = 40, isRefuted: Bool = false) -> DashboardState {
    Scene(rawValue: isRefuted ? "refuted" : "played")!.state(Size(width: width, height: height))
  }

  private func text(_ state: DashboardState) -> String { Picture(state, .utf8).canvas.lines.joined(separator: "\n") }

  @Test func `its keys go to the playback, and nothing is typed`() {
    var state = screen()
    let keys: [(Key, PlaybackKey)] = [
      (.character(" "), .playOrPause), (.right, .step(1)), (.left, .step(-1)), (.character("+"), .faster),
      (.character("-"), .slower), (.character("o"), .answer(1)), (.character("O"), .answer(-1)),
      (.character("f"), .mark(1)), (.character("F"), .mark(-1)), (.character("v"), .violation),
      (.pageDown, .move(parts: 1)), (.pageUp, .move(parts: -1)), (.home, .seek(0)), (.end, .seek(1)),
      (.character("q"), .quit), (.escape, .quit), (.control("c"), .quit), (.control("d"), .quit),
    ]
    for (key, meaning) in keys { #expect(state.handle(key) == [.playback(meaning)]) }
    type("xyz", into: &state)
    _ = state.handle(.paste("put a 1\n"))
    #expect(state.prompt.editor.isEmpty && state.focus == .prompt)
    #expect(text(state).contains("not taken: 1 pasted line"))
    #expect(Picture(state, .utf8).cursor == nil)
  }

  @Test func `tab goes to the panels, where space plays and esc gives the keys back`() {
    var state = screen()
    _ = state.handle(.tab)
    #expect(state.focus != .prompt)
    #expect(state.handle(.character(" ")) == [.playback(.playOrPause)])
    #expect(state.handle(.control("c")) == [.playback(.quit)])
    _ = state.handle(.escape)
    #expect(state.focus == .prompt && state.playback != nil)
  }

  @Test func `a press on the scrubber goes there`() throws {
    var state = screen()
    let strip = state.layout.guide
    let actions = state.handle(.mouse(.press, column: strip.column + 2, row: strip.row + 2))
    #expect(actions == [.playback(.seek(0))])
    let last = state.handle(.mouse(.press, column: strip.column + strip.width - 3, row: strip.row + 2))
    #expect(last == [.playback(.seek(1))])
    #expect(state.handle(.mouse(.press, column: strip.column + 5, row: strip.row + 4)) == [])
  }

  @Test func `the strip says where its viewer is, what comes next, and what is under way`() {
    let shown = text(screen())
    for words in ["seed 42", "×0.01", "5.004512 s of 21.5 s", "step 4,012 of 10,278", "2 messages", "1 lost"] {
      #expect(shown.contains(words), "\(words)")
    }
    #expect(shown.contains("next: kill: node1 in 95.5 ms"))
    #expect(shown.contains("[get key3") && shown.contains("client 2"))
  }

  @Test func `a wrong answer is said in words, with what contradicts it`() {
    let shown = text(screen(isRefuted: true))
    #expect(shown.contains("an answer that no order explains"))
    #expect(shown.contains("contradicts an") && shown.contains("|--put \"v7\"--|"))
    #expect(shown.contains("v violation"))
  }

  @Test func `a playback that begins anew forgets what was seen, but not where the reader was`() {
    var state = screen()
    _ = state.handle(.tab)
    let focus = state.focus
    var again = Playback.sample()
    again.run = 1
    let status = Sample(nodes: 3).status(at: 1)
    state.apply(playback: again, [Playback.Frame(nowNs: 1_000_000_000, status: status, events: [])])
    #expect(state.focus == focus && state.status == status && state.seen.nowNs <= 1_000_000_000)
    #expect(state.log.lines.isEmpty)
  }

  @Test func `a session without steps leaves the panels their places, above a scrubber`() {
    for height in [1, 2, 4, 7, 9, 12, 20, 24, 40] {
      for width in [1, 12, 48, 80, 120] {
        var played = screen(width, height)
        #expect(Picture(played, .utf8).canvas.size == played.size)
        var session = Playback.sample()
        (session.steps, session.lanes, session.lines, session.flights) = (nil, [], [], [])
        played.apply(playback: session, [])
        #expect(Picture(played, .utf8).canvas.size == played.size)
        let layout = played.layout
        guard height >= 24, width >= 80 else { continue }
        #expect(layout.panels[.events] != nil && layout.guide.height == 4 && layout.prompt.isEmpty)
        #expect(layout.panels.values.allSatisfy { $0.row + $0.height <= layout.guide.row })
      }
    }
  }

  @Test func `dots stay in the hole and are where their messages are`() {
    let plain = screen()
    var empty = Playback.sample()
    empty.flights = []
    var without = plain
    without.apply(playback: empty, [])
    let (a, b) = (Picture(plain, .utf8).canvas, Picture(without, .utf8).canvas)
    let ring = plain.layout.panels[.ring]!
    var changed = 0
    for row in 0..<a.height {
      for column in 0..<a.width where a[column, row] != b[column, row] && row < plain.layout.guide.row {
        #expect(ring.contains(column: column, row: row))
        changed += 1
      }
    }
    #expect(changed == 3)
  }
}
