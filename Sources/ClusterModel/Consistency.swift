/// How many owners of a key one operation waits for, instead of as many as the cluster's own R and W say.
///
/// Every write goes to all owners whatever its level: the level says when it is acknowledged. Only quorums that overlap
/// promise linearizability: operations of a key at ``quorum`` or ``all``, or at the cluster's default where R + W > N
/// (with the default N=3, R=2, W=2 that is the same as ``quorum``). A key that is also written or read at ``one`` is
/// linearizable for the others only, and as if each write at ``one`` might take effect at any time after it began, or never.
public enum Consistency: String, Sendable, Equatable, Codable, CaseIterable {
  /// One owner. A get returns what the first owner that answers has, however old, and writes nothing back. A write is
  /// acknowledged once one owner has it, as durably as the fsync policy says: if that node is lost before the others have
  /// it, so is the write. Available while any owner answers.
  case one
  /// More than half of the owners: a get sees every write acknowledged at this level or at ``all``.
  case quorum
  /// All owners. A get sees every acknowledged write, and leaves all owners equal; a write is in every copy when it is
  /// acknowledged. One owner that does not answer makes it unavailable.
  case all

  /// How many of `owners` must answer at this level.
  @inlinable
  package func count(of owners: Int) -> Int {
    switch self {
    case .one: min(1, owners)
    case .quorum: owners == 0 ? 0 : owners / 2 + 1
    case .all: owners
    }
  }
}

extension Consistency? {
  /// For messages: ` (consistency all)`, or nothing.
  package var words: String { map { " (consistency \($0.rawValue))" } ?? "" }
}

extension QuorumSettings {
  /// The level that waits for this number of owners; `nil` if none does.
  private func level(_ count: Int) -> Consistency? {
    // With N = 1 all levels are the same.
    [.quorum, .one, .all].first { $0.count(of: replicas) == count }
  }

  /// The cluster's default levels by name, as in `quorum` or `reads one, writes all`; numbers where there is no name.
  public var consistencyWords: String {
    let (reads, writes) = (level(read)?.rawValue ?? "\(read)", level(write)?.rawValue ?? "\(write)")
    return reads == writes ? reads : "reads \(reads), writes \(writes)"
  }
}
