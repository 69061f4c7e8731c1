@testable import KVCluster

/// Everything that a start, the tools at rest and maintenance read of a folder with one node.
struct FolderReading {
  private let disk: MemoryDisk
  private let input: FuzzInput
  private let folder = DataFolder.logFolder(Corpus.identity.node)

  init(_ disk: MemoryDisk, _ input: FuzzInput) {
    (self.disk, self.input) = (disk, input)
  }

  /// Errors are answers; what is looked for is a trap, and an access to what is not the file's.
  func run() {
    switch input.subject {
    case .configuration: readConfiguration()
    case .boot: _ = (try? BootMark.read(from: disk))??.isLost(in: "another")
    case .lease:
      _ = try? TagLease.read(from: disk, folder: folder)
      verify(.start)
    case .clock:
      _ = try? TagLease.readClock(from: disk, folder: folder)
      verify(.start)
    case .batches: readJournal()
    case .segment, .checkpoint, .segments, .suspect, .witness:
      let known = readWitness()
      verify(known)
      do throws(StorageError) {
        try start(known)
        // What maintenance made of it.
        try open(known).log.close()
      } catch {}
    }
  }

  private func readConfiguration() {
    guard let bytes = disk.bytes("configuration"),
      let configuration = try? Configuration(text: String(decoding: bytes, as: UTF8.self))
    else { return }
    let view = PlacementView(configuration, nil)
    for slot in stride(from: 0, to: Ring.slotCount, by: 4_099) {
      let participants = view.participants(ofSlot: slot)
      _ = view.writeRule(participants, nil).isMet(by: ParticipantSet(first: participants.count))
    }
    if configuration.change != nil { _ = configuration.settled }
    _ = Configuration.isNewer(configuration.text)
    _ = FolderEvidence(disk, configuration).objection(to: configuration)
  }

  private func readJournal() {
    let journal = BatchJournal(disk: disk, clusterID: Corpus.identity.clusterID)
    guard let writes = try? journal.read() else { return }
    for write in writes {
      write.key.withBytes(blackHole)
      write.body.withBytes(blackHole)
      _ = write.stamp.successor(Tag(counter: Tag.counterMax, coordinator: 0), isTombstone: true, forgotten: .none)
    }
    precondition(BatchJournal.decode(journal.encode(writes), of: nil) == writes, "what was read can be written")
  }

  /// The place that the witnesses say the log once reached.
  private func readWitness() -> LogPosition {
    guard input.subject == .witness || input.has(FuzzInput.isWitnessed) else { return .start }
    let evidence = FolderEvidence(disk, Corpus.configuration)
    _ = evidence.objection(to: Corpus.configuration)
    guard var witness = evidence.newest else { return .start }
    witness.enter(boot: "another")
    witness.begin(1)
    witness.note(Corpus.configuration)
    _ = witness.bytes
    return witness.log(Corpus.identity.node)?.written ?? .start
  }

  private func verify(_ known: LogPosition) {
    let verification = LogVerification(
      disk: disk, folder: folder, identity: Corpus.identity, known: known,
      mayHaveLostPower: input.has(FuzzInput.losesPower))
    _ = try? verification.run(isExpected: true) { _ in true }
    _ = try? LogDump.dump(Corpus.identity, disk) { line in
      if case .record(_, _, let key, let value, _) = line.content { blackHole(key); blackHole(value) }
      return true
    }
  }

  /// Touches every byte.
  private func blackHole(_ bytes: UnsafeRawBufferPointer) { precondition(Checksum.crc32c(bytes) <= .max) }

  private func open(_ known: LogPosition) throws(StorageError) -> Store {
    try Store.open(
      disk: disk, folder: folder, identity: Corpus.identity, segmentBytes: Corpus.segmentBytes, cacheBytes: 0,
      isExpected: true, mayHaveLostPower: input.has(FuzzInput.losesPower), known: known)
  }

  private func start(_ known: LogPosition) throws(StorageError) {
    let store = try open(known)
    defer { store.log.close() }
    store.mendOrder()
    readAll(store)
    var scrub = Scrub()
    for _ in 0..<store.log.size.segments { _ = scrub.step(store) }
    try write(to: store)
    for _ in 0..<4 {
      guard let compaction = Compaction.next(in: store) else { break }
      while try compaction.step(withPartition: { $1() }) {}
      guard compaction.isComplete else { break }
      try store.log.sync()
      try compaction.finish()
    }
    readAll(store)
    try Checkpoint.write(store, sync: { () throws(StorageError) in try store.log.sync() }, withPartition: { $1() })
  }

  private func readAll(_ store: Store) {
    for partition in 0..<Store.partitionCount {
      for slot in store.entries(partition) where store.hasIntactHeader(slot.location) {
        let key = Array(store.record(at: slot.location).key)
        key.withBytes { key in
          if case .found(_, _, _, let value) = store.read(slot.hash, key) { blackHole(value) }
        }
      }
    }
  }

  /// A put of a new key and one of a key that is there, each newer than all.
  private func write(to store: Store) throws(StorageError) {
    let counter = store.newestTag.counter
    guard counter < Tag.counterMax - 2 else { return }
    for (i, key) in [Array("fresh".utf8), Array(Corpus.keys[0].utf8)].enumerated() {
      try key.withBytes { key throws(StorageError) in
        _ = try store.apply(
          .value, hash: Ring.hash(key), tag: Tag(counter: counter + UInt64(i) + 1, coordinator: 0), key: key,
          value: key,
          valueChecksum: Checksum.crc32c(key))
      }
    }
    try store.log.sync()
  }
}
