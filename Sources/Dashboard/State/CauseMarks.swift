import ClusterModel

/// An event at a moment that may explain a graph.
package struct CauseMark: Equatable, Sendable {
  package enum Kind: String, Equatable, Sendable, CaseIterable {
    case join, leave, kill, restart
    /// Links were cut, slowed or made lossy; a node holds still.
    case fault
    /// Links are good again, or the node goes on.
    case heal
    /// Syncs of a node's log took much longer than usual.
    case slowSync
    case compaction
  }

  package var atNs: UInt64
  package var kind: Kind
  /// The node it happened to; empty if it was none alone.
  package var node: String

  package init(atNs: UInt64, kind: Kind, node: String) { (self.atNs, self.kind, self.node) = (atNs, kind, node) }
}

/// The marks of the last minutes, one for each thing that happened.
package struct CauseMarks: Equatable, Sendable {
  package private(set) var marks: [CauseMark] = []

  /// More than any legend has room for.
  static let marksMax = 64
  /// Equal marks of one node within this time are one: a change has a beginning and an end, and a disk that is slow
  /// is so for more than one second.
  private static let repeatNs: UInt64 = 5_000_000_000
  private static let changeNs: UInt64 = 600_000_000_000

  mutating func add(_ mark: CauseMark) {
    let isChange = mark.kind == .join || mark.kind == .leave
    let sinceNs = mark.atNs - Swift.min(mark.atNs, isChange ? Self.changeNs : Self.repeatNs)
    let former = marks.last { $0.node == mark.node && (!isChange || $0.kind == .join || $0.kind == .leave) }
    if let former, former.kind == mark.kind, former.atNs >= sinceNs { return }
    marks.append(mark)
    if marks.count > Self.marksMax { marks.removeFirst() }
  }

  /// Forgets what came after a moment.
  mutating func cut(atNs: UInt64) { marks.removeAll { $0.atNs > atNs } }

  /// Takes an event if it is one that graphs mark.
  mutating func add(_ event: ClusterEvent, atNs: UInt64) {
    guard let kind = CauseMark.Kind(event) else { return }
    add(CauseMark(atNs: atNs, kind: kind, node: event.node ?? ""))
  }
}

extension CauseMark.Kind {
  /// In a word, as a legend says it behind the names of nodes, or alone.
  func word(isOfNode: Bool) -> String {
    switch self {
    case .join: "joins"
    case .leave: "leaves"
    case .kill: "killed"
    case .restart: "restarted"
    case .fault: isOfNode ? "faulty" : "links cut"
    case .heal: isOfNode ? "goes on" : "links healed"
    case .slowSync: "slow fsync"
    case .compaction: "compaction"
    }
  }

  init?(_ event: ClusterEvent) {
    switch event.what {
    case .partitioned, .slowed, .lossy, .paused: self = .fault
    case .linksHealed, .resumed: self = .heal
    default:
      switch event.kind {
      case .join: self = .join
      case .leave where event.severity != .warning: self = .leave
      case .kill: self = .kill
      case .restart: self = .restart
      case .leave, .cluster, .recovery, .hints, .storage: return nil
      }
    }
  }
}
