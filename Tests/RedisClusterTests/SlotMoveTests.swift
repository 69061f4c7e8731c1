import Testing

@testable import RedisCluster

@Suite struct SlotMoveTests {
  private let move = SlotMove(slot: 7, source: "a", target: "b")
  private let untouched = SlotMove.Facts(
    targetOwns: false, targetImports: false, sourceOwns: true, sourceMigrates: false, keysLeft: 3, isSeen: false)

  @Test("A slot is opened at the receiver first, emptied, given at the receiver first, and let go once it was seen")
  func order() {
    var facts = untouched
    var actions: [SlotMove.Action] = []
    while actions.last != .nothing, actions.count < 20 {
      let action = move.next(facts)
      actions.append(action)
      switch action {
      case .openTarget: facts.targetImports = true
      case .openSource: facts.sourceMigrates = true
      case .moveKeys: facts.keysLeft -= 1
      case .give: (facts.targetOwns, facts.targetImports) = (true, false)
      case .waitUntilSeen: facts.isSeen = true
      case .letGo: (facts.sourceOwns, facts.sourceMigrates) = (false, false)
      case .nothing: break
      }
    }
    #expect(
      actions == [
        .openTarget, .openSource, .moveKeys, .moveKeys, .moveKeys, .give, .waitUntilSeen, .letGo, .nothing,
      ])
  }

  @Test("From every state that a cut-off move can leave, it ends with the receiver owning the slot and no key left")
  func resumes() {
    for bits in 0..<32 {
      var facts = SlotMove.Facts(
        targetOwns: bits & 1 != 0, targetImports: bits & 2 != 0, sourceOwns: bits & 4 != 0,
        sourceMigrates: bits & 8 != 0,
        keysLeft: bits & 16 != 0 ? 2 : 0, isSeen: false)
      var steps = 0
      while move.next(facts) != .nothing, steps < 20 {
        steps += 1
        switch move.next(facts) {
        case .openTarget: facts.targetImports = true
        case .openSource: facts.sourceMigrates = true
        case .moveKeys: facts.keysLeft -= 1
        case .give:
          #expect(facts.keysLeft == 0 && facts.targetImports && facts.sourceMigrates)
          (facts.targetOwns, facts.targetImports) = (true, false)
        case .waitUntilSeen: facts.isSeen = true
        case .letGo:
          #expect(facts.isSeen && facts.targetOwns)
          (facts.sourceOwns, facts.sourceMigrates) = (false, false)
        case .nothing: break
        }
      }
      #expect(facts.targetOwns && facts.keysLeft == 0 && !facts.sourceOwns && !facts.sourceMigrates, "from \(bits)")
    }
  }
}

@Suite struct SlotPlanTests {
  private func map(_ counts: [Int], joining: Bool = false) throws -> ClusterMap {
    var start = 0
    var lines: [String] = []
    for (index, count) in counts.enumerated() {
      let slots = count == 0 ? "" : " \(start)-\(start + count - 1)"
      lines.append("n\(index) 10.0.0.\(index):6379@16379 master - 0 0 \(index) connected\(slots)")
      start += count
    }
    return try ClusterMap(nodesText: lines.joined(separator: "\n"), host: "")
  }

  private func counts(after moves: [SlotMove], _ map: ClusterMap) -> [String: Int] {
    SlotPlan.owners(after: moves, map).reduce(into: [:]) { $0[$1 ?? "nobody", default: 0] += 1 }
  }

  @Test("A node that joins gets its share from those that have more, and each slot moves once")
  func joins() throws {
    let map = try map([5_461, 5_462, 5_461, 0])
    let moves = SlotPlan.joining("n3", map)
    #expect(moves.count == 4_096 && Set(moves.map(\.slot)).count == 4_096)
    #expect(moves.allSatisfy { map.owners[$0.slot] == $0.source && $0.target == "n3" })
    let after = counts(after: moves, map)
    #expect(after.values.allSatisfy { (4_096...4_097).contains($0) } && after.count == 4)
  }

  @Test("A move that was cut off goes on with what is left, and one that is done has nothing to do")
  func goesOn() throws {
    let map = try map([5_000, 5_000, 5_384, 1_000])
    let moves = SlotPlan.joining("n3", map)
    #expect(moves.count == 3_096 && counts(after: moves, map)["n3"] == 4_096)
    #expect(try SlotPlan.joining("n3", self.map([4_096, 4_096, 4_096, 4_096])).isEmpty)
    #expect(SlotPlan.joining("unknown", map).isEmpty)
  }

  @Test("A node that leaves gives everything to the others, in equal parts and in runs of neighbours")
  func leaves() throws {
    let map = try map([4_096, 4_096, 4_096, 4_096])
    let moves = SlotPlan.leaving("n1", map)
    #expect(moves.count == 4_096 && moves.map(\.slot) == Array(4_096..<8_192))
    let after = counts(after: moves, map)
    #expect(after["n1"] == nil && after.values.allSatisfy { (5_461...5_462).contains($0) })
    #expect(try SlotPlan.leaving("n0", self.map([16_384])).isEmpty)
  }

  @Test("Open slots ask for one move each, whichever end tells of them")
  func open() throws {
    let map = try ClusterMap(
      nodesText: """
        a 10.0.0.1:1@2 master - 0 0 1 connected 0-9 [3->-b] [5->-b]
        b 10.0.0.2:1@2 master - 0 0 2 connected 10-20 [3-<-a] [12-<-a]
        """, host: "")
    #expect(
      SlotPlan.open(map) == [
        SlotMove(slot: 3, source: "a", target: "b"), SlotMove(slot: 5, source: "a", target: "b"),
        SlotMove(slot: 12, source: "a", target: "b"),
      ])
  }
}

@Suite struct MovePaceTests {
  @Test("Batches shrink while servers answer late, then pauses grow, and both recover")
  func adapts() {
    var pace = MovePace(ceiling: .milliseconds(10))
    let start = pace.batchBytes
    pace.note(.milliseconds(11))
    #expect(pace.batchBytes == start / 2 && pace.pause == .zero)
    for _ in 0..<50 { pace.note(.milliseconds(500)) }
    #expect(pace.batchBytes == 16 << 10 && pace.pause == .milliseconds(200))
    for _ in 0..<100 { pace.note(.milliseconds(1)) }
    #expect(pace.batchBytes == 1 << 20 && pace.pause == .zero)
  }

  @Test("A batch holds as many bytes as the pace allows, and at least one key")
  func batches() {
    let pace = MovePace()
    #expect(pace.batch([300 << 10, 1]) == 1)
    #expect(pace.batch([100 << 10, 100 << 10, 56 << 10, 1]) == 3)
    #expect(pace.batch([]) == 0)
  }
}
