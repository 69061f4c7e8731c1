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

  /// Writes a node's index to its folder, unless the node keeps hints, which are found only by reading the log, or is
  /// suspect: with a checkpoint the next start would not read the log, and not see what is missing there.
  func writeCheckpoint(_ replica: Replica) {
    if replica.store.isSuspect { return }
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
