/// What decides which of two versions of a key is the newer one.
///
/// A put or delete takes its place by its tag. A read-modify-write takes the place right behind its *base*, the version that
/// it read: whatever put comes in between was not seen by it, so it must come after it. (If the put's tag alone decided, a
/// write that never ended could surface behind one that did not know of it.) Several with the same base are told apart by
/// their own tags, which are drawn when they are made: the *carstamps* of Gryff (NSDI '20), with the tag for a ballot.
///
/// ```
///   put 5   rmw of 5: (5, 7)   rmw of that: (5, 9)   put 6   delete 8
///   older ─────────────────────────────────────────────────────► newer
/// ```
///
/// A read-modify-write whose base is that there is nothing has place 0, before every put and delete. A tombstone needs more
/// care: it is forgotten once all owners have it, and a log may still hold it and bring it back at a start. So this anchor says
/// up to which counter tombstones may have been forgotten: nothing was found, whatever they say.
package struct Stamp: Equatable, Sendable {
  /// Of the write itself.
  package var tag: Tag
  /// Of a put or delete its own tag. Of a read-modify-write the tag of the put or delete at the beginning of its chain of
  /// bases, or, with the rmw bit, the counter up to which tombstones may have been forgotten when nothing was found.
  package var anchor: Tag
  package var isTombstone: Bool

  /// Of a key that was never written.
  package static let none = Stamp(.none, isTombstone: true)

  /// A put or delete.
  @inline(__always)
  package init(_ tag: Tag, isTombstone: Bool) {
    (self.tag, anchor, self.isTombstone) = (tag, tag, isTombstone)
  }

  @inline(__always)
  package init(_ tag: Tag, anchor: Tag, isTombstone: Bool) {
    (self.tag, self.anchor, self.isTombstone) = (tag, anchor, isTombstone)
  }

  /// Whether the first of its bases was that there is nothing.
  var beginsAtNothing: Bool { anchor.isRMW }

  @inline(__always)
  package func isNewer(than other: Stamp) -> Bool {
    if (tag.rawValue | other.tag.rawValue) & Tag.rmwBit == 0 { return tag > other.tag }
    return comesBehind(other)
  }

  @inline(never)
  private func comesBehind(_ other: Stamp) -> Bool {
    if tag == other.tag || tag == .none { return false }
    if other.tag == .none { return true }
    switch (beginsAtNothing, other.beginsAtNothing) {
    case (true, true): return tag > other.tag
    case (true, false): return other.isTombstone && other.tag.counter <= anchor.counter
    case (false, true): return !(isTombstone && tag.counter <= other.anchor.counter)
    case (false, false): return (anchor, tag) > (other.anchor, other.tag)
    }
  }

  /// Whether it is newer than a version of which the tag alone is known.
  @inline(__always)
  package func isCertainlyNewer(than unknown: Tag) -> Bool { !anchor.isRMW && anchor > unknown }

  /// Whether this version counts, of two in one log of which this one was written later.
  ///
  /// What began at nothing is written only where the log's index holds nothing newer. So whatever an older value lies before
  /// it, a tombstone hid it that has been forgotten since.
  package func supersedes(_ earlier: Stamp) -> Bool {
    if beginsAtNothing, !earlier.isTombstone, !earlier.beginsAtNothing, earlier.tag.counter <= anchor.counter {
      return true
    }
    return isNewer(than: earlier)
  }

  /// The place of a read-modify-write that has this version for its base.
  /// - Parameters:
  ///   - ballot: its own tag; its expiry bit says whether the value expires.
  ///   - forgotten: up to which tag tombstones may have been forgotten.
  package func successor(_ ballot: Tag, isTombstone: Bool, forgotten: Tag) -> Stamp {
    let anchor = tag == .none ? Tag(counter: forgotten.counter, coordinator: 0).asRMW : anchor
    return Stamp(ballot.asRMW, anchor: anchor, isTombstone: isTombstone)
  }
}

extension Stamp {
  /// Bytes before all else in the payload of a read-modify-write.
  static let anchorBytes = 8

  /// Bytes before the value in the payload of a version with this tag.
  @inline(__always)
  static func prefixBytes(of tag: Tag) -> Int {
    if tag.rawValue & (Tag.rmwBit | Tag.expiryBit) == 0 { return 0 }
    return (tag.isRMW ? anchorBytes : 0) + (tag.expires ? Expiry.byteCount : 0)
  }

  /// The anchor at the beginning of a read-modify-write's payload.
  @inline(__always)
  static func anchor(in payload: UnsafeRawBufferPointer) -> Tag {
    Tag(rawValue: UInt64(littleEndian: payload.loadUnaligned(as: UInt64.self)))
  }

  /// Of a record that is made of these.
  @inline(__always)
  init(_ kind: RecordKind, _ tag: Tag, payload: UnsafeRawBufferPointer) {
    self.init(tag, anchor: tag.isRMW ? Stamp.anchor(in: payload) : tag, isTombstone: kind == .tombstone)
  }

  /// The payload of a read-modify-write.
  /// - Parameter body: what comes behind the anchor: the value, and before it the time at which it expires, if it does.
  func payload(_ body: UnsafeRawBufferPointer) -> [UInt8] { body.behind(anchor.rawValue) }
}
