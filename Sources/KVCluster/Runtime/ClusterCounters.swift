import Synchronization

/// How often the cluster has taken its less common paths.
final class ClusterCounters: Sendable {
  let hintsDelivered = Atomic<Int>(0)
  let antiEntropyCopies = Atomic<Int>(0)
  let keysStreamed = Atomic<Int>(0)
  let drainsWaited = Atomic<Int>(0)
  let streamsRepeated = Atomic<Int>(0)
  let suspectsMerged = Atomic<Int>(0)
  let copiesHealed = Atomic<Int>(0)
  let failedNodes = Atomic<Int>(0)
  let tombstonesPurged = Atomic<Int>(0)
  let copiesWithdrawn = Atomic<Int>(0)
  let suspicions = Atomic<Int>(0)
}
