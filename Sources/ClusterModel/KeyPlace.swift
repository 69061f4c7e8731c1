/// Where a key lies on the ring.
public struct KeyPlace: Sendable, Equatable, Codable {
  /// The slot of the key, from 0 to ``RingStatus/slotCount`` − 1.
  public var slot: Int
  /// Ids of the nodes that own it now, the primary first.
  public var owners: [Int]

  /// Backends make these.
  public init(slot: Int, owners: [Int]) { (self.slot, self.owners) = (slot, owners) }
}
