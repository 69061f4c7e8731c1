/// Looking owners up in a picture of the ring.
extension RingStatus {
  /// The slot that holds a hash.
  package func slot(of hash: UInt64) -> Int {
    Int(hash.multipliedFullWidth(by: UInt64(Swift.max(1, slotCount))).high)
  }

  /// The ids of a slot's owners, the primary first.
  package func owners(ofSlot slot: Int) -> [Int] {
    let start = slot * ranks
    guard slot >= 0, ranks > 0, start + ranks <= owners.count else { return [] }
    return owners[start..<start + ranks].map(Int.init)
  }

  /// The run of slots around `slot` that has the same primary.
  package func run(around slot: Int) -> Range<Int> {
    guard slot >= 0, slot < slotCount, ranks > 0, owners.count >= slotCount * ranks else { return 0..<0 }
    var (start, end) = (slot, slot + 1)
    while start > 0, owners[(start - 1) * ranks] == owners[slot * ranks] { start -= 1 }
    while end < slotCount, owners[end * ranks] == owners[slot * ranks] { end += 1 }
    return start..<end
  }
}
