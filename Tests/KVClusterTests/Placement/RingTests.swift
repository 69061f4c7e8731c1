import KVSimulator
import Testing

@testable import KVCluster

@Suite struct RingTests {
  /// What is asked of every ring and of every change.
  private static let balanceMax = 1.05
  private static let movementMax = 1.05

  @Test("Balance and movement from 1 to 100 nodes, one joining after the other")
  func growsInBalance() {
    var ring = Ring.balanced(nodes: [0], replicas: 3)
    var table = ring.preferenceTable(replicas: 3)
    print("nodes  max/mean  join moves  leave moves  (x minimum)  tokens/node")
    for count in 2...100 {
      let next = ring.adding(UInt16(count - 1), replicas: 3)
      let nextTable = next.preferenceTable(replicas: 3)
      let join = Movement(from: table, to: nextTable).ratio
      let leaver = UInt16(count * 7 / 11)
      let leave = Movement(from: nextTable, to: next.removing(leaver, replicas: 3).preferenceTable(replicas: 3)).ratio
      if count >= 3 {
        #expect(nextTable.imbalance <= Self.balanceMax, "\(count) nodes")
        #expect(join <= Self.movementMax && leave <= Self.movementMax, "\(count) nodes: \(join) \(leave)")
      }
      if count <= 12 || count % 10 == 0 {
        print(
          count, round3(nextTable.imbalance), round3(join), round3(leave), next.tokens.count / count, separator: "\t")
      }
      (ring, table) = (next, nextTable)
    }
  }

  private func round3(_ x: Double) -> Double { (x * 1_000).rounded() / 1_000 }

  @Test(
    "Two hundred random joins and leaves keep balance at every step",
    arguments: [
      (seed: 1, sizes: 3...100), (seed: 2, sizes: 3...100), (seed: 3, sizes: 3...12), (seed: 4, sizes: 3...12),
      (seed: 5, sizes: 4...6), (seed: 6, sizes: 80...100),
    ])
  func staysInBalance(seed: Int, sizes: ClosedRange<Int>) {
    var random = SeededRandom(seed: UInt64(seed))
    var members = (0..<random.within(sizes)).map { UInt16($0) }
    var ring = Ring.balanced(nodes: members, replicas: 3)
    var table = ring.preferenceTable(replicas: 3)
    var worst = (balance: table.imbalance, movement: 1.0)
    var joins = true
    for _ in 0..<200 {
      // Long stretches in one direction reach both ends of the sizes.
      if random.chance(perMille: 60) { joins.toggle() }
      if members.count <= sizes.lowerBound { joins = true }
      if members.count >= sizes.upperBound { joins = false }
      let isJoin = random.chance(perMille: 700) ? joins : !joins
      if isJoin && members.count < sizes.upperBound || members.count == sizes.lowerBound {
        let id = (0...UInt16.max).first { !members.contains($0) }!
        members.append(id)
        ring = ring.adding(id, replicas: 3)
      } else {
        ring = ring.removing(members.remove(at: random.below(members.count)), replicas: 3)
      }
      let next = ring.preferenceTable(replicas: 3)
      worst = (max(worst.balance, next.imbalance), max(worst.movement, Movement(from: table, to: next).ratio))
      table = next
    }
    print(
      "seed \(seed), \(sizes): worst max/mean \(round3(worst.balance)), worst movement \(round3(worst.movement)), tokens \(ring.tokens.count)"
    )
    #expect(worst.balance <= Self.balanceMax)
    #expect(worst.movement <= Self.movementMax)
  }

  @Test("Preference lists name distinct nodes, as many as there are up to N", arguments: [1, 2, 3, 5, 7])
  func listsDistinctNodes(replicas: Int) {
    var ring = Ring.balanced(nodes: [0], replicas: replicas)
    for count in 1...12 {
      let table = ring.preferenceTable(replicas: replicas)
      #expect(table.ranks == min(replicas, count))
      for slot in stride(from: 0, to: Ring.slotCount, by: 149) {
        #expect(Set(table.owners(of: slot)).count == table.ranks)
      }
      if count > replicas { #expect(table.imbalance <= 1.1) }
      ring = ring.adding(UInt16(count), replicas: replicas)
    }
    for id in (0..<12).reversed() { ring = ring.removing(UInt16(id), replicas: replicas) }
    #expect(ring.nodes == [12])
  }

  @Test("A thousand nodes fit the ring")
  func fitsManyNodes() {
    let ring = Ring.balanced(nodes: (0..<999).map { UInt16($0) }, replicas: 3).adding(999, replicas: 3)
    #expect(ring.nodes.count == 1_000)
    #expect(ring.preferenceTable(replicas: 3).loads.allSatisfy { $0 > 0 })
  }

  @Test("The list is the first N distinct nodes clockwise, around the end of the ring too")
  func walksClockwise() throws {
    typealias Token = Ring.Token
    let ring = try Ring(tokens: [
      Token(slot: 10, node: 1), Token(slot: 20, node: 1), Token(slot: 30, node: 2), Token(slot: 40, node: 3),
    ])
    let table = ring.preferenceTable(replicas: 2)
    #expect(Array(table.owners(of: 0)) == [1, 2])
    #expect(Array(table.owners(of: 10)) == [1, 2])
    #expect(Array(table.owners(of: 25)) == [2, 3])
    #expect(Array(table.owners(of: 31)) == [3, 1])
    #expect(Array(table.owners(of: 41)) == [1, 2])
    #expect(throws: Ring.InvalidTokens.self) {
      try Ring(tokens: [Token(slot: 5, node: 1), Token(slot: 5, node: 2)])
    }
  }

  @Test("A small cluster has few tokens, so that its ring can be read")
  func hasFewTokens() {
    var ring = Ring.balanced(nodes: [0, 1, 2], replicas: 3)
    for id in 3..<8 {
      ring = ring.adding(UInt16(id), replicas: 3)
      #expect(ring.tokens.count / (id + 1) <= 64, "\(id + 1) nodes: \(ring.tokens.count) tokens")
    }
  }

  @Test("Ranges of slots survive their bytes")
  func packsRanges() {
    let ranges = RingRanges { $0 % 1_000 < 10 || $0 == Ring.slotCount - 1 }
    #expect(ranges.bytes.withBytes { RingRanges(bytes: $0) } == ranges)
    for slot in stride(from: 0, to: Ring.slotCount, by: 7) { #expect(ranges.contains(slot) == (slot % 1_000 < 10)) }
    #expect(ranges.contains(Ring.slotCount - 1))
  }
}
