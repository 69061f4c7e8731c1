/// What a record says.
package enum RecordKind: UInt8, Sendable {
  /// Key and value.
  case value = 1
  /// The key was deleted; no value.
  case tombstone = 2
  /// Everything before the position in `tag` has been synced: damage before it is corruption, not a torn tail. The key is
  /// the segment's id, 8 bytes, so that a search through left-over bytes cannot take an old mark for one of this log.
  case syncMark = 3
  /// The owner named in the value missed the write of this key; the tag is the write's.
  case hint = 4
  /// All hints before this record for the node named in the key have been handed over or given up.
  case hintsSettled = 5
  /// The node gave up these ring slots: records in them before the position in `tag` are void. The value lists first and
  /// last slot in pairs of 16 bits. Always the first record of a segment, so that a start knows all of them before it
  /// reads anything else.
  case rangeDrop = 6
  /// The segment ends here; the next one has the id in `tag`.
  case seal = 7
}
