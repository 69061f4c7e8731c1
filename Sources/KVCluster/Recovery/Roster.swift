import Synchronization

/// The cluster's members and configuration as they are now, shared by those who serve, change and show them.
package final class Roster: Sendable {
  package struct State {
    package var configuration: Configuration
    var nodes: [Node]
    var phase = ClusterPhase.recovering(fraction: 0)
    /// The membership change under way.
    package var move: Move?
    /// Changes that wait for their turn, in their order.
    var queue: [QueuedChange] = []
    /// A replacement that could not begin is tried again then.
    var nextReplacementNs: UInt64 = 0
    package var recoveryFailure: ClusterError?
  }

  /// A member, whether it answers or not.
  package struct Node {
    package var id: UInt16
    package var name: String
    var state: NodeState
    /// It failed when it was to start, and will again until something is mended.
    var cannotStart = false
    /// Set while the node answers.
    package var replica: Replica?
    /// Since when the node is down, as far as this run of the program knows.
    var downSinceNs: UInt64?

    /// Why it failed; `nil` if it did not.
    var failure: Refusal.Failure? {
      guard case .failed(let reason) = state else { return nil }
      return Refusal.Failure(reason: reason, cannotStart: cannotStart)
    }
  }

  package struct Move {
    package var change: MembershipChange
    var startedNs: UInt64
    var sweep: Sweep?
    var waitingFor: ClusterError.Detail?
  }

  private let state: Mutex<State>

  init(_ configuration: Configuration) {
    let now = Clock.nowNs()
    let nodes = configuration.members.map { member in
      Node(
        id: member.id, name: member.name, state: member.isKilled ? .dead : .recovering(fraction: 0),
        downSinceNs: member.isKilled ? now : nil)
    }
    state = Mutex(State(configuration: configuration, nodes: nodes))
  }

  package func withState<R, E: Error>(_ body: (inout sending State) throws(E) -> sending R) throws(E) -> sending R {
    try state.withLock(body)
  }

  package func name(of id: UInt16) -> String {
    state.withLock { state in state.nodes.first { $0.id == id }?.name ?? "node \(id)" }
  }

  /// Why the node failed; `nil` if it did not.
  func failure(of id: UInt16) -> Refusal.Failure? {
    state.withLock { state in state.nodes.first { $0.id == id }?.failure }
  }

  /// What brings a node back that is down.
  func repair(of name: String) -> Advice {
    node(named: name)?.cannotStart ?? false ? .restartOnceMended(name) : .restart(name)
  }

  /// Why members do not answer.
  func silence(_ links: Links) -> Silence {
    let nodes = state.withLock { $0.nodes }
    let down = nodes.filter { !$0.state.isServing }.map { Silence.Down($0.name, $0.failure) }
    let paused = nodes.filter { $0.state.isServing && links.isPaused($0.id) }.map(\.name)
    return Silence(down: down, paused: paused, hasFaultyLinks: !links.faults.isEmpty)
  }

  package func node(named name: String) -> Node? {
    state.withLock { state in state.nodes.firstIndex { $0.name == name }.map { state.nodes[$0] } }
  }

  package var configuration: Configuration { state.withLock { $0.configuration } }

  /// The nodes that answer.
  package var live: [Replica] { state.withLock { state in state.nodes.compactMap(\.replica) } }

  /// The node failed when it was to start.
  func setCannotStart(_ id: UInt16, _ error: StorageError) {
    setState(.failed(reason: error.description), of: id, replica: nil)
    state.withLock { state in
      guard let i = state.nodes.firstIndex(where: { $0.id == id }) else { return }
      state.nodes[i].cannotStart = true
    }
  }

  package func setState(_ nodeState: NodeState, of id: UInt16, replica: Replica?) {
    state.withLock { state in
      guard let i = state.nodes.firstIndex(where: { $0.id == id }) else { return }
      state.nodes[i].state = nodeState
      state.nodes[i].replica = replica
      state.nodes[i].cannotStart = false
      state.nodes[i].downSinceNs = nodeState.isDown ? state.nodes[i].downSinceNs ?? Clock.nowNs() : nil
    }
  }
}
