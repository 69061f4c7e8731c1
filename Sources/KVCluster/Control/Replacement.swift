/// A node that has been down for ``ClusterOptions/replaceAfterNs`` is replaced without being asked for, so that every key
/// has its N copies again.
///
/// While more nodes than copies are left, the others take over what it owned; else a new node takes its place. Both are
/// the membership changes that people ask for, with all their guards: nothing begins that would make keys unavailable,
/// and R + W > N (which the options check) means that the answering owners know every acknowledged write. Only nodes
/// known to be down count, never suspected ones, which may come back at any moment. A program that starts counts anew.
extension MembershipChanges {
  func replaceIfDue(_ nowNs: UInt64) {
    guard let afterNs = options.replaceAfterNs else { return }
    let due = roster.withState { state -> QueuedChange? in
      guard state.phase == .serving, state.move == nil, state.queue.isEmpty, nowNs >= state.nextReplacementNs,
        let node = state.nodes.first(where: { $0.downSinceNs.map { nowNs >= $0 + afterNs } ?? false })
      else { return nil }
      state.nextReplacementNs = nowNs + Limits.replacementRetryNs
      return MembershipChanges.replacement(of: node.name, in: state.configuration)
    }
    guard let due else { return }
    events.add(
      .replacementDue(node: due.node, downSeconds: Int(afterNs / 1_000_000_000), replacement: due.replacement))
    Task.detached {
      do throws(ClusterError) {
        try await self.change(due)
      } catch {
        self.events.add(.replacementPostponed(node: due.node, error))
      }
    }
  }

  /// The change that gives a dead node's ranges to others.
  static func replacement(of name: String, in configuration: Configuration) -> QueuedChange {
    if configuration.members.count > configuration.quorum.replicas { return QueuedChange(kind: .leave, node: name) }
    let replacement = (1...).lazy.map { "node\($0)" }.first { configuration.member(named: $0) == nil }
    return QueuedChange(kind: .leave, node: name, replacement: replacement)
  }
}
