/// Values that expire, in one node's index.
extension Store {
  /// A value that expires.
  struct Expiring {
    let hash: UInt64
    /// Unix milliseconds.
    let expiry: UInt64
    let record: RecordView
  }

  /// Calls `body` with the values that expire among the entries of a partition from place `from`, looking at no more than
  /// `limit` places, and returns where to go on, or `nil` at the end. Their records are not verified.
  func scanExpiring(_ partition: Int, from: Int, limit: Int, _ body: (Expiring) -> Void) -> Int? {
    let stripe = stripes + partition
    return stripe.pointee.index.scan(from: from, limit: limit) { slot in
      guard slot.pointee.tag.expires, !slot.pointee.location.isTombstone else { return }
      let record = record(at: logLocation(slot.pointee.location, stripe))
      guard record.tag == slot.pointee.tag, let expiry = record.expiry else { return }
      body(Expiring(hash: slot.pointee.hash, expiry: expiry, record: record))
    }
  }
}
