import Synchronization

/// Sends the nodes' heartbeats over the links and keeps what the ``FailureDetector`` makes of them.
final class Heartbeats: Sendable {
  private struct State {
    var detector = FailureDetector()
    var underway: [(from: UInt16, to: UInt16, dueNs: UInt64)] = []
    var nextNs: UInt64 = 0
    var suspicions: [FailureDetector.Suspicion] = []
    var random: SeededRandom
  }

  private let state: Mutex<State>
  /// Heartbeats on their way, for each link: slow links hold a minute of them, the rest is forgotten.
  private static let underwayPerLinkMax = 600

  init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed))) }

  /// Who suspects whom, as of the last beat.
  var suspicions: [FailureDetector.Suspicion] { state.withLock { $0.suspicions } }

  /// Sends and receives what is due.
  /// - Parameter nodes: those that answer, ascending.
  /// - Returns: suspicions before and after, where they differ.
  func beat(
    _ nodes: [UInt16], over links: Links, nowNs: UInt64
  ) -> (before: [FailureDetector.Suspicion], after: [FailureDetector.Suspicion])? {
    state.withLock { state in
      guard nowNs >= state.nextNs else { return nil }
      state.nextNs = nowNs + Limits.heartbeatNs
      state.detector.adopt(nodes, nowNs: nowNs)
      if links.isFaulty {
        Heartbeats.send(nodes, over: links, nowNs, &state)
      } else {
        state.underway.removeAll()
        state.detector.hearAll(atNs: nowNs)
      }
      let before = state.suspicions
      state.suspicions = state.detector.suspicions(nowNs: nowNs, besides: links.pausedNodes)
      return before == state.suspicions ? nil : (before, state.suspicions)
    }
  }

  private static func send(_ nodes: [UInt16], over links: Links, _ nowNs: UInt64, _ state: inout State) {
    let paused = links.pausedNodes
    for from in nodes where !paused.contains(from) {
      for to in nodes where to != from {
        guard case .arrives(let afterNs, _) = links.fate(from: from, to: to, &state.random) else { continue }
        state.underway.append((from, to, nowNs + afterNs))
      }
    }
    // What reaches a node that holds still is heard when it goes on.
    state.underway.removeAll { beat in
      let isHeard = beat.dueNs <= nowNs && !paused.contains(beat.to)
      if isHeard { state.detector.hear(beat.from, by: beat.to, atNs: nowNs) }
      return isHeard
    }
    let excess = state.underway.count - nodes.count * nodes.count * underwayPerLinkMax
    if excess > 0 { state.underway.removeFirst(excess) }
  }
}
