/// A log's segments, for whoever empties, checks or copies them.
extension Log {
  /// Segments that are sealed and on the disk, from the oldest.
  var settledSegments: [Segment] {
    let durable = durable
    return withTail { tail in
      tail.sealed.filter { LogPosition(segment: $0.id, offset: $0.end) <= durable || $0.id < durable.segment }
    }
  }

  /// Where the log ends, and its segments, from the oldest.
  var segmentsNow: (end: LogPosition, segments: [Segment]) {
    withTail { tail in
      var segments = tail.sealed
      if var last = tail.segment {
        last.end = tail.offset
        segments.append(last)
      }
      return (LogPosition(segment: tail.id, offset: tail.offset), segments)
    }
  }

  /// A file of the log that was deleted while it is open, if one was.
  var deletedFile: String? { segmentsNow.segments.first { $0.file.isDeleted }?.file.path }

  /// Goes on in a new segment, so that this one can be compacted.
  func sealTail() throws(StorageError) {
    pool.makeSpare(for: .upkeep)
    try withTail { (tail: inout Tail) throws(StorageError) in
      if let failure = tail.failure { throw failure }
      try roll(0, &tail, for: .upkeep)
    }
  }

  /// Bytes of records in the segment being written, and dead ones of them.
  var tailSize: (recordBytes: Int, deadBytes: Int) {
    withTail { ($0.offset - LogFormat.segmentHeaderBytes, table.deadBytes($0.slot)) }
  }

  /// Bytes of all files that hold records, or may.
  package var fileBytes: Int { segmentsNow.segments.reduce(pool.idleBytes) { $0 + $1.file.byteCount } }

  /// Gives the disk back what is kept for later: emptied files, and the next segment.
  func giveBack() { pool.giveBack() }

  /// Keeps the files of damaged segments when they have been emptied.
  func keepDamaged() { pool.keepDamaged() }

  /// Whether the segment being written is to be emptied.
  var isTailDamaged: Bool { withTail { $0.segment?.isDamaged ?? false } }

  /// Whether segments are left that are to be emptied, the one being written among them.
  package var hasDamagedSegments: Bool {
    withTail { $0.segment?.isDamaged ?? false || $0.sealed.contains(where: \.isDamaged) }
  }

  /// The node has been rebuilt: what is missing from now on was not there before.
  func clearSuspicion() throws(StorageError) {
    try pool.clearSuspicion()
  }

  /// Says that compaction shall empty the segment.
  func markDamaged(slot: Int) {
    withTail { tail in
      for i in tail.sealed.indices where tail.sealed[i].slot == slot { tail.sealed[i].isDamaged = true }
      if tail.slot == slot { tail.segment?.isDamaged = true }
    }
  }

  /// Gives up a sealed segment that nothing points into any more; what was copied from it is on the disk.
  /// - Throws: the segment is then still part of the log.
  func release(_ segment: Segment) throws(StorageError) {
    try pool.remove(segment.id)
    withTail { tail in
      tail.sealed.removeAll { $0.id == segment.id }
      tail.sealedBytes -= segment.end - LogFormat.segmentHeaderBytes
    }
    pool.giveUp(segment)
  }

  /// Keeps the files of all segments under their names and with their bytes, until ``unhold()``: compaction goes on, and
  /// what it gives up is freed afterwards.
  func hold() { pool.hold() }
  func unhold() { pool.unhold() }
}
