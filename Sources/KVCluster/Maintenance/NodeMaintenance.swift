/// The maintenance of one node. Used by one thread.
package final class NodeMaintenance {
  let replica: Replica
  let maintenance: Maintenance
  var scrub = Scrub()
  var nextScrubNs: UInt64 = 0
  /// Damaged segments that could not be emptied yet, and the time to try again.
  var postponedUntilNs: UInt64 = 0
  var checkpointedAt: LogPosition
  var hasAnnouncedWait = false
  var hasAnnouncedLoss = false
  var isSealUnsynced = false
  /// After a full disk the next attempt waits a moment.
  var compactAfterNs: UInt64 = 0
  /// Someone asked for all segments below this one to be emptied.
  var compactionEnd: UInt64?
  /// The segment being written, and since when it has been, or the last time that files were given back.
  var idleSegment: UInt64 = 0
  var idleSinceNs: UInt64 = 0
  private var nextDeliveryNs: UInt64 = 0
  private var replay: HintReplay?
  /// For whom the node has given up hints, as the event log knows.
  private var announcedOverflows: [UInt16] = []
  private var hugePages = HugePages()
  private var comparison: AntiEntropy
  private var nextComparisonNs: UInt64 = 0
  var twinSearch: TwinSearch
  var nextTwinSearchNs: UInt64 = 0
  var nextTwinsNs: UInt64 = 0
  var hasAnnouncedTwins = false
  private var nextArrangementNs: UInt64 = 0
  private let expirer: Expirer
  private var nextExpiryNs: UInt64 = 0
  var purge: Purge
  var nextPurgeNs: UInt64 = 0
  var nextPurgeSyncNs: UInt64 = 0
  /// Someone waits for the end and no clients are served: no rests.
  let isHurried: Bool
  /// How long damage that could not be healed is left alone; longer each time that nothing has changed.
  var retryNs = NodeMaintenance.retryMinNs
  var hasAnnouncedUnhealed = false
  /// Slots of damaged segments that could not be emptied and are passed over by whoever is in a hurry.
  var stuckSlots: Set<Int> = []

  static let scrubPauseMinNs: UInt64 = 1_000_000_000
  /// From one partition to the next: all of them in half a minute.
  private static let comparisonPauseNs: UInt64 = 100_000_000
  private static let planPauseNs: UInt64 = 500_000_000
  /// One piece takes 3–10 ms; without rests, clients were down to a twentieth of their rate for 200 ms.
  private static let arrangementPart: UInt64 = 10
  static let retryMinNs: UInt64 = 1_000_000_000
  /// Hints are handed over for so long at a time, with rests that leave clients seven eighths of a core.
  private static let deliveryNs: UInt64 = 500_000
  private static let deliveryPart: UInt64 = 7
  /// What has expired is deleted for so long at a time; where nothing has, it is looked for again after a while.
  private static let expiryNs: UInt64 = 4_000_000
  private static let expiryPauseNs: UInt64 = 50_000_000
  /// Who finds nothing to do looks again after so long.
  package static let pauseNs: UInt64 = 20_000_000

  package init(_ replica: Replica, _ maintenance: Maintenance, isHurried: Bool = false) {
    self.replica = replica
    self.maintenance = maintenance
    self.isHurried = isHurried
    comparison = AntiEntropy(replica, maintenance.data.partitions, maintenance.data.links)
    twinSearch = TwinSearch(replica, maintenance.data.partitions)
    expirer = Expirer(replica, maintenance.data, maintenance.counters, maintenance.options.mistake)
    purge = Purge(replica, maintenance.data, maintenance.roster, maintenance.options)
    checkpointedAt = replica.store.log.end
    nextScrubNs = Clock.nowNs() + NodeMaintenance.scrubPauseMinNs
  }

  var data: DataPath { maintenance.data }
  var partitions: PartitionTable { maintenance.data.partitions }
  var events: EventLog { maintenance.events }
  var isClosing: Bool { maintenance.lifespan.isClosing }

  /// Does one thing that is due; returns whether there may be more at once.
  package func work() -> Bool {
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
    searchTwinsIfDue()
    expireIfDue()
    purgeIfDue()
    maintenance.nodes.writeWitnessIfDue()
    return mayBeMore
  }

  /// Compares replicas of a part of the ring with those of other nodes.
  private func compareIfDue() {
    guard Clock.nowNs() >= nextComparisonNs else { return }
    let copied = comparison.copied
    let isMore = replica.whileOpen { comparison.step() } ?? false
    maintenance.counters.antiEntropyCopies.wrappingAdd(comparison.copied - copied, ordering: .relaxed)
    nextComparisonNs = Clock.nowNs() + (isMore ? 0 : NodeMaintenance.comparisonPauseNs)
  }

  /// Deletes what has expired.
  private func expireIfDue() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextExpiryNs else { return }
    var isMore = false
    repeat {
      isMore = replica.whileOpen { expirer.step() } ?? false
    } while isMore && Clock.nowNs() < startedNs + NodeMaintenance.expiryNs
    nextExpiryNs = Clock.nowNs() + (isMore ? 0 : NodeMaintenance.expiryPauseNs)
  }

  /// A node that answers may have missed writes all the same: its disk was full for a moment.
  private func deliverHints() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextDeliveryNs else { return }
    if replay == nil, lookAtHints() { replay = HintReplay(partitions, data.links, to: replica) }
    var isMore = false
    if let replay {
      let delivered = replay.delivered
      repeat {
        isMore = replica.whileOpen { replay.step() } ?? false
      } while isMore && Clock.nowNs() < startedNs + NodeMaintenance.deliveryNs
      maintenance.counters.hintsDelivered.wrappingAdd(replay.delivered - delivered, ordering: .relaxed)
      if !isMore { self.replay = nil }
    }
    nextDeliveryNs =
      Clock.nowNs() + (isMore ? NodeMaintenance.deliveryNs * NodeMaintenance.deliveryPart : NodeMaintenance.retryMinNs)
  }

  /// Gives up the hints that the node has kept for too long; returns whether others keep some for it.
  private func lookAtHints() -> Bool {
    guard partitions.rarities.hints.exchange(false, ordering: .acquiringAndReleasing) else {
      announcedOverflows = []
      return false
    }
    let now = Clock.nowNs()
    let oldestNs = now - min(now, maintenance.options.hintAgeMaxNs)
    var hasHints = false
    var areAnyLeft = false
    var expired: [UInt16] = []
    var overflowed: [UInt16] = []
    partitions.forEach { _, partition in
      for target in HintQueue.expire(heldBy: replica.id, since: oldestNs, in: &partition.pointee)
      where !expired.contains(target) { expired.append(target) }
      for queue in partition.pointee.hints {
        areAnyLeft = true
        if queue.target == replica.id { hasHints = true }
        if queue.holder == replica.id, !queue.hints.isEmpty { expired.removeAll { $0 == queue.target } }
        if queue.holder == replica.id, queue.isOverflowed, !overflowed.contains(queue.target) {
          overflowed.append(queue.target)
        }
      }
    }
    if areAnyLeft { partitions.rarities.hints.store(true, ordering: .releasing) }
    for target in expired { settleHints(for: target) }
    for target in overflowed where !announcedOverflows.contains(target) {
      events.add(.hintsDropped(holder: replica.name, target: maintenance.roster.name(of: target)))
    }
    announcedOverflows = overflowed
    return hasHints
  }

  /// A start need not take up again what was given up.
  private func settleHints(for target: UInt16) {
    let name = Array(maintenance.roster.name(of: target).utf8)
    replica.whileOpen { name.withBytes { try? replica.store.appendHintsSettled(for: $0) } }
  }

  /// Moving memory delays every page fault of the process, so it takes a small part of the time, and none while a change of
  /// owners grows the indexes anyway. For the thread of the running program: a simulation has other things to do.
  func arrangeMemory() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextArrangementNs, maintenance.roster.withState({ $0.move == nil }) else { return }
    if hugePages.hasPending {
      replica.whileOpen { hugePages.step() }
      nextArrangementNs = Clock.nowNs() + (Clock.nowNs() - startedNs) * NodeMaintenance.arrangementPart
    } else {
      nextArrangementNs = startedNs + NodeMaintenance.planPauseNs
      replica.whileOpen {
        hugePages.plan(replica.store) { number, body in partitions.whileServing(replica, number, body) }
      }
    }
  }
}
