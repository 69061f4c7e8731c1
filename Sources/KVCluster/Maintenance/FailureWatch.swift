/// Watches which nodes hear each other, and tells the event log of every change.
final class FailureWatch: Sendable {
  private let roster: Roster
  private let links: Links
  private let events: EventLog
  private let counters: ClusterCounters
  private let heartbeats: Heartbeats

  init(_ roster: Roster, _ links: Links, _ events: EventLog, _ counters: ClusterCounters, seed: UInt64) {
    self.roster = roster
    self.links = links
    self.events = events
    self.counters = counters
    heartbeats = Heartbeats(seed: seed)
  }

  /// The suspicions as of the last heartbeat.
  var suspicions: [FailureDetector.Suspicion] { heartbeats.suspicions }

  /// Sends and receives the heartbeats that are due.
  func exchangeHeartbeats(_ nowNs: UInt64) {
    let serving = roster.withState { state in state.nodes.compactMap { $0.replica == nil ? nil : $0.id } }.sorted()
    guard let (before, after) = heartbeats.beat(serving, over: links, nowNs: nowNs) else { return }
    for now in after where !now.by.isEmpty {
      let known = before.first { $0.node == now.node }?.by ?? []
      let new = now.by.filter { !known.contains($0) }.map(roster.name)
      guard !new.isEmpty else { continue }
      counters.suspicions.wrappingAdd(1, ordering: .relaxed)
      events.add(.contactLost(node: roster.name(of: now.node), by: new))
    }
    for old in before where !after.contains(where: { $0.node == old.node }) && serving.contains(old.node) {
      events.add(.contactRestored(node: roster.name(of: old.node)))
    }
  }
}
