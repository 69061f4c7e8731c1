import Testing

@testable import KVCluster

@Suite struct PlacementRuleTests {
  private let quorum = QuorumSettings(replicas: 3, read: 2, write: 2)

  @Test("A get returns what R old owners and W of both rings agree on")
  func needs() {
    let settled = PlacementView.Needs(quorum, next: nil, nil)
    #expect((settled.read, settled.write, settled.nextWrite) == (2, 2, 0))
    #expect((settled.writeBack, settled.nextWriteBack, settled.agreement) == (2, 0, 2))
    let joint = PlacementView.Needs(quorum, next: QuorumSettings(replicas: 3, read: 1, write: 3), nil)
    #expect((joint.read, joint.write, joint.nextWrite) == (2, 2, 3))
    #expect((joint.writeBack, joint.nextWriteBack, joint.agreement) == (2, 3, 3))
  }

  @Test("A planted mistake is in the rules themselves, so that no operation looks for it")
  func mistakes() {
    let readsOne = PlacementView.Needs(quorum, next: nil, .readsOne)
    #expect((readsOne.read, readsOne.writeBack, readsOne.agreement) == (1, 0, 1))
    let noWriteBack = PlacementView.Needs(quorum, next: nil, .noWriteBack)
    #expect((noWriteBack.read, noWriteBack.write, noWriteBack.writeBack) == (2, 2, 0))
    let newOnly = PlacementView.Needs(quorum, next: quorum, .writesNewOwnersOnly)
    #expect((newOnly.read, newOnly.write, newOnly.nextWrite) == (2, 0, 2))
    #expect(PlacementView.Needs(quorum, next: nil, .writesNewOwnersOnly).write == 2)
  }
}
