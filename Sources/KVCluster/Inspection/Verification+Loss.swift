/// Which ranges of a folder have lost so much that an open cluster would refuse to read them.
extension Verification {
  /// The ranges of which too many owners have lost records, as far as `report` says. A node whose log lies in another
  /// node's folder has lost nothing.
  static func lostRanges(_ configuration: Configuration, _ report: VerificationReport) -> [LostRange] {
    let losers = configuration.members.filter { member in
      !report.nodes.contains { $0.foreign?.owner == member.name }
        && !report.strays.contains { $0.owner == member.name }
        && report.nodes.contains { $0.name == member.name && $0.hasLost && !$0.isKilled }
    }
    return losers.isEmpty ? [] : configuration.lostRanges(losers.map(\.id))
  }
}
