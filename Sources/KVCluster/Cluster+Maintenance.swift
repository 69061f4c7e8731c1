import Synchronization

/// What the cluster does for its logs by itself: compaction, checkpoints, looking for damage, and healing it.
extension Cluster {
  /// Goes round the nodes until the cluster closes. Runs on a thread of its own.
  func maintain() {
    var caretakers: [Caretaker] = []
    while !isClosing.load(ordering: .relaxed) {
      let replicas = roster.live
      caretakers.removeAll { caretaker in !replicas.contains { $0 === caretaker.replica } }
      for replica in replicas where !caretakers.contains(where: { $0.replica === replica }) {
        caretakers.append(Caretaker(replica, self))
      }
      var isBusy = false
      for caretaker in caretakers { isBusy = caretaker.work() || isBusy }
      if !isBusy { Clock.sleep(ns: Caretaker.pauseNs) }
    }
  }
}

/// Who looks after one node's log. Used by one thread.
final class Caretaker {
  let replica: Replica
  private unowned let cluster: Cluster
  private var scrub = Scrub()
  private var nextScrubNs: UInt64 = 0
  /// Damaged segments that could not be emptied yet, and the time to try again.
  private var postponedUntilNs: UInt64 = 0
  private var checkpointedAt: LogPosition
  private var hasAnnouncedWait = false
  private var hasAnnouncedLoss = false
  private var isSealUnsynced = false
  /// After a full disk the next attempt waits a moment.
  private var compactAfterNs: UInt64 = 0
  private var nextDeliveryNs: UInt64 = 0
  private var replay: HintReplay?
  /// For whom the node has given up hints, as the event log knows.
  private var announcedOverflows: [UInt16] = []
  private var hugePages = HugePages()
  private var comparison: AntiEntropy
  private var nextComparisonNs: UInt64 = 0
  private var nextArrangementNs: UInt64 = 0
  private var purge: Purge
  private var nextPurgeNs: UInt64 = 0
  private var nextPurgeSyncNs: UInt64 = 0
  /// Someone waits for the end and no clients are served: no rests.
  private let isHurried: Bool
  /// How long damage that could not be healed is left alone; longer each time that nothing has changed.
  private var retryNs = Caretaker.retryMinNs
  private var hasAnnouncedUnhealed = false
  /// Slots of damaged segments that could not be emptied and are passed over by whoever is in a hurry.
  var stuckSlots: Set<Int> = []

  /// Reading the log again takes at most this part of a core.
  private static let scrubPart: UInt64 = 100
  private static let scrubPauseMinNs: UInt64 = 1_000_000_000
  /// From one partition to the next: all of them in half a minute.
  private static let comparisonPauseNs: UInt64 = 100_000_000
  private static let planPauseNs: UInt64 = 500_000_000
  /// One piece takes 3–10 ms; without rests, clients were down to a twentieth of their rate for 200 ms.
  private static let arrangementPart: UInt64 = 10
  private static let retryMinNs: UInt64 = 1_000_000_000
  /// Hints are handed over for so long at a time, with rests that leave clients seven eighths of a core.
  private static let deliveryNs: UInt64 = 500_000
  private static let deliveryPart: UInt64 = 7
  /// Purging takes at most this part of a core, and a node's index is gone through once so long.
  private static let purgePart: UInt64 = 7
  private static let purgePauseNs: UInt64 = 1_000_000_000
  /// Under `never` logs are put on the disk for it, but seldom.
  private static let purgeSyncPauseNs: UInt64 = 10_000_000_000
  /// Who finds nothing to do looks again after so long.
  static let pauseNs: UInt64 = 20_000_000
  /// A damaged segment is read again for each try, which takes about 50 ms.
  private static let retryMaxNs: UInt64 = 8_000_000_000

  init(_ replica: Replica, _ cluster: Cluster, isHurried: Bool = false) {
    self.replica = replica
    self.cluster = cluster
    self.isHurried = isHurried
    comparison = AntiEntropy(replica, cluster.partitions, cluster.links)
    purge = Purge(replica, cluster)
    checkpointedAt = replica.store.log.end
    nextScrubNs = Clock.nowNs() + Caretaker.scrubPauseMinNs
  }

  var partitions: PartitionTable { cluster.partitions }
  private var isClosing: Bool { cluster.isClosing.load(ordering: .relaxed) }

  /// Does one thing that is due; returns whether there may be more at once.
  func work() -> Bool {
    if healRead() { return true }
    if replica.store.isSuspect { mergeSuspect() }
    if isSealUnsynced {
      // Only what is on the disk is compacted.
      replica.commit.syncNow()
      isSealUnsynced = false
    }
    deliverHints()
    let mayBeMore = compact()
    checkpointIfDue()
    scrubIfDue()
    compareIfDue()
    purgeIfDue()
    arrangeMemory()
    return mayBeMore
  }

  /// Compares replicas of a part of the ring with those of other nodes.
  private func compareIfDue() {
    guard Clock.nowNs() >= nextComparisonNs else { return }
    let copied = comparison.copied
    let isMore = replica.whileOpen { comparison.step() } ?? false
    cluster.counters.antiEntropyCopies.wrappingAdd(comparison.copied - copied, ordering: .relaxed)
    nextComparisonNs = Clock.nowNs() + (isMore ? 0 : Caretaker.comparisonPauseNs)
  }

  /// A node that answers may have missed writes all the same: its disk was full for a moment.
  private func deliverHints() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextDeliveryNs else { return }
    if replay == nil, lookAtHints() { replay = HintReplay(partitions, cluster.links, to: replica) }
    var isMore = false
    if let replay {
      let delivered = replay.delivered
      repeat {
        isMore = replica.whileOpen { replay.step() } ?? false
      } while isMore && Clock.nowNs() < startedNs + Caretaker.deliveryNs
      cluster.counters.hintsDelivered.wrappingAdd(replay.delivered - delivered, ordering: .relaxed)
      if !isMore { self.replay = nil }
    }
    nextDeliveryNs = Clock.nowNs() + (isMore ? Caretaker.deliveryNs * Caretaker.deliveryPart : Caretaker.retryMinNs)
  }

  /// Gives up the hints that the node has kept for too long; returns whether others keep some for it.
  private func lookAtHints() -> Bool {
    let now = Clock.nowNs()
    let oldestNs = now - min(now, cluster.options.hintAgeMaxNs)
    var hasHints = false
    var expired: [UInt16] = []
    var overflowed: [UInt16] = []
    partitions.forEach { _, partition in
      for target in HintQueue.expire(heldBy: replica.id, since: oldestNs, in: &partition.pointee)
      where !expired.contains(target) { expired.append(target) }
      for queue in partition.pointee.hints {
        if queue.target == replica.id { hasHints = true }
        if queue.holder == replica.id, !queue.hints.isEmpty { expired.removeAll { $0 == queue.target } }
        if queue.holder == replica.id, queue.isOverflowed, !overflowed.contains(queue.target) {
          overflowed.append(queue.target)
        }
      }
    }
    for target in expired { settleHints(for: target) }
    for target in overflowed where !announcedOverflows.contains(target) {
      cluster.log(
        .storage, .warning,
        "\(replica.name) has given up hints for \(cluster.roster.name(of: target)), which are too many or too old; "
          + "when it is back, a comparison finds what it missed")
    }
    announcedOverflows = overflowed
    return hasHints
  }

  /// A start need not take up again what was given up.
  private func settleHints(for target: UInt16) {
    let name = Array(cluster.roster.name(of: target).utf8)
    replica.whileOpen { name.withBytes { try? replica.store.appendHintsSettled(for: $0) } }
  }

  /// Moving memory keeps every page fault of the process waiting meanwhile, so it takes a small part of the time, and
  /// none while a change of owners grows the indexes anyway.
  private func arrangeMemory() {
    let startedNs = Clock.nowNs()
    guard !Clock.isVirtual, startedNs >= nextArrangementNs, cluster.roster.withState({ $0.move == nil }) else { return }
    if hugePages.hasPending {
      replica.whileOpen { hugePages.step() }
      nextArrangementNs = Clock.nowNs() + (Clock.nowNs() - startedNs) * Caretaker.arrangementPart
    } else {
      nextArrangementNs = startedNs + Caretaker.planPauseNs
      replica.whileOpen {
        hugePages.plan(replica.store) { number, body in partitions.whileServing(replica, number, body) }
      }
    }
  }

  // MARK: - Compaction

  func compact() -> Bool {
    guard isHurried || Clock.nowNs() >= compactAfterNs else { return false }
    let mayTryDamaged = (isHurried || Clock.nowNs() >= postponedUntilNs) && !replica.store.isSuspect
    guard
      let compaction = replica.whileOpen({
        Compaction.next(in: replica.store, withDamaged: mayTryDamaged, besides: stuckSlots)
      }) ?? nil
    else { return false }
    var worker = Rest()
    while true {
      let isMore = replica.whileOpen { () -> Bool? in
        try? compaction.step { number, body in partitions.whileServing(replica, number, body) }
      }
      // Closed or failed meanwhile, or no room: the segment stays as it is.
      guard case .some(.some(let isMore)) = isMore, !isClosing else {
        compactAfterNs = Clock.nowNs() + Caretaker.retryMinNs
        return false
      }
      if !isMore { break }
      if !Clock.isVirtual { worker.afterWork(factor: restFactor) }
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
        cluster.log(.storage, .failure, "\(replica.name): a compacted segment could not be given up: \(error)")
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
  private func checkpointIfDue() {
    let log = replica.store.log
    let end = log.end
    let grown = Int(end.segment - checkpointedAt.segment) * log.segmentBytes + end.offset - checkpointedAt.offset
    guard grown > max(Limits.checkpointBytes, log.size.recordBytes / 2), !replica.store.isSuspect else { return }
    checkpointedAt = end
    cluster.writeCheckpoint(replica)
  }

  // MARK: - Tombstones

  /// Takes tombstones away that nobody needs any more.
  private func purgeIfDue() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextPurgeNs else { return }
    let purged = purge.purged
    let progress = replica.whileOpen { purge.step() } ?? .passed
    cluster.counters.tombstonesPurged.wrappingAdd(purge.purged - purged, ordering: .relaxed)
    if progress == .mustSync, startedNs >= nextPurgeSyncNs {
      nextPurgeSyncNs = startedNs + Caretaker.purgeSyncPauseNs
      for replica in cluster.roster.live { replica.commit.syncNow() }
    }
    let now = Clock.nowNs()
    nextPurgeNs = progress == .more ? now + (now - startedNs) * Caretaker.purgePart : now + Caretaker.purgePauseNs
  }

  // MARK: - Damage

  private func scrubIfDue() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextScrubNs, !replica.store.isSuspect else { return }
    let finding = replica.whileOpen { scrub.step(replica.store) } ?? nil
    let tookNs = Clock.nowNs() - startedNs
    nextScrubNs = Clock.nowNs() + max(Caretaker.scrubPauseMinNs, tookNs * Caretaker.scrubPart)
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
    cluster.log(
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
  private func healRead() -> Bool {
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
    cluster.counters.copiesHealed.wrappingAdd(healed, ordering: .relaxed)
    if healed > 0 {
      retryNs = Caretaker.retryMinNs
      cluster.log(
        .storage, .success, "\(replica.name) healed: \(healed) damaged \(healed == 1 ? "copy" : "copies") fetched again"
      )
    }
    return healed
  }

  private func announceUnhealed(_ count: Int) {
    postpone()
    guard !hasAnnouncedUnhealed else { return }
    hasAnnouncedUnhealed = true
    cluster.log(
      .storage, .warning,
      "\(replica.name): \(count) damaged \(count == 1 ? "copy waits" : "copies wait") for a good one; until then reads of "
        + "\(count == 1 ? "its key" : "their keys") need the other owners")
  }

  private func postpone() {
    postponedUntilNs = Clock.nowNs() + retryNs
    retryNs = min(2 * retryNs, Caretaker.retryMaxNs)
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
      guard let others = partitions.sources(toHeal: hash, at: replica, cluster.links) else { return }
      do throws(StorageError) {
        for other in others { try take(hash, from: other) }
        if replica.store.removeDamaged(hash) {
          // What it hid may come back with the next start; then the node is compared with the others first.
          try SuspectMark.write(.unsynced, to: replica.store.log.disk, folder: replica.store.log.folder)
        }
        outcome = .healed
      } catch {
        cluster.log(.storage, .failure, "\(replica.name): a damaged copy could not be replaced: \(error)")
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
      cluster.log(
        .storage, .failure,
        "\(replica.name) has lost records, and so have all other owners of some of its keys: reads of them are refused. "
          + "Close kvstore; `kvstore verify` says where, `kvstore repair --accept-loss` goes on with what is left")
    }
    hasAnnouncedLoss = true
  }

  /// A node that may have lost any key compares all of them with enough other owners before it votes again.
  private func mergeSuspect() {
    guard Clock.nowNs() >= postponedUntilNs else { return }
    postponedUntilNs = Clock.nowNs() + Caretaker.retryMinNs
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
      partitions.canRebuild(replica, $0, cluster.links, fromVotersOnly: true)
    }
    guard isEnough || (0..<Store.partitionCount).allSatisfy({ partitions.canRebuild(replica, $0, cluster.links) })
    else {
      if !hasAnnouncedWait {
        cluster.log(
          .storage, .warning,
          "\(replica.name) has lost records and does not vote; it waits for other owners to be rebuilt from")
      }
      hasAnnouncedWait = true
      return nil
    }
    let sources = cluster.roster.live.filter { $0 !== replica && (!isEnough || !$0.store.isSuspect) }.map(\.id)
    let sweep = Sweep(
      .catchUp(replica.id), partitions, cluster.links, sources: sources, asksSuspects: !isEnough)
    guard
      (try? sweep.run(
        isHurried: isHurried || Clock.isVirtual,
        canCopy: { partitions.canRebuild(replica, $0, cluster.links) }, isCancelled: { isClosing })) ?? false,
      generation == partitions.currentGeneration
    else { return nil }
    let withdrawal = Withdrawal(replica, partitions, cluster.exchange, cluster.links)
    guard replica.whileOpen({ withdrawal.run() }) ?? false else { return nil }
    cluster.counters.copiesWithdrawn.wrappingAdd(withdrawal.withdrawn, ordering: .relaxed)
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
    cluster.suspectsWithoutMark.withLock { $0.removeAll { $0 == replica.name } }
    cluster.counters.suspectsMerged.wrappingAdd(1, ordering: .relaxed)
    replica.whileOpen { sealDamagedTail() }
    cluster.log(
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

extension Cluster {
  /// Writes a node's index to its folder, unless it keeps hints: those are found only by reading the log.
  func writeCheckpoint(_ replica: Replica) {
    var hasHints = false
    partitions.forEach { _, partition in
      hasHints = hasHints || partition.pointee.hints.contains { $0.holder == replica.id && !$0.hints.isEmpty }
    }
    if hasHints || replica.store.isDisordered.load(ordering: .relaxed) { return }
    replica.whileOpen {
      do throws(StorageError) {
        try Checkpoint.write(
          replica.store,
          sync: { () throws(StorageError) in
            replica.commit.syncNow()
            if let failure = replica.store.log.failure { throw failure }
          },
          withPartition: { number, body in partitions.whileServing(replica, number, body) })
      } catch {
        log(.storage, .warning, "\(replica.name): no checkpoint was written, the next start reads the log: \(error)")
      }
    }
  }
}
