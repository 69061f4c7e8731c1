import KVSimulator
import Testing

@testable import KVCluster

/// What a store should hold.
struct StoreContent: Equatable, CustomStringConvertible {
  /// Values by key; of deleted keys ``deleted(_:)``; dropped ones are not there.
  var values: [String: String] = [:]
  /// Hashes of hinted keys by absent node.
  var hints: [String: Set<UInt64>] = [:]

  static func deleted(_ counter: UInt64) -> String { "deleted\(counter)-" }

  var description: String {
    let values = values.sorted { $0.key < $1.key }.map { "\($0)=\($1.prefix { $0 != "-" })" }
    let hints = hints.sorted { $0.key < $1.key }.map { "\($0): \($1.count)" }
    return "[\((values + hints).joined(separator: " "))]"
  }
}

/// What a store may hold after a crash: its content at the last sync, and after each operation since.
struct StoreHistory: CustomStringConvertible {
  private(set) var contents: [StoreContent]
  /// After the operation under way, should it have got that far.
  var pending: StoreContent?

  var description: String { "\(contents.count) contents" }

  init(_ content: StoreContent = StoreContent()) { contents = [content] }

  var last: StoreContent { contents[contents.count - 1] }

  mutating func finish() {
    if let pending { contents.append(pending) }
    pending = nil
  }

  /// After a crash of the program alone, what was not synced is still not.
  mutating func crash(leaving content: StoreContent, losingPower: Bool) {
    contents = (losingPower ? [] : contents) + [content]
    pending = nil
  }

  mutating func sync() { contents.removeFirst(contents.count - 1) }

  func allows(_ content: StoreContent, losingPower: Bool) -> Bool {
    content == last || content == pending || losingPower && contents.contains(content)
  }
}

extension StoreFixture {
  static let keys = (0..<24).map { "key\($0)" }
  static let nodes = ["node2", "node3"]

  static func hash(_ key: String) -> UInt64 { Array(key.utf8).withBytes { Ring.hash($0) } }

  /// Everything in the store under the keys of the workload; `damaged` stands for what it does not know.
  func content() -> StoreContent {
    var content = StoreContent()
    for key in Self.keys { content.values[key] = version(key) }
    for hints in store.recoveredHints { content.hints[hints.node] = Set(hints.hashes) }
    return content
  }

  private func version(_ key: String) -> String? {
    Array(key.utf8).withBytes { key -> String? in
      switch store.read(Ring.hash(key), key) {
      case .absent: nil
      case .damaged: "damaged"
      case .found(let tag, _, let isTombstone, let value):
        isTombstone ? StoreContent.deleted(tag.counter) : String(decoding: value, as: UTF8.self)
      }
    }
  }

  func hint(_ node: String, _ key: String) throws {
    try Array(node.utf8).withBytes { node in
      try Array(key.utf8).withBytes { try store.appendHint(for: node, key: $0, tag: .none) }
    }
  }

  func settleHints(_ node: String) throws {
    try Array(node.utf8).withBytes { try store.appendHintsSettled(for: $0) }
  }

  func checkpoint(_ withPartition: (Int, () -> Void) -> Void = { $1() }) throws {
    try Checkpoint.write(
      store, sync: { () throws(StorageError) in try store.log.sync() }, withPartition: withPartition)
  }

  /// Empties one segment, if that is worth while.
  func compact() throws -> Bool {
    guard let compaction = Compaction.next(in: store) else { return false }
    while try compaction.step(withPartition: { $1() }) {}
    guard compaction.isComplete else { return false }
    try store.log.sync()
    try compaction.finish()
    return true
  }
}

/// A seeded life of one store: puts, overwrites, deletes, hints, range drops, syncs, compactions and checkpoints.
final class Workload {
  let disk: SimulatedDisk
  var fixture: StoreFixture
  private(set) var history = StoreHistory()
  private var random: SeededRandom
  private var counter: UInt64 = 0
  var compactions = 0
  var checkpoints = 0
  /// Values are at most this long.
  var valueBytesMax = 700

  init(seed: UInt64, disk: SimulatedDisk? = nil, segmentBytes: Int = 16_384, cacheBytes: Int = 0) throws {
    var random = SeededRandom(seed: seed)
    let disk = disk ?? SimulatedDisk(random: random.split())
    self.random = random
    self.disk = disk
    fixture = try StoreFixture(disk: disk, segmentBytes: segmentBytes, cacheBytes: cacheBytes)
  }

  func reopen() throws {
    fixture.store.log.close()
    fixture = try fixture.reopened()
  }

  /// Goes on after a crash, with what the store holds now.
  func resume(afterPowerLoss: Bool) throws {
    fixture.store.log.close()
    fixture = try fixture.reopened()
    history.crash(leaving: fixture.content(), losingPower: afterPowerLoss)
  }

  func run(_ operations: Int) throws {
    for _ in 0..<operations { try step() }
  }

  func step() throws {
    switch random.below(1_000) {
    case ..<640: try write(isDelete: false)
    case ..<760: try write(isDelete: true)
    case ..<800: try hint()
    case ..<820: try settle(StoreFixture.nodes[random.below(StoreFixture.nodes.count)])
    case ..<900: try sync()
    case ..<910: try drop()
    case ..<960: try compact()
    default: try checkpoint()
    }
  }

  func write(isDelete: Bool) throws {
    counter += 1
    let key = StoreFixture.keys[random.below(StoreFixture.keys.count)]
    let value = isDelete ? nil : "\(counter)-" + String(repeating: "v", count: random.below(valueBytesMax))
    dropped.remove(key)
    history.pending = history.last
    history.pending?.values[key] = value ?? StoreContent.deleted(counter)
    try fixture.write(key, value, counter: counter)
    history.finish()
  }

  func hint() throws {
    let node = StoreFixture.nodes[random.below(StoreFixture.nodes.count)]
    let key = StoreFixture.keys[random.below(StoreFixture.keys.count)]
    history.pending = history.last
    history.pending?.hints[node, default: []].insert(StoreFixture.hash(key))
    try fixture.hint(node, key)
    history.finish()
  }

  func settle(_ node: String) throws {
    history.pending = history.last
    history.pending?.hints[node] = nil
    try fixture.settleHints(node)
    history.finish()
  }

  func sync() throws {
    try fixture.store.log.sync()
    history.sync()
  }

  /// Keys that were dropped and not written since.
  private(set) var dropped: Set<String> = []

  func drop() throws {
    // One that has keys.
    let key = StoreFixture.keys[random.below(StoreFixture.keys.count)]
    let eighth = Ring.slot(of: StoreFixture.hash(key)) / (Ring.slotCount / 8)
    let ranges = RingRanges { $0 / (Ring.slotCount / 8) == eighth }
    var after = history.last
    after.values = after.values.filter { key, _ in !ranges.contains(Ring.slot(of: StoreFixture.hash(key))) }
    dropped.formUnion(history.last.values.keys.filter { after.values[$0] == nil })
    history.pending = after
    try fixture.store.drop(
      ranges, sync: { () throws(StorageError) in try fixture.store.log.sync() }, withPartition: { $1() })
    history.finish()
    history.sync()
  }

  @discardableResult
  func compact() throws -> Bool {
    guard try fixture.compact() else { return false }
    compactions += 1
    history.sync()
    return true
  }

  /// As the engine: none while hints are kept, for they are found only by reading the log.
  /// - Parameter withWrites: how many writes happen while it is written.
  func checkpoint(withWrites writes: Int = 0, isForced: Bool = false) throws {
    if isForced || random.chance(perMille: 500) {
      for node in StoreFixture.nodes where history.last.hints[node] != nil { try settle(node) }
    }
    guard history.last.hints.isEmpty else { return }
    checkpoints += 1
    var left = writes
    var failure: (any Error)?
    let every = max(1, Store.partitionCount / max(1, writes))
    try fixture.checkpoint { partition, body in
      body()
      guard left > 0, partition % every == 0 else { return }
      left -= 1
      do { try self.write(isDelete: self.random.chance(perMille: 200)) } catch { failure = error }
    }
    if let failure { throw failure }
    history.sync()
  }
}
