/// Kinds of things that a played past shows. The simulator, which lives a day, and the dashboard, which draws it, do not know
/// each other; both speak of these.
package enum PastKinds {
  /// Kind of a mark on the scrubber.
  package enum Mark: Sendable, Equatable, CaseIterable {
    /// Something broke.
    case fault
    /// Nodes begin to join or leave.
    case change
    /// All faults end, and the cluster has to converge.
    case healing
    /// The answer that no order of the operations explains.
    case violation
  }

  /// How a client's operation ended.
  package enum Ending: Sendable, Equatable {
    case answered
    /// Its client does not know whether it took effect.
    case unknown
    /// Nothing was done.
    case refused
    /// It has not ended.
    case open
  }

  /// Kind of a message between nodes.
  package enum Flight: Sendable, Equatable { case read, write, hint, answer }
}
