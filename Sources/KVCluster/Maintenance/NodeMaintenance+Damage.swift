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
    events.add(.copyDamaged(node: replica.name, segment: segment, offset: range.lowerBound))
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

  /// Empties every damaged segment that can be; one stays while copies of it must come from other owners.
  /// - Returns: how many, and whether the node must be compared with the others after its next start.
  func emptyDamaged() -> (count: Int, mayUncoverOlder: Bool) {
    replica.whileOpen { sealDamagedTail() }
    replica.commit.syncNow()
    var (tried, count, mayUncoverOlder) = (Set<Int>(), 0, false)
    while let compaction = replica.whileOpen({ Compaction.nextDamaged(in: replica.store, besides: tried) }) ?? nil {
      tried.insert(compaction.segment.slot)
      switch empty(compaction, restFactor: restFactor) {
      case .done: count += 1
      case .incomplete: break
      case .cutShort: return (count, mayUncoverOlder)
      }
      mayUncoverOlder = mayUncoverOlder || compaction.mayUncoverOlder
    }
    return (count, mayUncoverOlder)
  }

  /// Fetches the copies that readers, compaction or the scrub have found damaged.
  func healRead() -> Bool {
    guard !replica.store.isSuspect, Clock.nowNs() >= postponedUntilNs else { return false }
    return healNoted() > 0
  }

  /// - Parameter acceptsLoss: where no good copy is left, an older one takes its place, or none.
  /// - Returns: how many copies were fetched.
  func healNoted(acceptsLoss: Bool = false) -> Int {
    var healed = 0
    var unhealed = 0
    for hash in replica.takeDamagedHashes() {
      switch heal(hash, acceptsLoss) {
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
      events.add(.copiesHealed(node: replica.name, count: healed))
    }
    return healed
  }

  private func announceUnhealed(_ count: Int) {
    postpone()
    guard !hasAnnouncedUnhealed else { return }
    hasAnnouncedUnhealed = true
    events.add(.copiesUnhealed(node: replica.name, count: count))
  }

  func postpone() {
    postponedUntilNs = Clock.nowNs() + retryNs
    retryNs = min(2 * retryNs, NodeMaintenance.retryMaxNs)
  }

  private enum Healing {
    case healed, wasIntact, mustWait
  }

  private func heal(_ hash: UInt64, _ acceptsLoss: Bool) -> Healing {
    let number = Store.partition(of: hash)
    var outcome = Healing.mustWait
    partitions.whileServing(replica, number) {
      let slots = replica.store.damagedSegments(hash)
      guard !slots.isEmpty else { return outcome = .wasIntact }
      guard let sources = sources(toHeal: hash, acceptsLoss) else { return }
      do throws(StorageError) {
        for source in sources { try take(hash, from: source, acceptsLoss) }
        if replica.store.removeDamaged(hash) {
          // What it hid may come back with the next start; then the node is compared with the others first.
          try SuspectMark.write(.lost, to: replica.store.log.disk, folder: replica.store.log.folder)
        }
        outcome = .healed
      } catch {
        events.add(.healingFailed(node: replica.name, reason: error.description))
      }
      for slot in slots { retireSegment(slot) }
    }
    return outcome
  }

  /// `nil` if the damaged copy must stay. Call with the partition's lock held.
  private func sources(toHeal hash: UInt64, _ acceptsLoss: Bool) -> [Replica]? {
    if let cure = partitions.cure(of: hash, at: replica, data.links) {
      // A repair finds folders in any state, such as one that was put back from an old backup, where undamaged logs prove
      // less: it takes a key back to an older version only if it is told to.
      if !cure.isOlder || !isHurried || acceptsLoss { return cure.sources }
    }
    guard acceptsLoss else { return nil }
    // The file of the segment is kept: it may be all that is left of the version.
    replica.store.log.keepDamaged()
    return partitions.remains(of: hash, besides: replica, data.links)
  }

  /// Takes another owner's intact copies; of a suspect one those that are at least as new as what is damaged here.
  private func take(_ hash: UInt64, from other: Replica, _ acceptsLoss: Bool) throws(StorageError) {
    var failure: StorageError?
    let damaged = other.store.isSuspect && !acceptsLoss ? replica.store.damagedVersions(hash) : []
    other.store.forEach(withHash: hash) { slot, record in
      guard damaged.isEmpty || damaged.contains(where: { $0.isReached(by: record.stamp) }),
        slot.location.isTombstone || record.hasIntactValue
      else { return }
      do throws(StorageError) {
        // The very version that is damaged is only put back; another one must be the one that everybody sees.
        let isKnown = replica.store.damagedVersions(hash).contains { $0.tag == slot.tag }
        if slot.tag.isRMW, !isKnown, !acceptsLoss, !partitions.isDecided(slot.tag, hash, record.key),
          try partitions.settle(hash, record.key, data.links)
        {
          return
        }
        _ = try replica.store.heal(record, hash: hash, tag: slot.tag, isTombstone: slot.location.isTombstone)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
