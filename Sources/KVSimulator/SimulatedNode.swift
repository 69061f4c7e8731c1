import KVCluster

/// A message to a replica or back. Times and places are the network's business.
enum Message {
  case read(operation: Int, key: [UInt8])
  case write(operation: Int, kind: RecordKind, key: [UInt8], value: [UInt8], tag: Tag)
  /// A replica's newest version of the key; a tombstone has no value, no version at all has no tag.
  case version(operation: Int, tag: Tag, kind: RecordKind, value: [UInt8])
  /// The replica holds the write or a newer one.
  case written(operation: Int)
}

/// One replica in the simulation: the real store on a simulated disk, which answers when what it says is durable.
final class SimulatedNode {
  let name: String
  let disk: SimulatedDisk
  private(set) var store: Store?
  /// Counts starts; what belongs to an earlier one is void.
  private(set) var incarnation = 0
  /// Answers held back until the log is durable up to a position.
  private var held: [(position: LogPosition, client: Int, message: Message)] = []
  private let clusterID: UInt64

  /// Small segments, so that logs of a few hundred records roll.
  private static let segmentBytes = 16_384

  init(name: String, clusterID: UInt64, disk: SimulatedDisk) throws(StorageError) {
    self.name = name
    self.clusterID = clusterID
    self.disk = disk
    try start()
  }

  func start() throws(StorageError) {
    incarnation += 1
    store = try Store.open(
      disk: disk, folder: "\(name).wal", identity: LogIdentity(clusterID: clusterID, node: name),
      segmentBytes: SimulatedNode.segmentBytes, cacheBytes: 64 << 10)
  }

  /// The process dies: memory is gone; the disk keeps what was synced, and of the rest what chance leaves.
  func crash(losingPower: Bool) {
    store?.log.close()
    store = nil
    held = []
    disk.restart(losingPower: losingPower)
  }

  /// Handles a request; returns what may be answered at once. The rest waits for ``sync()``.
  func handle(_ message: Message, from client: Int) throws(StorageError) -> Message? {
    guard let store else { return nil }
    switch message {
    case .read(let operation, let key):
      guard let answer = SimulatedNode.answer(store, operation, key) else { return nil }
      return hold(answer, client, store)
    case .write(let operation, let kind, let key, let value, let tag):
      let position = try SimulatedNode.apply(store, kind, key, value, tag)
      return hold((position, .written(operation: operation)), client, store)
    case .version, .written:
      preconditionFailure("an answer was sent to a replica")
    }
  }

  /// Puts the log on the disk and returns the answers that waited for it.
  /// None if the disk does not come back.
  func sync() throws(StorageError) -> [(client: Int, message: Message)] {
    guard let store, !disk.holdsSyncs else { return [] }
    try store.log.sync()
    let durable = store.log.durable
    let ready = held.filter { $0.position < durable }.map { ($0.client, $0.message) }
    held.removeAll { $0.position < durable }
    return ready
  }

  var isSyncWanted: Bool { !held.isEmpty }

  private func hold(_ answer: (position: LogPosition, message: Message), _ client: Int, _ store: Store) -> Message? {
    if store.log.durable > answer.position || answer.position == .start { return answer.message }
    held.append((answer.position, client, answer.message))
    return nil
  }

  /// A damaged copy does not know, so it does not answer.
  private static func answer(_ store: Store, _ operation: Int, _ key: [UInt8]) -> (LogPosition, Message)? {
    key.withBytes { bytes -> (LogPosition, Message)? in
      switch store.read(Ring.hash(bytes), bytes) {
      case .damaged: return nil
      case .absent:
        return (.start, .version(operation: operation, tag: .none, kind: .tombstone, value: []))
      case .found(let tag, let position, let isTombstone, let value):
        let kind = isTombstone ? RecordKind.tombstone : .value
        return (position, .version(operation: operation, tag: tag, kind: kind, value: Array(value)))
      }
    }
  }

  private static func apply(
    _ store: Store, _ kind: RecordKind, _ key: [UInt8], _ value: [UInt8], _ tag: Tag
  ) throws(StorageError) -> LogPosition {
    try key.withBytes { key throws(StorageError) in
      try value.withBytes { value throws(StorageError) in
        try store.apply(
          kind, hash: Ring.hash(key), tag: tag, key: key, value: value, valueChecksum: Checksum.crc32c(value))
      }
    }
  }
}
