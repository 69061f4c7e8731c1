import Synchronization

/// A 256th of the ring: the unit of locking. Its lock covers the same part of every node's store, so an operation
/// takes one lock for all replicas of its key, and what it decides under it no other operation on the key can overtake.
package struct Partition: ~Copyable {
  // All of it is guarded by its lock, which lies in front of it in the table.
  /// The epoch's owners.
  package var view: Unmanaged<PlacementView>
  /// The nodes that answer, by id, as many as there is room for. A node enters and leaves each partition under its lock,
  /// so an operation sees it either there or not.
  var replicas: UnsafeMutableBufferPointer<Unmanaged<Replica>?>
  package var hints: [HintQueue] = []
  package var hintsKept = 0
  /// Hints that were not kept or given up.
  package var hintsDropped = 0
  var operations = OperationCounters.zero
  /// Hashes under which copies of one version are not the same (see ``Twins``), and whether there are any: reads ask that.
  var twins: Set<UInt64> = []
  var hasTwins = false
  /// Whether writes of batches are unfinished here (``UnfinishedWrites``).
  package internal(set) var hasUnfinished = false
  /// What partitions have that few have.
  let rarities: Unmanaged<Rarities>
  /// The newest tombstone that was purged: writes that have not been applied anywhere must be newer.
  var purged = Tag.none

  /// Says of all partitions together whether any may have what most of them never have, so that nobody goes through all of
  /// them in search of it. Whoever does go through them takes the note away before, and puts it back if it is still true.
  final class Rarities: Sendable {
    let hints = Atomic<Bool>(false)
    let twins = Atomic<Bool>(false)
  }

  init(
    view: Unmanaged<PlacementView>, rarities: Unmanaged<Rarities>,
    replicas: UnsafeMutableBufferPointer<Unmanaged<Replica>?>
  ) {
    self.rarities = rarities
    self.view = view
    self.replicas = replicas
  }

  @inline(__always)
  package func replica(_ id: UInt16) -> Unmanaged<Replica>? {
    Int(id) < replicas.count ? replicas.baseAddress.unsafelyUnwrapped[Int(id)] : nil
  }
}

extension UnsafeMutablePointer where Pointee == Partition {
  static var lockBytes: Int { 16 }

  /// The partition's lock: not in it, because who waits for the lock must have no access yet to what it guards, and not
  /// far from it, because both are wanted together.
  @inline(__always)
  package var lock: UnsafePointer<Lock> {
    UnsafeRawPointer(self).advanced(by: -Self.lockBytes).assumingMemoryBound(to: Lock.self)
  }
}
