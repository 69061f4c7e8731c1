import Foundation

@testable import KVCluster

/// The folder that inputs are put into, and the inputs to begin with: its files, as the engine writes them.
enum Corpus {
  static let identity = LogIdentity(clusterID: 0x6b1f_0e55, node: "node1")
  static let segmentBytes = 4_096
  static let configuration = Configuration(
    clusterID: identity.clusterID, quorum: QuorumSettings(replicas: 3, read: 2, write: 2),
    nodeNames: ["node1", "node2", "node3"])
  static let keys = (0..<12).map { "key\($0)" }

  /// Its files by their paths.
  static let folder: [(path: String, bytes: [UInt8])] = {
    do { return try make() } catch { fatalError("the folder cannot be made: \(error)") }
  }()

  /// A life of one node: puts, overwrites, deletes and updates, a hint, a range that was given up and a checkpoint.
  private static func make() throws -> [(path: String, bytes: [UInt8])] {
    let disk = MemoryDisk()
    let folder = DataFolder.logFolder(identity.node)
    let store = try Store.open(
      disk: disk, folder: folder, identity: identity, segmentBytes: segmentBytes, cacheBytes: 0)
    try live(store)
    disk.put("configuration", Array(configuration.text.utf8))
    try TagLease(tagsBelow: 1 << 20, expiredBy: 1_700_000_000_000).write(to: disk, folder: folder)
    disk.put("boot", Array(BootMark(boot: "0396d5f9", isSafe: false).text.utf8))
    var witness = Witness(clusterID: identity.clusterID)
    witness.begin(7)
    witness.note(configuration)
    witness.note("node1", synced: store.log.durable, written: store.log.end, nil)
    witness.note("node2", synced: .start, written: .start, .lost)
    for folder in ["", folder] { try witness.write(to: disk, folder: folder) }
    let writes = keys.prefix(3).enumerated().map { i, key in
      let (tag, isTombstone) = (Tag(counter: UInt64(900 + i), coordinator: 0), i == 1)
      let stamp = Stamp.none.successor(i == 2 ? tag.asExpiring : tag, isTombstone: isTombstone, forgotten: .none)
      return BatchedWrite(key: Array(key.utf8), hash: 0, stamp: stamp, body: [UInt8](repeating: 7, count: 8 + 10 * i))
    }
    try BatchJournal(disk: disk, clusterID: identity.clusterID).replace(with: writes)
    store.log.close()
    let names =
      try disk.names(in: folder).map { "\(folder)/\($0)" } + ["configuration", "boot", "witness", BatchJournal.name]
    return names.compactMap { name in disk.bytes(name).map { (name, $0) } }
  }

  private static func live(_ store: Store) throws {
    var newest: [String: Stamp] = [:]
    for round in 0..<6 {
      for (i, key) in keys.enumerated() {
        let counted = Tag(counter: UInt64(round * keys.count + i + 1), coordinator: i % 3)
        // Every fourth value expires.
        let tag = (i + round) % 4 == 0 ? counted.asExpiring : counted
        let value = [UInt8](repeating: UInt8(ascii: "a") + UInt8(round), count: 20 * i)
        let isDelete = (i + round) % 5 == 0
        let stamp = newest[key, default: .none]
        // Every third is a read-modify-write, whose record has an anchor: of a value, of a tombstone and of nothing.
        newest[key] =
          (i + round) % 3 == 0
          ? stamp.successor(tag, isTombstone: isDelete, forgotten: .none) : Stamp(tag, isTombstone: isDelete)
        try apply(newest[key]!, key, isDelete ? [] : value, to: store)
      }
      try Array("node2".utf8).withBytes { node in
        try Array(keys[round].utf8).withBytes { try store.appendHint(for: node, key: $0, tag: .none) }
      }
      if round == 1 { try Array("node2".utf8).withBytes { try store.appendHintsSettled(for: $0) } }
      if round == 2 {
        var ranges = RingRanges()
        ranges.append(0...2_047)
        try store.log.appendRangeDrop(ranges, effect: nil)
      }
      try store.log.sync()
      if round == 4 {
        try Checkpoint.write(store, sync: { () throws(StorageError) in try store.log.sync() }, withPartition: { $1() })
      }
    }
  }

  private static func apply(_ stamp: Stamp, _ key: String, _ value: [UInt8], to store: Store) throws {
    let body = stamp.tag.expires ? value.withBytes { $0.behind(1_800_000_000_000) } : value
    let payload = stamp.tag.isRMW ? body.withBytes(stamp.payload) : body
    try Array(key.utf8).withBytes { key in
      try payload.withBytes { payload in
        _ = try store.apply(
          stamp.isTombstone ? .tombstone : .value, hash: Ring.hash(key), tag: stamp.tag, key: key, value: payload,
          valueChecksum: Checksum.crc32c(payload))
      }
    }
  }

  /// Writes one input for every file of the folder, and for some that it has not.
  static func write(to folder: String) throws {
    var inputs: [(name: String, input: FuzzInput)] = []
    for subject in FuzzInput.Subject.allCases {
      guard let bytes = Corpus.folder.first(where: { $0.path == subject.path })?.bytes else { continue }
      inputs.append(("\(subject)", FuzzInput(subject, 0, bytes)))
      inputs.append(("\(subject)-mended", FuzzInput(subject, 0b0000_0011, withoutChecksum(bytes, subject))))
    }
    let segments = Corpus.folder.filter { $0.path.hasSuffix(".segment") }
    for (i, segment) in segments.enumerated() {
      for flags in [0b0000_1011, 0b0001_1111] as [UInt8] {
        inputs.append(("segment-\(i)-\(flags)", FuzzInput(.segment, flags, segment.bytes)))
      }
    }
    for text in ["kvstore suspect 1\n", "kvstore suspect 1\nlost\nunsynced\n"] {
      inputs.append(("suspect-\(text.utf8.count)", FuzzInput(.suspect, 0, Array(text.utf8))))
    }
    for (name, configuration) in try changes() {
      inputs.append(
        (name, FuzzInput(.configuration, 1, withoutChecksum(Array(configuration.text.utf8), .configuration))))
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, input) in inputs { try Data(input.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
  }

  /// Configurations during changes.
  private static func changes() throws -> [(String, Configuration)] {
    let plain = Configuration(
      clusterID: identity.clusterID, quorum: QuorumSettings(replicas: 2, read: 1, write: 2), nodeNames: ["node1", "b"])
    return [
      ("configuration-join", try plain.joining("node3")), ("configuration-leave", try plain.leaving("b")),
      ("configuration-replacement", try plain.replacing("b", with: "replacement")),
    ]
  }

  /// Text without its last line, which the input adds again.
  private static func withoutChecksum(_ bytes: [UInt8], _ subject: FuzzInput.Subject) -> [UInt8] {
    guard [.segments, .lease, .clock, .configuration, .witness].contains(subject),
      let end = bytes.dropLast().lastIndex(of: UInt8(ascii: "\n"))
    else { return bytes }
    return Array(bytes[...end])
  }
}
