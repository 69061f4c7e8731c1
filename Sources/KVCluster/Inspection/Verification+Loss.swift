/// Which ranges of a folder have lost so much that an open cluster would refuse to read them.
extension Verification {
  /// The ranges of which too many owners have lost records, as far as `report` says.
  static func lostRanges(_ configuration: Configuration, _ report: VerificationReport) -> [LostRange] {
    let losers = configuration.members.filter { member in
      report.nodes.contains { $0.name == member.name && $0.hasLost && !$0.isKilled }
    }
    if losers.isEmpty { return [] }
    let view = PlacementView(configuration, nil)
    let hasLost = { (id: UInt16) in losers.contains { $0.id == id } }
    var ranges: [LostRange] = []
    _ = view.allLists(of: 0..<Ring.slotCount) { slot, slotCount in
      let participants = view.participants(ofSlot: slot)
      var lost = ParticipantSet()
      for i in 0..<participants.count where hasLost(participants.ids[i]) { lost.insert(i) }
      if !lost.isEmpty, !view.evidenceRule(participants).canBeMet(without: lost) {
        LostRange.add(view, participants, slotCount: slotCount, hasLost: hasLost, to: &ranges)
      }
      return true
    }
    return ranges
  }
}
