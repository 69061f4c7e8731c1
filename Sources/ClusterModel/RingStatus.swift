/// The owners of every part of the ring, as arcs. The ring is cut into ``slotCount`` equal slots; an arc is a run of slots with
/// the same owners, so a ring of 65,536 slots is a few hundred arcs. A face that draws slots expands it with `RingMap`.
public struct RingStatus: Sendable, Equatable, Codable {
  /// Slots from ``start`` to the next arc's start, and their owners.
  public struct Arc: Sendable, Equatable, Codable {
    /// The first slot.
    public var start: Int
    /// Ids of the nodes that own the slots, the primary first; empty if no node does.
    public var owners: [Int]

    /// Backends make these.
    public init(start: Int, owners: [Int]) { (self.start, self.owners) = (start, owners) }
  }

  /// Grows with every change of the arcs; a reader that knows this epoch's arcs need not look at them again. `nil` if the
  /// backend does not tell.
  public var epoch: UInt64?
  /// Number of equal slots the ring is cut into.
  public var slotCount: Int
  /// Owners now, in the order of the slots; the first arc starts at slot 0. Empty if no node owns anything.
  public var arcs: [Arc]
  /// During a membership change the owners after it; else empty.
  public var nextArcs: [Arc]
  /// Number of tokens (virtual nodes) on the ring; `nil` where placement has none.
  public var tokenCount: Int?

  /// Without arcs no node owns anything.
  public init(
    epoch: UInt64? = nil, slotCount: Int = 65_536, arcs: [Arc] = [], nextArcs: [Arc] = [], tokenCount: Int? = nil
  ) {
    self.epoch = epoch
    self.slotCount = slotCount
    self.arcs = arcs
    self.nextArcs = nextArcs
    self.tokenCount = tokenCount
  }
}
