/// One replica's copy of a key.
package struct KeyCopy: Equatable, Sendable {
  package var node: String
  /// ``Tag/none`` if it has none.
  package var tag: Tag
  package var isTombstone: Bool
  package var checksum: UInt32
}

extension DataPath {
  /// The copies of a key at all its owners; `nil` where the owner does not answer or does not know.
  func copies(of key: [UInt8]) -> [KeyCopy?] {
    key.withBytes { bytes in
      let hash = Ring.hash(bytes)
      let partition = partitions[Store.partition(of: hash)]
      return partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        let participants = view.participants(ofSlot: Ring.slot(of: hash))
        return (0..<participants.count).map { i -> KeyCopy? in
          guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { return nil }
          switch replica.store.read(hash, bytes) {
          case .damaged: return nil
          case .absent: return KeyCopy(node: replica.name, tag: .none, isTombstone: true, checksum: 0)
          case .found(let tag, _, let isTombstone, let body):
            return KeyCopy(
              node: replica.name, tag: tag, isTombstone: isTombstone, checksum: Checksum.crc32c(body))
          }
        }
      }
    }
  }
}
