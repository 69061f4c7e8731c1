import Text

/// A range of the ring whose owners cannot tell any more which writes were acknowledged: too many of them have lost records
/// that had been on their disks.
public struct LostRange: Sendable, Equatable, Codable {
  /// All owners, during a change those of both rings.
  public var owners: [String]
  /// The owners that have lost records.
  public var losers: [String]
  /// How many owners that have lost nothing could say it.
  public var needed: Int
  /// Its part of the ring, from 0 to 1; `nil` for the range of a single key.
  public var share: Double?

  /// Backends make these; they give names in the order in which people count.
  public init(owners: [String], losers: [String], needed: Int, share: Double? = nil) {
    (self.owners, self.losers, self.needed, self.share) = (owners, losers, needed, share)
  }
}

extension LostRange {
  /// Whose keys they are, and why nobody can say what was acknowledged.
  package var words: String {
    let left = owners.count - losers.count
    let share = share.map { " (\(Figures.percent($0)) of the ring)" } ?? ""
    return
      "\(Figures.list(losers)) lost records that were on disk, of keys that \(Figures.list(owners)) "
      + "\(Figures.word(owners.count, "owns", "own"))\(share); \(Figures.count(needed, "owner")) that lost nothing could tell what "
      + "was acknowledged, and there \(Figures.word(left, "is", "are")) \(Figures.count(left))"
  }

  /// All of them, separated by semicolons.
  package static func words(_ ranges: [LostRange]) -> String {
    ranges.map(\.words).joined(separator: "; ")
  }
}
