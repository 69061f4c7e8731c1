import Testing

@testable import KVCluster

@Suite struct OperationTests {
  private let tag = KVCluster.Tag(counter: 5, coordinator: 0)
  private func rule(_ needed: Int, of count: Int = 3) -> QuorumRule {
    QuorumRule(owners: ParticipantSet(first: count), needed: needed)
  }
  /// Owners 0–2 in force, 1–3 after the change.
  private var joint: QuorumRule {
    QuorumRule(owners: ParticipantSet(bits: 0b0111), needed: 2, nextOwners: ParticipantSet(bits: 0b1110), nextNeeded: 2)
  }

  @Test(
    "A write is done exactly when a write quorum has acknowledged it, in any order", arguments: 0..<8 as Range<UInt32>)
  func writeQuorum(acks: UInt32) {
    var operation = WriteOperation(tag: tag, rule: rule(2))
    for i in 0..<3 where ParticipantSet(bits: acks).contains(i) { _ = operation.acknowledge(i) }
    #expect((operation.step == .done) == (acks.nonzeroBitCount >= 2))
  }

  @Test("The same owner counts once")
  func countsOnce() {
    var operation = WriteOperation(tag: tag, rule: rule(2))
    #expect(operation.acknowledge(1) == .waiting)
    #expect(operation.acknowledge(1) == .waiting)
    #expect(operation.acknowledge(0) == .done)
  }

  @Test("A write that can no longer reach its quorum is undecidable, and stays so")
  func undecidable() {
    var operation = WriteOperation(tag: tag, rule: rule(2))
    #expect(operation.lose(0) == .waiting)
    #expect(operation.lose(1) == .undecidable)
    #expect(operation.acknowledge(2) == .undecidable)
  }

  @Test("In a change a write needs both quorums", arguments: 0..<16 as Range<UInt32>)
  func jointWrite(acks: UInt32) {
    var operation = WriteOperation(tag: tag, rule: joint)
    for i in 0..<4 where ParticipantSet(bits: acks).contains(i) { _ = operation.acknowledge(i) }
    let isEnough = (acks & 0b0111).nonzeroBitCount >= 2 && (acks & 0b1110).nonzeroBitCount >= 2
    #expect((operation.step == .done) == isEnough)
  }

  @Test("A read returns at once when a quorum agrees")
  func agreeingRead() {
    var operation = ReadOperation(readRule: rule(2), writeRule: rule(2))
    #expect(operation.answer(0, tag: tag) == .asking)
    #expect(operation.answer(2, tag: tag) == .finished)
    #expect(operation.newest == tag)
  }

  @Test("A read writes the newest version back before it returns it")
  func writesBack() {
    var operation = ReadOperation(readRule: rule(2), writeRule: rule(2))
    #expect(operation.answer(0, tag: .none) == .asking)
    #expect(operation.answer(1, tag: tag) == .writingBack)
    #expect(operation.lackers == ParticipantSet(bits: 0b101))
    #expect(operation.acknowledge(2) == .finished)
  }

  @Test("A version that is not durable yet does not count as held")
  func waitsForDurability() {
    var operation = ReadOperation(readRule: rule(2), writeRule: rule(2))
    _ = operation.answer(0, tag: tag, isDurable: false)
    #expect(operation.answer(1, tag: tag, isDurable: true) == .writingBack)
    #expect(operation.acknowledge(0) == .finished)
  }

  @Test("Absence needs no write-back")
  func absentRead() {
    var operation = ReadOperation(readRule: rule(2), writeRule: rule(3))
    _ = operation.answer(0, tag: .none)
    #expect(operation.answer(1, tag: .none) == .finished)
    #expect(operation.newest == .none)
  }

  @Test("A damaged or missing owner counts for nothing")
  func losesOwners() {
    var operation = ReadOperation(readRule: rule(2), writeRule: rule(2))
    #expect(operation.lose(0) == .asking)
    #expect(operation.answer(1, tag: tag) == .asking)
    #expect(operation.lose(2) == .undecidable)
  }

  @Test("In a change a read asks the old owners and returns only what both quorums hold")
  func jointRead() {
    let read = QuorumRule(owners: joint.owners, needed: 2)
    var operation = ReadOperation(readRule: read, writeRule: joint)
    #expect(operation.answer(3, tag: .none) == .asking)
    #expect(operation.answer(0, tag: tag) == .asking)
    #expect(operation.answer(1, tag: tag) == .writingBack)
    #expect(operation.acknowledge(3) == .finished)
  }

  @Test("Tags order by counter, then by coordinator")
  func ordersTags() {
    #expect(KVCluster.Tag(counter: 2, coordinator: 0) > KVCluster.Tag(counter: 1, coordinator: 9))
    #expect(KVCluster.Tag(counter: 2, coordinator: 1) > KVCluster.Tag(counter: 2, coordinator: 0))
    #expect(KVCluster.Tag(counter: KVCluster.Tag.counterMax, coordinator: 1_023).counter == KVCluster.Tag.counterMax)
    #expect(KVCluster.Tag.none < KVCluster.Tag(counter: 1, coordinator: 0))
  }
}
