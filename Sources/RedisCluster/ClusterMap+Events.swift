import ClusterModel
import Text

extension ClusterMap {
  /// What happened between an older map and this one, for people.
  ///
  /// A move by this program is told by its change, so slots that it moves are left out where `isMoving`.
  func events(since old: ClusterMap, isMoving: Bool = false) -> [ClusterEvent.What] {
    guard !old.nodes.isEmpty else { return [] }
    return memberEvents(since: old)
      + nodes.flatMap { node in
        old.node(node.id).map { stateEvents(of: node, since: $0) } ?? []
      } + failovers(since: old) + (isMoving ? [] : moves(since: old)) + coverage(since: old)
  }

  private func memberEvents(since old: ClusterMap) -> [ClusterEvent.What] {
    let (before, now) = (Set(old.nodes.filter(\.isMember).map(\.id)), Set(nodes.filter(\.isMember).map(\.id)))
    let new = nodes.filter { now.contains($0.id) && !before.contains($0.id) }
    let gone = old.nodes.filter { before.contains($0.id) && !now.contains($0.id) }
    return new.map { .remark(.join, .info, node: $0.name, "\($0.name) is a member of the cluster now") }
      + gone.map { .remark(.leave, .info, node: $0.name, "\($0.name) is no member of the cluster any more") }
  }

  private func stateEvents(of node: Node, since old: Node) -> [ClusterEvent.What] {
    var events: [ClusterEvent.What] = []
    if node.isFailed, !old.isFailed {
      let consequence =
        node.isMaster && !node.slots.isEmpty ? "; its slots are not served until a replica takes over" : ""
      events.append(
        .remark(.kill, .warning, node: node.name, "\(node.name) is down, a majority of masters says\(consequence)"))
    } else if !node.isFailed, old.isFailed {
      let role = node.masterID.flatMap(self.node).map { "as a replica of \($0.name)" } ?? "as a master"
      events.append(.remark(.restart, .success, node: node.name, "\(node.name) is back \(role)"))
    }
    if !node.isMaster, !old.isMaster, node.masterID != old.masterID,
      let master = node.masterID.flatMap(self.node)
    {
      events.append(.remark(.cluster, .info, node: node.name, "\(node.name) is a replica of \(master.name) now"))
    }
    return events
  }

  /// Replicas that became masters and took slots.
  private func failovers(since old: ClusterMap) -> [ClusterEvent.What] {
    nodes.compactMap { node in
      guard node.isMaster, !node.slots.isEmpty, let before = old.node(node.id), !before.isMaster else { return nil }
      let former = before.masterID.flatMap(old.node)
      return .remark(
        .recovery, .warning, node: node.name,
        .init(
          "\(node.name) took over from \(former?.name ?? "its master") (epoch \(node.configEpoch)): of what that one had "
            + "acknowledged last, some may be lost"))
    }
  }

  /// Slots that went from one living master to another, by pairs.
  private func moves(since old: ClusterMap) -> [ClusterEvent.What] {
    guard !hasSameOwners(as: old) else { return [] }
    let (before, now) = (old.owners, owners)
    var counts: [[String]: Int] = [:]
    for slot in 0..<KeySlot.count {
      guard let from = before[slot], let to = now[slot], from != to,
        old.node(to)?.masterID != from
      else { continue }
      counts[[from, to], default: 0] += 1
    }
    return counts.map { pair, count in
      let (from, to) = (node(pair[0]) ?? old.node(pair[0]), node(pair[1]))
      return (
        from?.name ?? pair[0], to?.name ?? pair[1], count
      )
    }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { from, to, count in
      .remark(.cluster, .info, node: to, "\(Figures.count(count, "slot")) moved from \(from) to \(to)")
    }
  }

  private func coverage(since old: ClusterMap) -> [ClusterEvent.What] {
    let (before, now) = (old.orphanedSlots, orphanedSlots)
    if now > 0, before == 0 {
      return [
        .remark(
          .cluster, .failure, node: nil, "\(Figures.count(now, "slot")) \(Figures.word(now, "has", "have")) no owner")
      ]
    }
    return now == 0 && before > 0 ? [.remark(.cluster, .success, node: nil, "every slot has an owner again")] : []
  }
}
