import Dashboard
import ClusterModel

/// The situations in which panels are compared with their golden pictures.
enum Scene: String, CaseIterable, Sendable {
  case opening, recovering, healthy, walking, inspecting, dead, joining, leaving, help, themes, asking, filtered,
    zoomed, typing, touring, explaining, faulty, wrong, partitioned, folded, measuring, measured,
    averaged, played, refuted

  func state(_ size: Size) -> DashboardState {
    switch self {
    case .opening: return DashboardState(size: size)
    case .recovering:
      var sample = Sample(nodes: 3)
      sample.phase = .recovering(fraction: 0.41)
      for index in sample.nodes.indices { sample.nodes[index].state = .recovering(fraction: 0.3 + 0.1 * Double(index)) }
      return .watching(sample, size)
    case .healthy: return Self.told(.watching(Sample(nodes: 5), size))
    case .walking: return Self.walking(size)
    case .inspecting: return Self.pressing([.tab, .down, .right], .watching(Sample(nodes: 5), size))
    case .dead: return Self.dead(size)
    case .joining: return Self.changing(.join, size)
    case .leaving: return Self.changing(.leave, size)
    case .help: return Self.pressing([.function(1)], .watching(Sample(nodes: 3), size))
    case .themes: return Self.pressing([.function(3), .down, .down], .watching(Sample(nodes: 3), size))
    case .asking:
      var state = DashboardState.watching(Sample(nodes: 3), size)
      type("destroy all", into: &state)
      return Self.pressing([.enter, .character("g")], state)
    case .filtered:
      var state = Self.pressing([.backTab, .character("/")], Self.told(.watching(Sample(nodes: 5), size)))
      type("stored", into: &state)
      return state
    case .zoomed: return Self.pressing([.tab, .tab, .down, .enter], .watching(Sample(nodes: 5), size))
    case .touring: return Self.touring(size)
    case .explaining:
      var state = DashboardState.watching(Sample(nodes: 5), size)
      state.apply(answer: CommandAnswer(lines: [], isSuccess: true, page: .sample))
      return state
    case .faulty: return Self.faulty(size)
    case .wrong: return Self.wrong(size)
    case .partitioned: return Self.partitioned(size)
    case .folded: return Self.pressing([.escape], Self.wrong(size))
    case .measuring:
      var state = Self.told(.watching(Sample(nodes: 5), size))
      state.apply(event: Sample.event(3, at: 55, .kill, .warning, "node2 was killed; its writes wait as hints"))
      state.apply(benchmark: Sample.benchmark(isRunning: true))
      return state
    case .measured:
      var state = Self.told(.watching(Sample(nodes: 5), size))
      state.apply(benchmark: Sample.benchmark(isRunning: true))
      state.apply(benchmark: Sample.benchmark(isRunning: false))
      return state
    case .averaged:
      var state = Self.told(.watching(Sample(nodes: 3), size))
      state.apply(benchmark: Sample.averages())
      return state
    case .played, .refuted:
      var state = Self.told(.watching(Sample(nodes: 5), size))
      state.apply(playback: .sample(isRefuted: self == .refuted), [])
      return state
    case .typing:
      var state = Self.told(.watching(Sample(nodes: 3), size))
      type("kill no", into: &state)
      return Self.pressing([.tab, .tab], state)
    }
  }

  private static func pressing(_ keys: [Key], _ state: DashboardState) -> DashboardState {
    var state = state
    for key in keys { _ = state.handle(key) }
    return state
  }

  /// With some events, a command, its answer, and one that failed.
  private static func told(_ state: DashboardState) -> DashboardState {
    var state = state
    state.apply(event: Sample.event(1, at: 0, .cluster, .info, "5 nodes, N=3 R=2 W=2"))
    state.apply(event: Sample.event(2, at: 41, .restart, .success, "node2 serves again; 1,204 hints replayed"))
    type("put user:1001 Алиса 东京", into: &state)
    _ = state.handle(.enter)
    state.apply(
      answer: CommandAnswer(
        lines: [.init("Stored: user:1001 -> Алиса 东京", isSuccess: true)], isSuccess: true))
    type("kill nod7", into: &state)
    _ = state.handle(.enter)
    let advice =
      "There is no node “nod7”; did you mean node1? The cluster's nodes are node1, node2, node3, node4, node5"
    state.apply(answer: CommandAnswer(lines: [.init(advice, isSuccess: false)], isSuccess: false))
    return state
  }

  /// In the middle of a chapter: something was said, done, measured and checked.
  private static func touring(_ size: Size) -> DashboardState {
    var sample = Sample(nodes: 5)
    sample.nodes[1].state = .dead
    var state = DashboardState.watching(sample, size)
    state.apply(event: Sample.event(1, at: 58, .kill, .warning, "node2 was killed; its writes wait as hints"))
    state.apply(guide: .sample)
    return state
  }

  /// Halfway of a key's walk: two of its three owners are reached.
  private static func walking(_ size: Size) -> DashboardState {
    var state = DashboardState.watching(Sample(nodes: 5), size)
    type("get user:1001", into: &state)
    _ = state.handle(.enter)
    state.advance(toNs: Sample.openedNs + 60_400_000_000)
    return state
  }

  private static func dead(_ size: Size) -> DashboardState {
    var sample = Sample(nodes: 5)
    sample.nodes[1].state = .dead
    sample.nodes[1].hintsWaiting = 40_217
    var state = DashboardState.watching(sample, size)
    state.apply(event: Sample.event(1, at: 30, .kill, .warning, "node2 was killed; its writes wait as hints"))
    return state
  }

  /// Two nodes are cut from three, one holds still, one is slow.
  private static func faulty(_ size: Size) -> DashboardState {
    var sample = Sample(nodes: 5)
    sample.pausedNodes = [2]
    sample.linkFaults = Sample.cut([0, 1], [2, 3, 4]) + Sample.slow(4, byMs: 20, of: 5)
    var state = DashboardState.watching(sample, size)
    state.apply(
      event: Sample.event(1, at: 30, .cluster, .warning, "the network is cut: node1 node2 | node3 node4 node5"))
    state.apply(event: Sample.event(2, at: 33, .cluster, .warning, "node3 is paused: what reaches it waits"))
    return state
  }

  /// One node is cut from two, which do not hear it and it does not hear.
  private static func partitioned(_ size: Size) -> DashboardState {
    var sample = Sample(nodes: 3)
    sample.linkFaults = Sample.cut([0], [1, 2])
    sample.nodes[0].suspectedBy = ["node2", "node3"]
    for node in [1, 2] { sample.nodes[node].suspectedBy = ["node1"] }
    var state = DashboardState.watching(sample, size)
    state.apply(event: Sample.event(1, at: 30, .cluster, .warning, "the network is cut: node1 | node2 node3"))
    return state
  }

  /// An answer that cannot be, while messages are lost.
  private static func wrong(_ size: Size) -> DashboardState {
    var sample = Sample(nodes: 3)
    sample.linkFaults = Sample.loss(1, perMille: 305, of: 3)
    sample.verdict = VerdictStatus(
      operationsChecked: 12_004, keysWatched: 40, keysPerWatched: 1, violations: 2,
      lastViolation: VerdictStatus.Violation(
        summary: "key user:1001: get = Alice",
        explanation: [
          "no order of these operations on key user:1001 explains the last answer:", "p1 |--put Bob--|",
          "p2             |--get = Alice--|",
        ]))
    return .watching(sample, size)
  }

  private static func changing(_ kind: ChangeStatus.Kind, _ size: Size) -> DashboardState {
    var sample = Sample(nodes: 6)
    sample.nodes[5].state = kind == .join ? .joining : .leaving
    sample.next = [5]
    sample.change = ChangeStatus(
      kind: kind, node: "node6", fraction: 0.41, keysMoved: 1_200_000, bytesMoved: 70 << 20, elapsedNs: 5_600_000_000,
      waitingFor: nil)
    let pairs = MovePlan(RingMap(sample.status(at: 0).ring))?.transfers ?? []
    sample.change?.transfers = pairs.enumerated().map { index, pair in
      TransferStatus(from: pair.from, to: pair.to, keys: 240_000, bytes: (12 + index) << 20)
    }
    var state = DashboardState.watching(sample, size)
    let message = kind == .join ? "node6 joins" : "node6 leaves"
    state.apply(event: Sample.event(1, at: 54, kind == .join ? .join : .leave, .info, message))
    return state
  }
}
