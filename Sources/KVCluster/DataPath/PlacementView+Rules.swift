/// How many owners an operation waits for, of which rings.
extension PlacementView {
  /// At the cluster's own level; decided once an epoch, planted mistakes included.
  struct Needs {
    let read: Int
    let write: Int
    /// During a change, of the next owners; otherwise 0.
    let nextWrite: Int
    /// How many must hold what a get returns.
    let writeBack: Int
    let nextWriteBack: Int
    /// Wrong: one owner vouches for another. Only for the mistake of that name.
    let trustsOneOther: Bool

    init(_ quorum: QuorumSettings, next: QuorumSettings?, _ mistake: PlantedMistake?) {
      let returnsAnything = mistake == .noWriteBack || mistake == .readsOne
      read = mistake == .readsOne ? 1 : quorum.read
      trustsOneOther = mistake == .rebuildsFromOne
      write = mistake == .writesNewOwnersOnly && next != nil ? 0 : quorum.write
      nextWrite = next?.write ?? 0
      writeBack = returnsAnything ? 0 : write
      nextWriteBack = returnsAnything || mistake == .writesBackToOldOwners ? 0 : nextWrite
    }

    /// So many owners that hold one version, each an owner of both rings during a change, are all that a get needs.
    var agreement: Int { max(1, read, writeBack, nextWriteBack) }
  }

  @inline(__always)
  func writeRule(_ participants: Participants, _ consistency: Consistency?) -> QuorumRule {
    if let consistency { return rule(participants, consistency) }
    return QuorumRule(
      owners: participants.owners, needed: needs.write, nextOwners: participants.nextOwners,
      nextNeeded: needs.nextWrite)
  }

  /// Owners that between them had every acknowledged version: N − W + 1, for any W meet them. Of the ring in force, also
  /// during a change: a write needs W of its owners and W of the next ones, and only the former were asked before it.
  @inline(__always)
  func evidenceRule(_ participants: Participants) -> QuorumRule {
    let needed = needs.trustsOneOther ? 1 : participants.owners.count - quorum.write + 1
    return QuorumRule(owners: participants.owners, needed: needed)
  }

  /// Whether all owners but one are always enough for ``evidenceRule(_:)``.
  var needsOthersOnly: Bool { quorum.write > 1 }

  /// Whether a node that may have lost records can be rebuilt without anybody's help from these owners; see ``Evidence``.
  /// - Parameters:
  ///   - hasLost: records that were on its disk.
  ///   - sound: nodes that have lost nothing.
  ///   - live: nodes that answer.
  func canRebuild(_ node: UInt16, hasLost: Bool, from sound: Set<UInt16>, live: Set<UInt16>) -> Bool {
    func allOwned(_ isTrue: (_ slot: Int, _ owners: Int) -> Bool) -> Bool {
      allLists(of: 0..<Ring.slotCount) { slot in
        countOwners(ofSlot: slot) { $0 == node } == 0 || isTrue(slot, countOwners(ofSlot: slot) { _ in true })
      }
    }
    let hasEvidence = allOwned { slot, owners in
      countOwners(ofSlot: slot) { $0 != node && sound.contains($0) } >= owners - quorum.write + 1
    }
    return hasEvidence
      || !hasLost && allOwned { slot, owners in countOwners(ofSlot: slot) { live.contains($0) } == owners }
  }

  /// Whether of each slot whose owners change R are among these.
  func hasSources(_ sound: Set<UInt16>) -> Bool {
    allLists(of: 0..<Ring.slotCount) { slot in
      !isMoving(slot) || countOwners(ofSlot: slot) { sound.contains($0) } >= quorum.read
    }
  }

  private func rule(_ participants: Participants, _ consistency: Consistency) -> QuorumRule {
    QuorumRule(
      owners: participants.owners, needed: consistency.count(of: participants.owners.count),
      nextOwners: participants.nextOwners, nextNeeded: consistency.count(of: participants.nextOwners.count))
  }

  func readOperation(_ participants: Participants, _ consistency: Consistency?) -> ReadOperation {
    guard let consistency else {
      return ReadOperation(
        readRule: QuorumRule(owners: participants.owners, needed: needs.read),
        writeRule: QuorumRule(
          owners: participants.owners, needed: needs.writeBack, nextOwners: participants.nextOwners,
          nextNeeded: needs.nextWriteBack))
    }
    var writeRule = rule(participants, consistency)
    // The owner that told it is enough.
    if consistency == .one { writeRule.nextNeeded = 0 }
    return ReadOperation(
      readRule: QuorumRule(owners: participants.owners, needed: consistency.count(of: participants.owners.count)),
      writeRule: writeRule)
  }
}
