/// Where a log ends: what tells a torn tail from corruption. Shared by whoever opens a log (``LogRecovery``) and whoever
/// only looks at one (``LogVerification``).
///
/// A crash leaves of what was not synced whatever it likes. If the program alone is killed, its stores to a shared mapping
/// are all there; of a staged batch there is what the interrupted write(2) had handed over, a beginning of the batch that
/// may end in the middle of a record. If the machine loses its power, the disk has of every sector the old bytes or the
/// new: records of a batch may be there and those before them not. In both cases the places that were not reached
/// still hold zeros, or what an earlier use of the file left there, which no record's checksum takes for one of this place.
///
/// So a bad place with good records behind it may be a torn batch as well as a flipped bit, and what lies around it does not
/// tell. What tells is the newest *sync mark*: it is composed only after the fdatasync of all that lies before the
/// position it names has succeeded, and its checksum covers that position and the mark's own place. It is written together
/// with the batch that follows, so it may stand behind a gap; but the gap then lies behind the position it names. Hence, for
/// a bad place at
///
/// - a position **before** the one that the newest mark names: it was on the disk and has changed. Corruption, of records
///   that may have been acknowledged. Nothing is cut.
/// - a position **at or after** it: no sync is known to have covered it. (One may have, if the crash came between the sync
///   and its mark. Then everything up to the end of that sync is on the disk and nothing there is bad, unless it is
///   damaged as well: the one case in which damage looks like a torn tail.) The log is cut there, together with all that
///   follows: what comes after an unacknowledged record was appended later, and no sync covers it without covering that
///   record too.
///
/// Where nothing is staged a kill tears nothing. So a log that the machine has kept its power for is cut only where nothing
/// follows; a bad place with records behind it is damage, synced or not, for those records were acknowledged. Which of the
/// two holds is not for today's policy to say: each segment's header notes how it was written (``SegmentWriting``). And a
/// log that changes from one way to the other is put on the disk first, so nothing that is staged lies before something
/// that is not.
///
/// What is cut is overwritten with zeros and synced before anything is appended, so a later start finds no mark and no
/// record of a batch that was given up.
struct LogEnd {
  /// Everything before this position has been on the disk, says the newest mark or a witness outside of the log, whichever
  /// says more; ``LogPosition/start`` without both.
  let synced: LogPosition

  /// What a segment's scan means.
  enum Verdict: Equatable {
    /// Its records may be used, but for those that the scan calls damaged.
    case kept
    /// The log ends at this offset, and what follows is no part of it.
    case torn(at: Int)
    /// It should go on in the next segment, and does not say so: corruption.
    case endMissing
  }

  /// Finds the newest mark.
  /// - Parameters:
  ///   - ids: the log's segments, from the oldest.
  ///   - known: everything before it is known to have been there (``Witness``).
  ///   - lastMark: reads all of one, for ``SegmentScan/lastSyncMark(segment:)``; `nil` if there is none.
  init(_ ids: [UInt64], known: LogPosition = .start, lastMark: (UInt64) -> LogPosition?) {
    for id in ids.reversed() {
      guard let mark = lastMark(id) else { continue }
      synced = max(mark, known)
      return
    }
    synced = known
  }

  /// Whether the log should go on behind where it ends.
  func isShort(of end: LogPosition) -> Bool { end < synced }

  /// - Parameters:
  ///   - scan: of all of the segment.
  ///   - isLast: no segment of the log is newer.
  func verdict(_ scan: SegmentScan, _ segment: SegmentSource, isLast: Bool) -> Verdict {
    if let torn = firstUnsynced(segment.id).flatMap({ scan.firstBad(from: $0, segment, isLast: isLast) }) {
      return .torn(at: torn)
    }
    return isLast || scan.isSealed ? .kept : .endMissing
  }

  /// What is known of a segment.
  struct Facts {
    /// `nil` if its header is damaged.
    var writing: SegmentWriting?
    /// There is any record or note in it.
    var hasRecords: Bool
  }

  /// Whether a crash may have left the bad place that ``verdict(_:_:isLast:)`` calls torn; otherwise it is damage.
  /// - Parameters:
  ///   - later: the segments behind this one.
  ///   - hasLostPower: the machine may have lost its power since it last synced.
  static func canBeTorn(
    _ scan: SegmentScan, at offset: Int, _ writing: SegmentWriting?, later: [Facts], hasLostPower: Bool
  ) -> Bool {
    if hasLostPower { return true }
    let isStaged = writing == .staged && later.allSatisfy { !$0.hasRecords || $0.writing == .staged }
    return isStaged || scan.end == offset && !later.contains(where: \.hasRecords)
  }

  /// From which offset the segment may be torn; `nil` for nowhere.
  private func firstUnsynced(_ id: UInt64) -> Int? {
    LogPosition(segment: id, offset: 0) >= synced ? 0 : synced.segment > id ? nil : synced.offset
  }
}

extension SegmentScan {
  /// The position up to which the last sync mark in the segment says that everything was synced.
  func lastSyncMark(segment id: UInt64) -> LogPosition? {
    let mark = notes.last { note in
      note.record.kind == .syncMark && note.record.keyBytes == 8
        && note.record.key.loadUnaligned(as: UInt64.self) == id.littleEndian
    }
    return mark.map { LogPosition(rawValue: $0.record.tag.rawValue) }
  }

  /// The first place at or after `offset` where the log was torn: a header or a value that does not verify, or the end
  /// of a segment that should go on in another. A loss of power can leave a header on the disk without its value, and
  /// such a record must not hide the version before it, which was acknowledged.
  fileprivate func firstBad(from offset: Int, _ segment: SegmentSource, isLast: Bool) -> Int? {
    var bad = damage.first { $0.range.lowerBound >= offset }?.range.lowerBound
    for partition in 0..<Store.partitionCount {
      for entry in entries(partition) where entry.location.offset >= offset && entry.location.offset < bad ?? .max {
        if !RecordView(segment.base + entry.location.offset).hasIntactValue { bad = entry.location.offset }
      }
    }
    for note in notes where note.offset >= offset && note.offset < bad ?? .max {
      if !note.record.hasIntactValue, note.record.kind != .syncMark { bad = note.offset }
    }
    if bad == nil, !isLast, !isSealed, end >= offset { bad = end }
    return bad
  }
}
