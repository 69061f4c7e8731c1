import Synchronization

/// Writes of batches that were begun and are not known to be on enough owners: the batch was decided, so each of them is done
/// before anybody reads or writes its key.
///
/// There are none but after a crash in the middle of a batch, until its keys have been met again, or where disks refuse
/// what others of the same batch have taken.
final class UnfinishedWrites: Sendable {
  private struct State {
    /// In the order of their batches; one of a key.
    var writes: [BatchedWrite] = []
    /// Hashes of keys of which the journal may say what nobody has carried out: they are refused.
    var doubts: [UInt64] = []
    var finished = 0
  }

  private let state = Mutex(State())

  /// How many were done after their batch.
  var finished: Int { state.withLock { $0.finished } }

  var all: [BatchedWrite] { state.withLock { $0.writes } }

  var doubtful: [UInt64] { state.withLock { $0.doubts } }

  func isDoubtful(_ hash: UInt64) -> Bool { state.withLock { $0.doubts.contains(hash) } }

  func contains(_ hash: UInt64) -> Bool {
    state.withLock { state in state.doubts.contains(hash) || state.writes.contains { $0.hash == hash } }
  }

  func of(_ hash: UInt64) -> [BatchedWrite] { state.withLock { $0.writes.filter { $0.hash == hash } } }

  /// Call with the partition's lock held, as the rest.
  func add(_ write: BatchedWrite, _ partition: UnsafeMutablePointer<Partition>) {
    state.withLock { state in
      state.writes.removeAll { $0.key == write.key }
      state.writes.append(write)
    }
    partition.pointee.hasUnfinished = true
  }

  func remove(_ write: BatchedWrite, _ partition: UnsafeMutablePointer<Partition>) {
    change(partition, write.hash) { state in
      state.writes.removeAll { $0 == write }
      state.finished += 1
    }
  }

  func doubt(_ hash: UInt64, _ partition: UnsafeMutablePointer<Partition>) {
    change(partition, hash) { $0.doubts.append(hash) }
  }

  func trust(_ hash: UInt64, _ partition: UnsafeMutablePointer<Partition>) {
    change(partition, hash) { state in state.doubts.removeAll { $0 == hash } }
  }

  private func change(
    _ partition: UnsafeMutablePointer<Partition>, _ hash: UInt64, _ body: (inout State) -> Void
  ) {
    let isHere = { (other: UInt64) in Store.partition(of: other) == Store.partition(of: hash) }
    partition.pointee.hasUnfinished = state.withLock { state in
      body(&state)
      return state.doubts.contains(where: isHere) || state.writes.contains { isHere($0.hash) }
    }
  }
}

extension PartitionTable {
  /// Gives what a batch has begun at a key to all its owners that answer, as it was begun. Until one has it, what it comes behind
  /// must not be settled: that would come behind the batch then. Call with the partition's lock held.
  /// - Returns: whether one that votes has it.
  func bringUnfinished(_ hash: UInt64) -> Bool {
    if unfinished.isDoubtful(hash) { return false }
    let partition = self[Store.partition(of: hash)]
    let participants = partition.pointee.view.takeUnretainedValue().participants(ofSlot: Ring.slot(of: hash))
    return unfinished.of(hash).allSatisfy { write in
      var isHeld = false
      for i in 0..<participants.count {
        guard let store = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue().store else { continue }
        isHeld = take(write, at: store) && !store.isSuspect || isHeld
      }
      return isHeld
    }
  }

  private func take(_ write: BatchedWrite, at store: Store) -> Bool {
    write.key.withBytes { key in
      write.body.withBytes { write.stamp.payload($0) }.withBytes { payload in
        let record = ReplicaWrite(
          write.stamp.isTombstone ? .tombstone : .value, hash: write.hash, tag: write.stamp.tag, key: key,
          value: payload)
        return
          (try? store.apply(
            record.kind, hash: record.hash, tag: record.tag, key: key, value: payload, valueChecksum: record.checksum))
          != nil
      }
    }
  }
}
