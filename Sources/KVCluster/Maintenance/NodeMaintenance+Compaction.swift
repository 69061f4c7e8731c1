/// Keeping a log small: compaction, checkpoints, and tombstones that nobody needs any more.
extension NodeMaintenance {
  /// Purging takes at most this part of a core, and a node's index is gone through once so long.
  private static let purgePart: UInt64 = 7
  private static let purgePauseNs: UInt64 = 1_000_000_000
  /// Under `never` logs are put on the disk for it, but seldom.
  private static let purgeSyncPauseNs: UInt64 = 10_000_000_000
  /// So long after a write was refused for want of room all nodes make what they can: two attempts.
  private static let pressureNs: UInt64 = 2_500_000_000
  /// A log that fills a segment in less than this is in use: to make the next file anew would cost its writers more than
  /// the space is worth.
  private static let idleNs: UInt64 = 30_000_000_000

  func compact() -> Bool {
    guard isHurried || Clock.nowNs() >= compactAfterNs else { return false }
    let need = spaceNeed()
    // A node whose disk has failed serves no partition any more, and nothing of it could be moved.
    guard replica.store.log.failure == nil else {
      endCompactionRequest()
      return false
    }
    let mayTryDamaged = (isHurried || Clock.nowNs() >= postponedUntilNs) && !replica.store.isSuspect
    guard
      let compaction = replica.whileOpen({
        Compaction.next(in: replica.store, for: need, withDamaged: mayTryDamaged, besides: stuckSlots)
      }) ?? nil
    else { return sealTail(need) }
    switch empty(compaction, restFactor: need == .usual ? restFactor : 0) {
    case .done: return true
    case .cutShort:
      compactAfterNs = Clock.nowNs() + NodeMaintenance.retryMinNs
      endCompactionRequest()
    case .incomplete:
      postpone()
      if isHurried || compactionEnd != nil { stuckSlots.insert(compaction.segment.slot) }
    }
    return false
  }

  enum Emptying {
    case done
    /// Closed or failed meanwhile, or no room: the segment stays as it is.
    case cutShort
    /// What is damaged must come from other owners first.
    case incomplete
  }

  /// Carries a compaction out.
  func empty(_ compaction: Compaction, restFactor: UInt64) -> Emptying {
    var rest = Rest(maintenance.executor)
    while true {
      let isMore = replica.whileOpen { () -> Bool? in
        try? compaction.step { number, body in partitions.whileServing(replica, number, body) }
      }
      guard case .some(.some(let isMore)) = isMore, !isClosing else { return .cutShort }
      if !isMore { break }
      rest.afterWork(factor: restFactor)
    }
    guard compaction.isComplete else {
      for hash in compaction.damagedHashes { replica.noteDamage(hash) }
      replica.store.log.markDamaged(slot: compaction.segment.slot)
      return .incomplete
    }
    replica.commit.syncNow()
    replica.whileOpen {
      guard replica.store.log.failure == nil else { return }
      do {
        try compaction.finish()
        replica.compactions.wrappingAdd(1, ordering: .relaxed)
        replica.compactedBytes.wrappingAdd(compaction.movedBytes, ordering: .relaxed)
      } catch {
        events.add(.compactionFailed(node: replica.name, reason: "\(error)"))
      }
    }
    return .done
  }

  // MARK: - Space

  /// How much space is wanted now. Nodes may share a disk, so what one lacks all give back.
  private func spaceNeed() -> Compaction.Need {
    let log = replica.store.log
    if replica.wantsCompaction.load(ordering: .acquiring) {
      // An emptied file has all its space: what is live shall not go into one again.
      replica.whileOpen { log.giveBack() }
      if compactionEnd == nil {
        replica.whileOpen { _ = Compaction.sealTail(of: replica.store, for: .all(below: .max)) }
        replica.commit.syncNow()
        compactionEnd = log.end.segment
      }
      return .all(below: compactionEnd ?? 0)
    }
    if log.lacksRoom.load(ordering: .relaxed) {
      maintenance.counters.lackedRoomNs.store(Clock.nowNs(), ordering: .relaxed)
    }
    let lackedNs = maintenance.counters.lackedRoomNs.load(ordering: .relaxed)
    guard lackedNs > 0, Clock.nowNs() - min(lackedNs, Clock.nowNs()) < NodeMaintenance.pressureNs else { return .usual }
    replica.whileOpen { log.giveBack() }
    // Only what is on the disk is compacted, and under `never` nobody puts it there.
    replica.commit.syncNow()
    return .pressing
  }

  /// Nothing is to be emptied; perhaps the segment being written is. Returns whether there may be more to do.
  private func sealTail(_ need: Compaction.Need) -> Bool {
    if compactionEnd != nil {
      replica.whileOpen { replica.store.log.giveBack() }
      endCompactionRequest()
      return false
    }
    if replica.whileOpen({ Compaction.sealTail(of: replica.store, for: need) }) ?? false {
      isSealUnsynced = true
      return true
    }
    if need == .pressing { noteRelief() } else { giveBackIfIdle() }
    return false
  }

  private func noteRelief() {
    let log = replica.store.log
    if log.room.isFree(0, for: .records) { log.lacksRoom.store(false, ordering: .relaxed) }
    compactAfterNs = Clock.nowNs() + NodeMaintenance.retryMinNs
  }

  /// A log that has not gone on in a new segment for a while does not need the next one soon.
  private func giveBackIfIdle() {
    let (segment, now) = (replica.store.log.end.segment, Clock.nowNs())
    if segment != idleSegment { (idleSegment, idleSinceNs) = (segment, now) }
    guard now - idleSinceNs >= NodeMaintenance.idleNs else { return }
    replica.whileOpen { replica.store.log.giveBack() }
    idleSinceNs = now
  }

  private func endCompactionRequest() {
    guard compactionEnd != nil else { return }
    compactionEnd = nil
    stuckSlots = []
    replica.wantsCompaction.store(false, ordering: .releasing)
  }

  /// How long to rest for the work done: little while there is room, none when space runs away.
  var restFactor: UInt64 {
    if isHurried { return 0 }
    let size = replica.store.log.size
    let live = max(1, size.recordBytes - size.deadBytes)
    let ratio = Double(size.recordBytes) / Double(max(live, replica.store.log.segmentBytes))
    return ratio < 2.15 ? 3 : ratio < 2.3 ? 1 : 0
  }

  // MARK: - Checkpoints

  /// After so much more log, or half of it if that is more, a checkpoint saves the next start more than it costs now.
  func checkpointIfDue() {
    let log = replica.store.log
    let end = log.end
    let grown = Int(end.segment - checkpointedAt.segment) * log.segmentBytes + end.offset - checkpointedAt.offset
    guard grown > max(maintenance.options.checkpointBytes, log.size.recordBytes / 2), !replica.store.isSuspect else {
      return
    }
    checkpointedAt = end
    maintenance.nodes.writeCheckpoint(replica)
  }

  // MARK: - Tombstones

  /// Takes tombstones away that nobody needs any more.
  func purgeIfDue() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextPurgeNs else { return }
    let purged = purge.purged
    let progress = replica.whileOpen { purge.step() } ?? .passed
    maintenance.counters.tombstonesPurged.wrappingAdd(purge.purged - purged, ordering: .relaxed)
    if progress == .mustSync, startedNs >= nextPurgeSyncNs {
      nextPurgeSyncNs = startedNs + NodeMaintenance.purgeSyncPauseNs
      for replica in maintenance.roster.live { replica.commit.syncNow() }
    }
    let now = Clock.nowNs()
    nextPurgeNs =
      progress == .more ? now + (now - startedNs) * NodeMaintenance.purgePart : now + NodeMaintenance.purgePauseNs
  }
}
