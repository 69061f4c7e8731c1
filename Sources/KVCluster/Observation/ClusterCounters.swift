import Synchronization

/// How often the cluster has taken its less common paths.
package final class ClusterCounters: Sendable {
  package let hintsDelivered = Atomic<Int>(0)
  package let antiEntropyCopies = Atomic<Int>(0)
  package let keysStreamed = Atomic<Int>(0)
  package let drainsWaited = Atomic<Int>(0)
  package let streamsRepeated = Atomic<Int>(0)
  package let suspectsMerged = Atomic<Int>(0)
  package let copiesHealed = Atomic<Int>(0)
  package let failedNodes = Atomic<Int>(0)
  package let tombstonesPurged = Atomic<Int>(0)
  package let keysExpired = Atomic<Int>(0)
  package let copiesWithdrawn = Atomic<Int>(0)
  package let suspicions = Atomic<Int>(0)
  /// When a node last refused a record for want of room; 0 for never.
  let lackedRoomNs = Atomic<UInt64>(0)
}
