/// Brings a node that is back up to date: hints for it, hints it kept for others, then a comparison of all its keys with
/// the other owners.
package final class CatchUp {
  private let replica: Replica
  private let roster: Roster
  private let data: DataPath
  private let own: HintReplay
  private var others: [HintReplay]
  private var sweep: Sweep?

  init(_ replica: Replica, _ roster: Roster, _ data: DataPath) {
    self.replica = replica
    self.roster = roster
    self.data = data
    own = HintReplay(data.partitions, data.links, to: replica)
    others = roster.live.filter { $0 !== replica }.map { HintReplay(data.partitions, data.links, to: $0) }
  }

  package func step() -> StepSchedule {
    // A copy that cannot be made now is made when replicas are compared again.
    if let sweep { return (try? sweep.step()) == .more ? .again : .done }
    if own.step() { return .again }
    if let other = others.last {
      if !other.step() { others.removeLast() }
      return .again
    }
    sweep = Sweep(
      .catchUp(replica.id), data.partitions, data.links, sources: roster.live.map(\.id).filter { $0 != replica.id })
    return step()
  }

  func run(resting: Rest, isCancelled: () -> Bool) {
    var rest = resting
    while step() == .again, !isCancelled() { rest.afterWork(factor: 7) }
  }

  var hintsDelivered: Int { own.delivered }
  /// Copies that the comparison with the other owners brought.
  var copiesRepaired: Int { sweep?.keysCopied.load(ordering: .relaxed) ?? 0 }
}
