import Synchronization

/// One node as operations reach it: its storage and the thread that commits its log.
package final class Replica: @unchecked Sendable {
  package let id: UInt16
  package let name: String
  /// The name's bytes, ready to be written into hints.
  let nameBytes: [UInt8]
  package let store: Store
  package let commit: GroupCommit
  /// Which life of the node this is; ``PartitionTable`` counts them.
  var incarnation = 0
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
  /// Set by whoever wants all dead records gone now; cleared when they are.
  package let wantsCompaction = Atomic<Bool>(false)

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
