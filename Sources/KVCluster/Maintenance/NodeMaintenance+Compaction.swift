/// Keeping a log small: compaction, checkpoints, and tombstones that nobody needs any more.
extension NodeMaintenance {
  /// Purging takes at most this part of a core, and a node's index is gone through once so long.
  private static let purgePart: UInt64 = 7
  private static let purgePauseNs: UInt64 = 1_000_000_000
  /// Under `never` logs are put on the disk for it, but seldom.
  private static let purgeSyncPauseNs: UInt64 = 10_000_000_000

  func compact() -> Bool {
    guard isHurried || Clock.nowNs() >= compactAfterNs else { return false }
    let mayTryDamaged = (isHurried || Clock.nowNs() >= postponedUntilNs) && !replica.store.isSuspect
    guard
      let compaction = replica.whileOpen({
        Compaction.next(in: replica.store, withDamaged: mayTryDamaged, besides: stuckSlots)
      }) ?? nil
    else { return false }
    var rest = Rest(maintenance.executor)
    while true {
      let isMore = replica.whileOpen { () -> Bool? in
        try? compaction.step { number, body in partitions.whileServing(replica, number, body) }
      }
      // Closed or failed meanwhile, or no room: the segment stays as it is.
      guard case .some(.some(let isMore)) = isMore, !isClosing else {
        compactAfterNs = Clock.nowNs() + NodeMaintenance.retryMinNs
        return false
      }
      if !isMore { break }
      rest.afterWork(factor: restFactor)
    }
    if !compaction.isComplete {
      postpone()
      if isHurried { stuckSlots.insert(compaction.segment.slot) }
      for hash in compaction.damagedHashes { replica.noteDamage(hash) }
      replica.store.log.markDamaged(slot: compaction.segment.slot)
      return false
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
    return true
  }

  /// How long to rest for the work done: little while there is room, none when space runs away.
  private var restFactor: UInt64 {
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
