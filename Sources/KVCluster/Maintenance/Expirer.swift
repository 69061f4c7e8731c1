import Synchronization

/// Deletes what has expired, so that it takes no more room.
///
/// It goes through a node's index, a partition at a time, where something is due by the earliest time that is known
/// (``StripeExpiry``), and replaces each expired value by a tombstone in a read-modify-write: only if that value
/// is still what the key has, at all owners that answer. So tombstones, comparisons and purging know nothing of time; and what
/// clients see does not depend on it, since a value that has expired is not shown (``ExpiryClock``).
///
/// Rejected: a queue of times, sorted. It would have to be filled at each start, costs 16 bytes a key and a look at every put,
/// and a key that is written again and again leaves an entry each time.
package final class Expirer {
  private let replica: Replica
  private let data: DataPath
  private let counters: ClusterCounters
  private let deletesAnything: Bool
  /// The partition under way; `nil` between two.
  private var look: Look?
  private var number = 0
  /// When each partition was last looked through, and how long it is left alone: looking takes a twentieth of the time.
  private var looked = [(atMs: UInt64, restMs: UInt64)](repeating: (0, 0), count: Store.partitionCount)

  /// Until then nothing is due, unless something is written.
  private var idleUntilMs: UInt64 = 0

  private struct Look {
    var layout: Int
    var place = 0
    var spentNs: UInt64 = 0
    var found = StripeExpiry(earliest: .max)
  }

  private let deletions = Deletions()

  /// Deletions under way, and those that came to nothing: their partitions are looked at again.
  private final class Deletions: Sendable {
    struct State {
      var pending = 0
      var failed: [(partition: Int, expiry: UInt64)] = []
    }
    let state = Mutex(State())
  }

  private static let placesPerStep = 256
  private static let pendingMax = 256
  private static let restMinMs: UInt64 = 1_000
  private static let restPart: UInt64 = 20
  /// Where nothing is due, so many rests pass before what is new is counted.
  private static let restsForNews: UInt64 = 5
  private static let soonMs: UInt64 = 60_000

  package init(_ replica: Replica, _ data: DataPath, _ counters: ClusterCounters, _ mistake: PlantedMistake?) {
    self.replica = replica
    self.data = data
    self.counters = counters
    deletesAnything = mistake == .expiresAnything
  }

  /// Looks at some entries; false if nothing is due.
  package func step() -> Bool {
    takeBackFailed()
    guard deletions.state.withLock({ $0.pending }) < Expirer.pendingMax, !data.holdsWritersBack, data.isServing else {
      return false
    }
    let now = data.clock.now
    if look == nil, !findDue(now) { return false }
    let startedNs = Clock.nowNs()
    var due: [(key: [UInt8], expiry: UInt64)] = []
    var isDone = true
    let partition = data.partitions[number]
    data.partitions.whileServing(replica, number) { isDone = lookAtSome(now, partition, &due) }
    look?.spentNs += Clock.nowNs() - startedNs
    if isDone { finishPartition(now) }
    for value in due { delete(value.key, value.expiry) }
    return true
  }

  /// Call with the partition's lock held.
  /// - Returns: whether these were the last ones of the partition.
  private func lookAtSome(
    _ now: UInt64, _ partition: UnsafeMutablePointer<Partition>, _ due: inout [(key: [UInt8], expiry: UInt64)]
  ) -> Bool {
    let stripe = replica.store.stripes + number
    let layout = stripe.pointee.index.layout
    // A table that grew has moved its entries: begin again.
    if look?.layout != layout {
      look = Look(layout: layout, spentNs: look?.spentNs ?? 0)
      // What is written meanwhile counts as well.
      (stripe.pointee.expiry.earliest, stripe.pointee.expiry.hasNews) = (.max, false)
    }
    guard var look else { preconditionFailure("a look has begun") }
    let view = partition.pointee.view.takeUnretainedValue()
    let next = replica.store.scanExpiring(number, from: look.place, limit: Expirer.placesPerStep) { value in
      if value.expiry <= now { return due.append((Array(value.record.key), value.expiry)) }
      look.found.earliest = min(look.found.earliest, value.expiry)
      data.clock.note(end: value.expiry)
      guard speaks(for: value.hash, view, partition) else { return }
      look.found.keys += 1
      if value.expiry <= now + Expirer.soonMs { look.found.soon += 1 }
    }
    look.place = next ?? 0
    self.look = look
    guard next == nil else { return false }
    stripe.pointee.expiry.earliest = min(stripe.pointee.expiry.earliest, look.found.earliest)
    (stripe.pointee.expiry.keys, stripe.pointee.expiry.soon) = (look.found.keys, look.found.soon)
    return true
  }

  /// Whether the node counts a key: the first of its owners that answer.
  private func speaks(for hash: UInt64, _ view: PlacementView, _ partition: UnsafeMutablePointer<Partition>) -> Bool {
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    let first = (0..<participants.count).first { partition.pointee.replica(participants.ids[$0]) != nil }
    return first.map { participants.ids[$0] == replica.id } ?? false
  }

  /// Goes on to the next partition in which something is due, or new.
  private func findDue(_ now: UInt64) -> Bool {
    guard now >= idleUntilMs || replica.store.hasExpiryNews.exchange(false, ordering: .acquiring) else { return false }
    idleUntilMs = .max
    for _ in 0..<Store.partitionCount {
      number = (number + 1) % Store.partitionCount
      let (atMs, restMs) = looked[number]
      // If it does not serve yet, it may soon.
      var expiry = StripeExpiry(earliest: now + Expirer.restMinMs)
      data.partitions.whileServing(replica, number) { expiry = replica.store.stripes[number].expiry }
      let newsMs = expiry.hasNews ? atMs + Expirer.restsForNews * restMs : .max
      let dueMs = max(atMs + restMs, min(expiry.earliest, newsMs))
      if dueMs <= now {
        idleUntilMs = 0
        return true
      }
      idleUntilMs = min(idleUntilMs, dueMs)
    }
    return false
  }

  private func finishPartition(_ now: UInt64) {
    let roundNs = (look?.spentNs ?? 0) * UInt64(Store.partitionCount)
    looked[number] = (now, max(Expirer.restMinMs, roundNs * Expirer.restPart / 1_000_000))
    look = nil
  }

  private func delete(_ key: [UInt8], _ expiry: UInt64) {
    deletions.state.withLock { $0.pending += 1 }
    let end = { @Sendable [deletions, counters, number] (isDeleted: Bool?) in
      if isDeleted ?? false { counters.keysExpired.wrappingAdd(1, ordering: .relaxed) }
      deletions.state.withLock { state in
        state.pending -= 1
        if isDeleted == nil { state.failed.append((number, expiry)) }
      }
    }
    do throws(ClusterError) {
      try data.submitUpdate(
        key, kind: .expiry,
        { [deletesAnything] found in
          let isGone = found.value == nil && found.expiry != nil
          return isGone || deletesAnything ? (.delete, true) : (.keep, false)
        },
        completion: { end(try? $0.get()) })
    } catch {
      end(nil)
    }
  }

  private func takeBackFailed() {
    let failed = deletions.state.withLock { state in
      defer { state.failed = [] }
      return state.failed
    }
    for (number, expiry) in failed {
      data.partitions.whileServing(replica, number) {
        let stripe = replica.store.stripes + number
        stripe.pointee.expiry.earliest = min(stripe.pointee.expiry.earliest, expiry)
      }
      idleUntilMs = 0
    }
  }
}
