import Synchronization

/// All partitions, at a fixed address.
package final class PartitionTable: @unchecked Sendable {
  /// A lock and its partition, and the same again. Partitions are touched by different threads: each begins a pair of
  /// cache lines of its own.
  private let base: UnsafeMutableRawPointer
  private static let strideBytes = 128
  let rarities = Partition.Rarities()
  /// Keeps the view that partitions point to; guarded by whoever changes the configuration, one at a time.
  private var current: PlacementView
  /// The nodes that partitions point to.
  private let attached = Mutex<[Replica]>([])
  /// The partitions' tables of nodes, together: a few kilobytes for a small cluster. Changed with `attached` held.
  private var replicas: UnsafeMutableBufferPointer<Unmanaged<Replica>?>
  private let generation = Atomic<Int>(0)

  /// What batches have begun, by key.
  let unfinished = UnfinishedWrites()
  /// Where read-modify-writes that are settled get their tags.
  let tags: TagSource
  /// Wrong. Only for the mistakes of these names.
  let (copiesUndecided, keepsBallot): (Bool, Bool)

  init(view: PlacementView, tags: TagSource, _ mistake: PlantedMistake? = nil) {
    self.tags = tags
    (copiesUndecided, keepsBallot) = (mistake == .copiesUndecided, mistake == .keepsBallot)
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
        to: Partition(
          view: .passUnretained(view), rarities: .passUnretained(rarities),
          replicas: PartitionTable.table(i, of: replicas)))
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
  package subscript(_ partition: Int) -> UnsafeMutablePointer<Partition> {
    (base + (partition * Self.strideBytes + UnsafeMutablePointer<Partition>.lockBytes))
      .assumingMemoryBound(to: Partition.self)
  }

  /// Runs `body` on every partition, one after the other, each under its lock.
  package func forEach(_ body: (_ number: Int, _ partition: UnsafeMutablePointer<Partition>) -> Void) {
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
  package func forEachAttached(_ body: (Replica) -> Void) {
    attached.withLock { attached in
      for i in attached.indices { Unmanaged.passUnretained(attached[i])._withUnsafeGuaranteedRef(body) }
    }
  }

  /// The nodes that answer, in no order that matters.
  var attachedIDs: [UInt16] { attached.withLock { $0.map(\.id) } }

  /// Whether the node answers in every partition.
  func isAttached(_ replica: Replica) -> Bool { attached.withLock { $0.contains { $0 === replica } } }

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
