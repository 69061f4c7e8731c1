/// Takes back what a node that lost records has of keys that nobody else knows.
///
/// Such a node may have lost a tombstone that the others purged, and kept an older version that it hid. If N − W + 1
/// intact other owners have nothing of a key, the version here was neither acknowledged nor returned by a get, for then
/// one of them would have it, or something newer; or it was deleted since. Either way it may go. (A write that nobody
/// was told of may take effect or not.)
///
/// It goes by a tombstone whose tag is just above the version's: the lowest bits, the coordinator's, are 0 in every tag
/// that is drawn. So it overrules this version, wherever else it may be, and no later write; to forget the version in
/// memory alone would let the next start find it again. A key of which an operation is under way by message is left for
/// later: the version might be on its way to the others.
final class Withdrawal {
  private let replica: Replica
  private let partitions: PartitionTable
  private let messages: MessageCarrier
  private let links: Links
  /// Copies withdrawn.
  private(set) var withdrawn = 0

  private static let placesPerBatch = 128

  init(_ replica: Replica, _ partitions: PartitionTable, _ messages: MessageCarrier, _ links: Links) {
    self.replica = replica
    self.partitions = partitions
    self.messages = messages
    self.links = links
  }

  /// Looks at every key of the node, after it was given what it lacked. Returns false if some must be looked at again.
  func run() -> Bool {
    var isDone = true
    for number in 0..<Store.partitionCount where !isEmpty(number) {
      var position: Int? = 0
      var layout: Int?
      while let from = position {
        position = nil
        messages.whileStill { isBusy, _ in
          partitions.whileServing(replica, number) {
            let index = replica.store.stripes[number].index
            // A table that grew has moved its entries: begin again. A copy that was withdrawn is a tombstone by now.
            let start = layout == nil || layout == index.layout ? from : 0
            layout = index.layout
            position = batch(number, start, isBusy, &isDone)
          }
        }
      }
    }
    return isDone
  }

  /// Nothing can be withdrawn of an empty partition, and most are in a small store.
  private func isEmpty(_ number: Int) -> Bool {
    var isEmpty = false
    partitions.whileServing(replica, number) { isEmpty = replica.store.stripes[number].index.isEmpty }
    return isEmpty
  }

  /// Returns where to go on. Call with the partition's lock held.
  private func batch(
    _ number: Int, _ from: Int, _ isBusy: (_ hash: UInt64) -> Bool, _ isDone: inout Bool
  ) -> Int? {
    let view = partitions[number].pointee.view.takeUnretainedValue()
    var unknown: [(slot: IndexSlot, record: RecordView)] = []
    let next = replica.store.scan(number, from: from, limit: Withdrawal.placesPerBatch) { slot, record in
      if !slot.location.isTombstone, isUnknownElsewhere(slot, record, view, number) { unknown.append((slot, record)) }
    }
    for (slot, record) in unknown {
      if isBusy(slot.hash) || !withdraw(slot, record) { isDone = false } else { withdrawn += 1 }
    }
    return next
  }

  private func isUnknownElsewhere(
    _ slot: IndexSlot, _ record: RecordView, _ view: PlacementView, _ number: Int
  ) -> Bool {
    let participants = view.participants(ofSlot: Ring.slot(of: slot.hash))
    let others = partitions.voters(participants, besides: replica, partitions[number], links)
    guard view.evidenceRule(participants).isMet(by: others.set) else { return false }
    return others.replicas.allSatisfy { other in
      guard let version = other.store.version(slot.hash, record.key, known: .none) else { return false }
      if version.tag == .none { return true }
      // What began at nothing since says as much of what was written before.
      guard version.tag.isRMW, !record.stamp.beginsAtNothing else { return false }
      guard let stamp = other.store.stamp(slot.hash, version.tag) else { return false }
      return stamp.beginsAtNothing && slot.tag.counter <= stamp.anchor.counter
    }
  }

  private func withdraw(_ slot: IndexSlot, _ record: RecordView) -> Bool {
    // Of a read-modify-write the anchor goes with it, so that it has the same place.
    let payload = UnsafeRawBufferPointer(rebasing: record.payload.prefix(record.payloadBytes - record.valueBytes))
    let position = try? replica.store.apply(
      .tombstone, hash: slot.hash, tag: slot.tag.next, key: record.key, value: payload,
      valueChecksum: Checksum.crc32c(payload))
    return position != nil
  }
}
