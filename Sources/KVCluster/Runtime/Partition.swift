import Glibc
import Synchronization

/// One node as the coordinator reaches it: its storage and the thread that commits its log.
final class Replica: @unchecked Sendable {
  let id: UInt16
  let name: String
  /// The name's bytes, ready to be written into hints.
  let nameBytes: [UInt8]
  let store: Store
  let commit: GroupCommit
  /// Which life of the node this is.
  fileprivate(set) var incarnation = 0
  /// It was taken out of service for good; set once.
  let isRetired = Atomic<Bool>(false)
  /// Its disk failed; set once.
  let hasFailed = Atomic<Bool>(false)
  /// Held by whoever uses the log without a partition's lock, and by whoever closes it.
  private let using = Lock()
  /// Hashes of keys of which a reader found the copy damaged.
  private let damagedHashes = Mutex<[UInt64]>([])
  let damagesFound = Atomic<Int>(0)
  /// Segments emptied, and bytes written again for it.
  let compactions = Atomic<Int>(0)
  let compactedBytes = Atomic<Int>(0)

  init(id: UInt16, name: String, store: Store, commit: GroupCommit) {
    self.id = id
    self.name = name
    nameBytes = Array(name.utf8)
    self.store = store
    self.commit = commit
  }

  /// Runs `body` while the log is open; `nil` if it was closed.
  @discardableResult
  func whileOpen<R>(_ body: () -> R) -> R? {
    using.withLock { isRetired.load(ordering: .acquiring) ? nil : body() }
  }

  /// A copy of a key with this hash does not verify.
  func noteDamage(_ hash: UInt64) {
    damagedHashes.withLock { if $0.count < Limits.damagedHashesMax { $0.append(hash) } }
  }

  /// The hashes noted since the last call, each once.
  func takeDamagedHashes() -> [UInt64] {
    let hashes = damagedHashes.withLock { hashes in
      defer { hashes = [] }
      return hashes
    }
    return Set(hashes).sorted()
  }

  /// Closes the log once nobody uses it.
  func close() { using.withLock { store.log.close() } }
}

/// A 256th of the ring: the unit of locking. Its lock covers the same part of every node's store, so an operation
/// takes one lock for all replicas of its key, and what it decides under it no other operation on the key can overtake.
struct Partition: ~Copyable {
  // All of it is guarded by its lock, which lies in front of it in the table.
  /// The epoch's owners.
  var view: Unmanaged<PlacementView>
  /// The nodes that answer, by id, as many as there is room for. A node enters and leaves each partition under its lock,
  /// so an operation sees it either there or not.
  fileprivate(set) var replicas: UnsafeMutableBufferPointer<Unmanaged<Replica>?>
  var hints: [HintQueue] = []
  /// Hints that were not kept or given up.
  var hintsDropped = 0
  var operations = OperationCounters()
  /// The newest tombstone that was purged: writes that have not been applied anywhere must be newer.
  var purged = Tag.none

  init(view: Unmanaged<PlacementView>, replicas: UnsafeMutableBufferPointer<Unmanaged<Replica>?>) {
    self.view = view
    self.replicas = replicas
  }

  @inline(__always)
  func replica(_ id: UInt16) -> Unmanaged<Replica>? {
    Int(id) < replicas.count ? replicas.baseAddress.unsafelyUnwrapped[Int(id)] : nil
  }
}

extension UnsafeMutablePointer where Pointee == Partition {
  fileprivate static var lockBytes: Int { 16 }

  /// The partition's lock: not in it, because who waits for the lock must have no access yet to what it guards, and not
  /// far from it, because both are wanted together.
  @inline(__always)
  var lock: UnsafePointer<Lock> {
    UnsafeRawPointer(self).advanced(by: -Self.lockBytes).assumingMemoryBound(to: Lock.self)
  }
}

/// All partitions, at a fixed address.
final class PartitionTable: @unchecked Sendable {
  /// A lock and its partition, and the same again. Partitions are touched by different threads: each begins a pair of
  /// cache lines of its own.
  private let base: UnsafeMutableRawPointer
  private static let strideBytes = 128
  /// Keeps the view that partitions point to; guarded by whoever changes the configuration, one at a time.
  private var current: PlacementView
  /// The nodes that partitions point to.
  private let attached = Mutex<[Replica]>([])
  /// The partitions' tables of nodes, together: a few kilobytes for a small cluster. Changed with `attached` held.
  private var replicas: UnsafeMutableBufferPointer<Unmanaged<Replica>?>
  private let generation = Atomic<Int>(0)

  init(view: PlacementView) {
    current = view
    let stride = PartitionTable.strideBytes
    base = .allocate(byteCount: stride * Store.partitionCount, alignment: stride)
    let lockBytes = UnsafeMutablePointer<Partition>.lockBytes
    precondition(MemoryLayout<Lock>.size <= lockBytes && lockBytes + MemoryLayout<Partition>.size <= stride)
    replicas = PartitionTable.makeTables(room: PartitionTable.roomMin)
    for i in 0..<Store.partitionCount {
      (base + i * stride).initializeMemory(as: Lock.self, to: Lock())
      (base + i * stride + lockBytes).initializeMemory(
        as: Partition.self,
        to: Partition(view: .passUnretained(view), replicas: PartitionTable.table(i, of: replicas)))
    }
  }

  private static let roomMin = 8

  private static func makeTables(room: Int) -> UnsafeMutableBufferPointer<Unmanaged<Replica>?> {
    let tables = UnsafeMutableBufferPointer<Unmanaged<Replica>?>.allocate(capacity: room * Store.partitionCount)
    tables.initialize(repeating: nil)
    return tables
  }

  private static func table(
    _ partition: Int, of tables: UnsafeMutableBufferPointer<Unmanaged<Replica>?>
  ) -> UnsafeMutableBufferPointer<Unmanaged<Replica>?> {
    let room = tables.count / Store.partitionCount
    return UnsafeMutableBufferPointer(rebasing: tables[partition * room..<(partition + 1) * room])
  }

  /// Lets each partition's table have room for `id`. Call with `attached` held.
  private func makeRoom(for id: UInt16) {
    var room = replicas.count / Store.partitionCount
    if Int(id) < room { return }
    while Int(id) >= room { room *= 2 }
    let old = replicas
    replicas = PartitionTable.makeTables(room: room)
    forEach { number, partition in
      let table = PartitionTable.table(number, of: replicas)
      for (i, replica) in partition.pointee.replicas.enumerated() { table[i] = replica }
      partition.pointee.replicas = table
    }
    old.deallocate()
  }

  deinit {
    for i in 0..<Store.partitionCount {
      self[i].deinitialize(count: 1)
      UnsafeMutablePointer(mutating: self[i].lock).deinitialize(count: 1)
    }
    base.deallocate()
    replicas.deallocate()
  }

  @inline(__always)
  subscript(_ partition: Int) -> UnsafeMutablePointer<Partition> {
    (base + (partition * Self.strideBytes + UnsafeMutablePointer<Partition>.lockBytes))
      .assumingMemoryBound(to: Partition.self)
  }

  /// Runs `body` on every partition, one after the other, each under its lock.
  func forEach(_ body: (_ number: Int, _ partition: UnsafeMutablePointer<Partition>) -> Void) {
    for i in 0..<Store.partitionCount { self[i].lock.pointee.withLock { body(i, self[i]) } }
  }

  /// Runs `body` with the partition's lock held, unless the node no longer answers: its memory may be gone.
  func whileServing(_ replica: Replica, _ number: Int, _ body: () -> Void) {
    self[number].lock.pointee.withLock {
      if self[number].pointee.replica(replica.id)?.takeUnretainedValue() === replica { body() }
    }
  }

  /// Lets every partition's operations use `view`; returns when none uses the one before.
  func adopt(_ view: PlacementView) {
    let old = current
    current = view
    forEach { _, partition in partition.pointee.view = .passUnretained(view) }
    withExtendedLifetime(old) {}
  }

  /// The view that the last partition uses. Partitions adopt a new one in their order, so none of them uses an older one.
  var viewInForce: PlacementView {
    let last = self[Store.partitionCount - 1]
    return last.lock.pointee.withLock { last.pointee.view.takeUnretainedValue() }
  }

  /// Lets a node answer, unless it was retired meanwhile. The table keeps it alive until it is removed.
  func add(_ replica: Replica) {
    attached.withLock { attached in
      guard !replica.isRetired.load(ordering: .acquiring) else { return }
      generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
      attached.removeAll { $0.id == replica.id }
      attached.append(replica)
      replica.incarnation = generation.load(ordering: .acquiring)
      makeRoom(for: replica.id)
      forEach { _, partition in partition.pointee.replicas[Int(replica.id)] = .passUnretained(replica) }
      generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
  }

  /// Whether every member answers, votes and reaches all others: the usual case, in which whatever asks for enough of them
  /// has them, and need not go through the owners of every slot. Call with the partition's lock held.
  /// - Parameter node: is not asked.
  func isWhole(
    _ partition: UnsafeMutablePointer<Partition>, _ view: PlacementView, _ links: Links, besides node: UInt16? = nil
  ) -> Bool {
    if links.isAnyCut { return false }
    return view.members.allSatisfy { id in
      id == node || partition.pointee.replica(id)?._withUnsafeGuaranteedRef { !$0.store.isSuspect } ?? false
    }
  }

  /// Calls `body` with each node that answers, in no order that matters; without an array.
  func forEachAttached(_ body: (Replica) -> Void) {
    attached.withLock { attached in
      for replica in attached { body(replica) }
    }
  }

  /// The nodes that answer, in no order that matters.
  var attachedIDs: [UInt16] { attached.withLock { $0.map(\.id) } }

  /// Which life of a node this is; `nil` if it does not answer.
  func incarnation(of id: UInt16) -> Int? {
    attached.withLock { attached in attached.first { $0.id == id }?.incarnation }
  }

  /// Stops a node from answering; returns when no operation touches it any more.
  func remove(_ replica: Replica) {
    attached.withLock { attached in
      generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
      forEach { _, partition in
        if partition.pointee.replica(replica.id)?.takeUnretainedValue() === replica {
          partition.pointee.replicas[Int(replica.id)] = nil
        }
      }
      attached.removeAll { $0 === replica }
      generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
  }

  /// Changes whenever a node begins or ends to answer: whoever counted on the nodes being the same compares it before
  /// and after.
  var currentGeneration: Int { generation.load(ordering: .acquiring) }
}
