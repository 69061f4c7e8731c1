/// Looking for damage, healing it, and rebuilding a node that may have lost records.
extension NodeMaintenance {
  /// Reading the log again takes at most this part of a core.
  private static let scrubPart: UInt64 = 100
  /// A damaged segment is read again for each try, which takes about 50 ms.
  private static let retryMaxNs: UInt64 = 8_000_000_000

  func scrubIfDue() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextScrubNs, !replica.store.isSuspect else { return }
    let finding = replica.whileOpen { scrub.step(replica.store) } ?? nil
    let tookNs = Clock.nowNs() - startedNs
    nextScrubNs = Clock.nowNs() + max(NodeMaintenance.scrubPauseMinNs, tookNs * NodeMaintenance.scrubPart)
    if let finding { take(finding) }
  }

  /// Notes which keys are affected, and has the segment emptied.
  func take(_ finding: Scrub.Finding) {
    for damage in finding.damage.prefix(3) { announce(finding.segment.id, damage.range) }
    let ranges = finding.damage.map(\.range)
    for number in 0..<Store.partitionCount {
      partitions.whileServing(replica, number) {
        for hash in replica.store.damagedHashes(number, slot: finding.segment.slot, within: ranges) {
          replica.noteDamage(hash)
        }
      }
    }
    replica.whileOpen { retireSegment(finding.segment.slot) }
  }

  private func announce(_ segment: UInt64, _ range: Range<Int>) {
    replica.damagesFound.wrappingAdd(1, ordering: .relaxed)
    events.add(
      .storage, .failure,
      "\(replica.name) holds a damaged copy in segment \(segment) at byte \(range.lowerBound): its other replicas answer, "
        + "and it is fetched from them again")
  }

  /// A damaged segment is emptied by compaction; the one being written is sealed first.
  private func retireSegment(_ slot: Int) {
    replica.store.log.markDamaged(slot: slot)
    sealDamagedTail()
  }

  func sealDamagedTail() {
    guard replica.store.log.isTailDamaged else { return }
    try? replica.store.log.sealTail()
    isSealUnsynced = true
  }

  /// Fetches the copies that readers, compaction or the scrub have found damaged.
  func healRead() -> Bool {
    guard !replica.store.isSuspect, Clock.nowNs() >= postponedUntilNs else { return false }
    return healNoted() > 0
  }

  /// Returns how many copies were fetched.
  func healNoted() -> Int {
    var healed = 0
    var unhealed = 0
    for hash in replica.takeDamagedHashes() {
      switch heal(hash) {
      case .healed: healed += 1
      case .wasIntact: break
      case .mustWait:
        replica.noteDamage(hash)
        unhealed += 1
      }
    }
    if unhealed > 0 { announceUnhealed(unhealed) }
    maintenance.counters.copiesHealed.wrappingAdd(healed, ordering: .relaxed)
    if healed > 0 {
      retryNs = NodeMaintenance.retryMinNs
      events.add(
        .storage, .success, "\(replica.name) healed: \(healed) damaged \(healed == 1 ? "copy" : "copies") fetched again"
      )
    }
    return healed
  }

  private func announceUnhealed(_ count: Int) {
    postpone()
    guard !hasAnnouncedUnhealed else { return }
    hasAnnouncedUnhealed = true
    events.add(
      .storage, .warning,
      "\(replica.name): \(count) damaged \(count == 1 ? "copy waits" : "copies wait") for a good one; until then reads of "
        + "\(count == 1 ? "its key" : "their keys") need the other owners")
  }

  func postpone() {
    postponedUntilNs = Clock.nowNs() + retryNs
    retryNs = min(2 * retryNs, NodeMaintenance.retryMaxNs)
  }

  private enum Healing {
    case healed, wasIntact, mustWait
  }

  private func heal(_ hash: UInt64) -> Healing {
    let number = Store.partition(of: hash)
    var outcome = Healing.mustWait
    partitions.whileServing(replica, number) {
      let slots = replica.store.damagedSegments(hash)
      guard !slots.isEmpty else { return outcome = .wasIntact }
      guard let others = partitions.sources(toHeal: hash, at: replica, data.links) else { return }
      do throws(StorageError) {
        for other in others { try take(hash, from: other) }
        if replica.store.removeDamaged(hash) {
          // What it hid may come back with the next start; then the node is compared with the others first.
          try SuspectMark.write(.unsynced, to: replica.store.log.disk, folder: replica.store.log.folder)
        }
        outcome = .healed
      } catch {
        events.add(.storage, .failure, "\(replica.name): a damaged copy could not be replaced: \(error)")
      }
      for slot in slots { retireSegment(slot) }
    }
    return outcome
  }

  private func take(_ hash: UInt64, from other: Replica) throws(StorageError) {
    var failure: StorageError?
    other.store.forEach(withHash: hash) { slot, record in
      guard slot.location.isTombstone || record.hasIntactValue else { return }
      do throws(StorageError) {
        _ = try replica.store.heal(record, hash: hash, tag: slot.tag, isTombstone: slot.location.isTombstone)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Whether of some of the node's keys every owner has lost records that were on its disk: then what they have together
  /// is no proof of what was acknowledged.
  var isLost: Bool {
    replica.store.hasLost && !(0..<Store.partitionCount).allSatisfy { partitions.isHeldWhole(replica, $0) }
  }

  private func announceLoss() {
    if !hasAnnouncedLoss {
      events.add(
        .storage, .failure,
        "\(replica.name) has lost records, and so have all other owners of some of its keys: reads of them are refused. "
          + "Close kvstore; `kvstore verify` says where, `kvstore repair --accept-loss` goes on with what is left")
    }
    hasAnnouncedLoss = true
  }

  /// A node that may have lost any key compares all of them with enough other owners before it votes again.
  func mergeSuspect() {
    guard Clock.nowNs() >= postponedUntilNs else { return }
    postponedUntilNs = Clock.nowNs() + NodeMaintenance.retryMinNs
    _ = rebuild()
  }

  /// How a suspect node was rebuilt.
  struct Rebuilding {
    var keysCopied: Int
    /// Keys whose newest known copy is damaged wherever there is one.
    var keysDamaged: Int
    /// Too few others are sure to have what the node lost.
    var isLossPossible: Bool
  }

  /// - Parameter acceptsLoss: someone has said that what no owner has any more is to be given up.
  /// - Returns: `nil` if it must wait.
  func rebuild(acceptsLoss: Bool = false) -> Rebuilding? {
    guard acceptsLoss || !isLost else {
      announceLoss()
      return nil
    }
    let generation = partitions.currentGeneration
    // Where those that vote are too few, all owners together know.
    let isEnough = (0..<Store.partitionCount).allSatisfy {
      partitions.canRebuild(replica, $0, data.links, fromVotersOnly: true)
    }
    guard isEnough || (0..<Store.partitionCount).allSatisfy({ partitions.canRebuild(replica, $0, data.links) })
    else {
      if !hasAnnouncedWait {
        events.add(
          .storage, .warning,
          "\(replica.name) has lost records and does not vote; it waits for other owners to be rebuilt from")
      }
      hasAnnouncedWait = true
      return nil
    }
    let sources = maintenance.roster.live.filter { $0 !== replica && (!isEnough || !$0.store.isSuspect) }.map(\.id)
    let sweep = Sweep(
      .catchUp(replica.id), partitions, data.links, sources: sources, asksSuspects: !isEnough)
    guard
      (try? sweep.run(
        resting: isHurried ? nil : Rest(maintenance.executor),
        canCopy: { partitions.canRebuild(replica, $0, data.links) }, isCancelled: { isClosing })) ?? false,
      generation == partitions.currentGeneration
    else { return nil }
    let withdrawal = Withdrawal(replica, partitions, data.messages, data.links)
    guard replica.whileOpen({ withdrawal.run() }) ?? false else { return nil }
    maintenance.counters.copiesWithdrawn.wrappingAdd(withdrawal.withdrawn, ordering: .relaxed)
    let isAlone = (0..<Store.partitionCount).allSatisfy { partitions.ownersElsewhere(replica, $0) == 0 }
    // What another owner cannot read may be newer than what the others have: its copy is healed first.
    guard isAlone || isHurried || sweep.keysDamaged.load(ordering: .relaxed) == 0 else { return nil }
    replica.commit.syncNow()
    let isCleared = replica.whileOpen {
      replica.store.log.failure == nil && (try? replica.store.log.clearSuspicion()) != nil
    }
    guard isCleared ?? false else { return nil }
    if !isEnough || acceptsLoss { replica.store.log.keepDamaged() }
    let hadLost = replica.store.hasLost
    replica.store.isSuspect = false
    replica.store.hasLost = false
    maintenance.nodes.unmarkedSuspects.withLock { $0.removeAll { $0 == replica.name } }
    maintenance.counters.suspectsMerged.wrappingAdd(1, ordering: .relaxed)
    replica.whileOpen { sealDamagedTail() }
    events.add(
      .storage, isAlone ? .failure : isEnough ? .success : .warning,
      isAlone
        ? "possible loss: \(replica.name)'s log was damaged and no other node has copies"
        : "\(replica.name) was rebuilt: \(sweep.keysCopied.load(ordering: .relaxed)) copies from other replicas; it votes again"
          + (isEnough ? "" : ". Too few others were sure: what none of a key's owners had on its disk is lost")
    )
    return Rebuilding(
      keysCopied: sweep.keysCopied.load(ordering: .relaxed), keysDamaged: sweep.keysDamaged.load(ordering: .relaxed),
      isLossPossible: isAlone || hadLost && !isEnough)
  }
}
