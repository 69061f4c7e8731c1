/// Finds copies of one version whose contents differ between nodes' logs (see ``Twins``).
///
/// Every record's tag, key and checksum are kept while the logs are read one after the other: 30 bytes a record. Only if two
/// differ the logs are read once more, to see whether these are what the nodes hold now: a put or delete since has settled
/// it, and the older records just wait for compaction.
final class VersionContents {
  private let seen = StripeTable(cacheBytes: 0)
  /// Hashes of keys of which two records of one version differ.
  private(set) var suspicious: Set<UInt64> = []

  /// Takes a record of a key with this hash.
  func take(_ hash: UInt64, _ record: RecordView) {
    // A key that was written often has many versions: they must not lie in one place of the table.
    let place = VersionContents.mix(hash ^ VersionContents.mix(record.tag.rawValue))
    let content = Location(
      rawValue: UInt64(record.valueChecksum) << 32 | UInt64(record.kindByte) << 1 | UInt64(record.payloadBytes) << 9 | 1
    )
    let partition = Store.partition(of: place)
    if let known = seen.base[partition].index.find(place, matching: { $0.pointee.tag == record.tag }) {
      if known.pointee.location != content { suspicious.insert(hash) }
    } else {
      seen.base[partition].index.insert(IndexSlot(hash: place, location: content, tag: record.tag))
    }
  }

  /// The finaliser of SplitMix64.
  private static func mix(_ word: UInt64) -> UInt64 {
    let a = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    let b = (a ^ (a >> 27)) &* 0x94d0_49bb_1331_11eb
    return b ^ (b >> 31)
  }
}

extension Verification {
  /// What a node holds of a key.
  private struct Held {
    var node: String
    var key: [UInt8]
    var tag: Tag
    var content: RecordContent
    var position: LogPosition
  }

  /// Keys that owners hold with different contents under one version.
  static func twins(
    _ folder: FolderAtRest, _ configuration: Configuration, _ contents: VersionContents
  ) -> [VerificationReport.Damage] {
    if contents.suspicious.isEmpty { return [] }
    var held: [Held] = []
    for member in configuration.members {
      held += newest(of: contents.suspicious, member, folder, configuration)
    }
    let byVersion = Dictionary(grouping: held) { Version(key: $0.key, tag: $0.tag) }
    return byVersion.values.compactMap(damage).sorted { ($0.file, $0.offset) < ($1.file, $1.offset) }
  }

  private struct Version: Hashable {
    var key: [UInt8]
    var tag: UInt64

    init(key: [UInt8], tag: Tag) {
      (self.key, self.tag) = (key, tag.rawValue)
    }
  }

  private static func damage(_ copies: [Held]) -> VerificationReport.Damage? {
    guard let first = copies.first, let other = copies.first(where: { $0.content != first.content }) else { return nil }
    let nodes = copies.map { "\($0.node)\($0.content == first.content ? "" : " (other content)")" }
    return VerificationReport.Damage(
      file: "\(DataFolder.logFolder(other.node))/\(LogFormat.segmentName(other.position.segment))",
      offset: other.position.offset,
      reason: "key \"\(String(decoding: first.key, as: UTF8.self))\" has different contents under one version on "
        + "\(nodes.joined(separator: ", ")): their folders do not belong together. Put the right folder back, or put or "
        + "delete the key anew")
  }

  /// The newest record of each such key that the node owns.
  private static func newest(
    of hashes: Set<UInt64>, _ member: Configuration.Member, _ folder: FolderAtRest, _ configuration: Configuration
  ) -> [Held] {
    let isOwned = configuration.slots(ownedBy: member.id)
    var newest: [[UInt8]: Held] = [:]
    let log = DataFolder.logFolder(member.name)
    let ids = ((try? folder.disk.names(in: log)) ?? []).compactMap(LogFormat.segmentID(ofName:)).sorted()
    for id in ids {
      guard let file = try? folder.disk.openSegment("\(log)/\(LogFormat.segmentName(id))", capacity: 0) else {
        continue
      }
      defer { file.close() }
      let source = SegmentSource(base: UnsafeRawPointer(file.base), slot: 1, id: id, clusterID: configuration.clusterID)
      let scan = SegmentScan(source, limit: file.byteCount)
      for partition in 0..<Store.partitionCount {
        for entry in scan.entries(partition)
        where hashes.contains(entry.hash) && isOwned[Ring.slot(of: entry.hash)] {
          let record = RecordView(file.base + entry.location.offset)
          let (key, position) = (Array(record.key), LogPosition(segment: id, offset: entry.location.offset))
          if let known = newest[key], (known.tag, known.position) > (entry.tag, position) { continue }
          newest[key] = Held(
            node: member.name, key: key, tag: entry.tag, content: RecordContent(record), position: position)
        }
      }
    }
    return Array(newest.values)
  }
}
