/// The journal of batches: what is written to it, and when it may forget.
extension Batches {
  /// Makes writes durable that are about to be carried out. Call with `journaling` held.
  /// - Throws: they are not to be carried out. ``ClusterError/indeterminate(_:)`` if they may be in the file all the same.
  func journal(_ writes: [BatchedWrite]) throws(ClusterError) {
    guard writes.count > 1, let journal, !isForgetful else { return }
    try journaled.withLock { journaled throws(ClusterError) in
      journaled.filed.formUnion(writes.map(\.hash))
      do throws(StorageError) {
        // Of a key only the last write counts: done again, an earlier one would come behind it.
        let keys = Set(writes.map(\.key))
        let wanted = journaled.writes.filter { !keys.contains($0.key) } + writes
        try journal.replace(with: wanted)
        journaled.writes = wanted
        journaled.filed = Set(wanted.map(\.hash))
      } catch {
        // A file that could not be replaced may have been: what nobody will carry out must not be in it.
        if (try? journal.replace(with: journaled.writes)) != nil {
          journaled.filed = Set(journaled.writes.map(\.hash))
          throw .storage(error.refusingWrite)
        }
        for write in writes { partitions.unfinished.doubt(write.hash, partitions[Store.partition(of: write.hash)]) }
        throw .indeterminate(
          .init("the journal of batches cannot be written (\(error)); the batch's keys are refused until it can be"))
      }
    }
  }

  /// Whether a tombstone of this key must stay: what is older may be done again.
  func names(_ hash: UInt64) -> Bool { journaled.withLock { $0.filed.contains(hash) } }

  /// Whether a batch is on too few owners.
  var hasUnfinished: Bool { !partitions.unfinished.all.isEmpty }

  /// Whether the journal names nothing.
  private var isIdle: Bool { journaled.withLock { $0.filed.isEmpty } }

  /// Takes up what a crash has left, before anything is served.
  /// - Returns: false if the journal cannot be read.
  func takeUp() throws(StorageError) -> Bool {
    guard let journal else { return true }
    guard let writes = try journal.read() else { return false }
    journaled.withLock { journaled in
      journaled.writes = writes
      journaled.filed = Set(writes.map(\.hash))
    }
    for write in writes {
      let partition = partitions[Store.partition(of: write.hash)]
      partition.lock.pointee.withLock { partitions.unfinished.add(write, partition) }
    }
    return true
  }

  /// Does what was begun, and lets the journal forget what is on disks; call now and then.
  func tick() {
    if isIdle, !hasUnfinished { return }
    finishAll()
    journaling.withLock {
      forgetDurable()
      rewrite()
    }
  }

  /// Does what was begun as far as it can be done now.
  func finishAll() {
    for write in partitions.unfinished.all {
      if !links.isFaulty {
        let partition = partitions[Store.partition(of: write.hash)]
        partition.lock.pointee.withLock { try? direct.finish(write, partition) }
      } else if finishing.withLock({ $0.insert(write.hash).inserted }) {
        let end = messages.exchange([write.hash]) { [self] owners in
          let partition = partitions[Store.partition(of: write.hash)]
          return partition.lock.pointee.withLock {
            guard partitions.unfinished.of(write.hash).contains(write) else { return .ended(.done) }
            do throws(ClusterError) {
              try direct.finish(write, partition) { owners[0].contains($0) }
              return .ended(.done)
            } catch {
              return .tooFew
            }
          }
        }
        end.onDecision { [self] _ in finishing.withLock { _ = $0.remove(write.hash) } }
      }
    }
  }

  /// Forgets writes that are on the disks of enough owners, they or newer ones.
  private func forgetDurable() {
    let unfinished = partitions.unfinished.all
    let writes = journaled.withLock { $0.writes }
    let kept = writes.filter { unfinished.contains($0) || !partitions.isKept($0, onDisk: policy != .never) }
    // Only who holds `journaling` adds to them.
    journaled.withLock { $0.writes = kept }
  }

  /// Takes out of the file what was forgotten, once that is all of it; and what must not be in it.
  private func rewrite() {
    guard let journal else { return }
    let doubtful = partitions.unfinished.doubtful
    let isWritten = journaled.withLock { journaled in
      guard journaled.writes.isEmpty && !journaled.filed.isEmpty || !doubtful.isEmpty,
        (try? journal.replace(with: journaled.writes)) != nil
      else { return false }
      journaled.filed = Set(journaled.writes.map(\.hash))
      return true
    }
    guard isWritten else { return }
    for hash in doubtful {
      let partition = partitions[Store.partition(of: hash)]
      partition.lock.pointee.withLock { partitions.unfinished.trust(hash, partition) }
    }
  }

  /// Has logs synced if the journal has grown long, so that it begins anew. Call with `journaling` held.
  func makeRoom() {
    guard journaled.withLock({ $0.byteCount > Self.journalBytesMax }) else { return }
    if policy != .never { partitions.forEachAttached { $0.commit.syncNow() } }
    forgetDurable()
  }

  /// All logs are on their disks, and nothing is begun any more.
  func close() {
    journaling.withLock {
      let unfinished = partitions.unfinished.all
      journaled.withLock { $0.writes.removeAll { !unfinished.contains($0) } }
      rewrite()
    }
  }
}

extension PartitionTable {
  /// Whether enough owners hold a write of a batch, or a newer version of its key.
  fileprivate func isKept(_ write: BatchedWrite, onDisk: Bool) -> Bool {
    let partition = self[Store.partition(of: write.hash)]
    return partition.lock.pointee.withLock {
      let view = partition.pointee.view.takeUnretainedValue()
      let participants = view.participants(ofSlot: Ring.slot(of: write.hash))
      var holders = ParticipantSet()
      for i in 0..<participants.count {
        guard let store = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue().store, !store.isSuspect,
          let version = write.key.withBytes({ store.version(write.hash, $0, known: .none) }), version.tag != .none
        else { continue }
        let stamp = store.stamp(IndexSlot(hash: write.hash, location: version.location, tag: version.tag))
        guard stamp == write.stamp || stamp.isNewer(than: write.stamp),
          !onDisk || store.log.durable > store.position(version.location, write.hash)
        else { continue }
        holders.insert(i)
      }
      return view.writeRule(participants, nil).isMet(by: holders)
    }
  }
}
