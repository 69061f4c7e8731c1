/// What of a disk's free space may be used for what.
///
/// A log that has filled its disk can only be made smaller by writing: compaction moves what is live before it frees a
/// segment. So records of clients leave the last of it alone, enough to empty any segment; deletes, by which people make
/// room, may take half of that. A full disk then takes writes again once compaction has emptied what is dead, and all that
/// is live may fill the disk but for this reserve. (Holes in place of dead records were rejected: what follows a hole could
/// not be told from damage.)
struct DiskRoom {
  enum Use {
    /// What clients write, copies of it, and room made ahead.
    case records
    case tombstones
    /// What makes the log smaller.
    case upkeep
  }

  /// Less than this many bytes of dead records are not worth a person's compaction: a few writes take them.
  static let deadBytesWorthACompaction = 1 << 16

  let disk: any Disk
  let segmentBytes: Int

  /// Enough for the live records of one segment, and for the file they go to.
  var reservedBytes: Int { segmentBytes + min(segmentBytes, 1 << 20) }

  /// Whether files may grow by so much.
  func isFree(_ byteCount: Int, for use: Use) -> Bool {
    let kept =
      switch use {
      case .records: reservedBytes
      case .tombstones: reservedBytes / 2
      case .upkeep: 0
      }
    return disk.freeBytes >= byteCount + kept
  }
}
