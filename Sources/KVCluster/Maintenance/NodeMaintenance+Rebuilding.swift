/// Rebuilding a node that may have lost records of unknown keys: it is compared with other owners until their evidence
/// says that it has all that was acknowledged, and votes again then. ``Evidence`` says when that is.
extension NodeMaintenance {
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
    var segmentsEmptied: Int
    /// Nobody is sure to have what the node lost.
    var isLossPossible: Bool
  }

  /// - Parameter acceptsLoss: someone has said that what no owner has any more is to be given up.
  /// - Returns: `nil` if it must wait.
  func rebuild(acceptsLoss: Bool = false) -> Rebuilding? {
    let generation = partitions.currentGeneration
    // A node that is still being started is in no partition: to find nothing there says nothing of what it has.
    guard partitions.isAttached(replica), let evidence = evidence(acceptsLoss) else { return nil }
    guard let epoch = partitions.epochInForce else { return nil }
    let sources = maintenance.roster.live.filter {
      $0 !== replica && (evidence != .undamagedOwners || !$0.store.isSuspect)
    }
    let sweep = Sweep(
      .catchUp(replica.id), partitions, data.links, sources: sources.map(\.id), evidence: evidence)
    // Owners that have given the range up since, or have come or gone, may not have had what they were counted on for.
    guard
      (try? sweep.run(
        resting: isHurried ? nil : Rest(maintenance.executor),
        canCopy: { partitions.has(evidence, for: replica, $0, data.links) }, isCancelled: { isClosing })) ?? false,
      generation == partitions.currentGeneration, epoch == partitions.epochInForce
    else { return nil }
    // What another owner cannot read may be newer than what the others have: its copy is healed first.
    guard acceptsLoss || sweep.damagedCopies.isEmpty else {
      announceWait(
        .init(
          "the newest version of \(sweep.damagedCopies.joined(separator: ", of ")) is damaged there, and no "
            + "other owner has it; a new put or delete of the key replaces it"))
      return nil
    }
    if evidence != .undamagedOwners { replica.store.log.keepDamaged() }
    // The next start would find the damage again, when the owners that know what was lost may be gone.
    let emptied = emptyDamaged()
    let withdrawal = Withdrawal(replica, partitions, data.messages, data.links)
    guard replica.whileOpen({ withdrawal.run() }) ?? false, generation == partitions.currentGeneration,
      epoch == partitions.epochInForce
    else { return nil }
    maintenance.counters.copiesWithdrawn.wrappingAdd(withdrawal.withdrawn, ordering: .relaxed)
    guard acquit(isMarkKept: emptied.mayUncoverOlder) else { return nil }
    let keysCopied = sweep.keysCopied.load(ordering: .relaxed)
    announceRebuilt(evidence, keysCopied)
    return Rebuilding(
      keysCopied: keysCopied, keysDamaged: sweep.keysDamaged.load(ordering: .relaxed),
      segmentsEmptied: emptied.count, isLossPossible: isAlone || evidence == .whatIsLeft)
  }

  /// The best evidence there is for all that the node owns; `nil` if that is too little.
  private func evidence(_ acceptsLoss: Bool) -> Evidence? {
    let has = { (evidence: Evidence) in
      (0..<Store.partitionCount).allSatisfy {
        self.partitions.has(evidence, for: self.replica, $0, self.data.links)
      }
    }
    if has(.undamagedOwners) { return .undamagedOwners }
    if !replica.store.hasLost, has(.allOwners) { return .allOwners }
    if acceptsLoss { return .whatIsLeft }
    if !partitions.hasLostRanges(replica) {
      let silence = maintenance.roster.silence(data.links)
      var reason = ClusterError.Detail("it waits for other owners to be rebuilt from\(silence.words)")
      reason.advice = silence.advice
      announceWait(reason)
    } else if !hasAnnouncedLoss {
      announceLoss(lostRanges)
    }
    return nil
  }

  /// Ranges of which nobody can say what was acknowledged, because the node and others have lost records.
  var lostRanges: [LostRange] { replica.store.hasLost ? partitions.lostRanges(of: replica) : [] }

  /// No other node owns anything that this one does.
  private var isAlone: Bool {
    (0..<Store.partitionCount).allSatisfy { partitions.ownersElsewhere(replica, $0) == 0 }
  }

  /// Lets the node vote again, durably; false if that failed.
  private func acquit(isMarkKept: Bool) -> Bool {
    replica.commit.syncNow()
    // While the mark is there, what is missing behind the last sync is no loss. Without it the witnesses must not know of
    // more than the log has.
    guard maintenance.nodes.writeWitnesses() else { return false }
    let isCleared = replica.whileOpen {
      replica.store.log.failure == nil && (isMarkKept || (try? replica.store.log.clearSuspicion()) != nil)
    }
    guard isCleared ?? false else { return false }
    replica.store.isSuspect = false
    replica.store.hasLost = false
    maintenance.nodes.unmarkedSuspects.withLock { $0.removeAll { $0 == replica.name } }
    maintenance.nodes.writeWitnesses()
    maintenance.counters.suspectsMerged.wrappingAdd(1, ordering: .relaxed)
    return true
  }

  private func announceRebuilt(_ evidence: Evidence, _ keysCopied: Int) {
    if isAlone { return events.add(.possibleLoss(node: replica.name)) }
    let shown: ClusterEvent.RebuildEvidence =
      switch evidence {
      case .undamagedOwners: .undamagedOwners
      case .allOwners: .allOwners
      case .whatIsLeft: .acceptedLoss
      }
    events.add(.rebuilt(node: replica.name, copies: keysCopied, shown))
  }

  private func announceWait(_ reason: ClusterError.Detail) {
    if !hasAnnouncedWait {
      events.add(.rebuildWaits(node: replica.name, reason))
    }
    hasAnnouncedWait = true
  }

  private func announceLoss(_ ranges: [LostRange]) {
    if !hasAnnouncedLoss {
      events.add(.writesMayBeLost(node: replica.name, ranges: ranges))
    }
    hasAnnouncedLoss = true
  }
}
