/// Why the cluster refused or could not finish something: a code, what happened and whether data is safe in words, the nodes
/// it is about, and what could be done.
public enum ClusterError: Error, Sendable, Equatable, Codable, CustomStringConvertible {
  /// A key, value or name outside the limits; nothing was done.
  case invalidArgument(Detail)
  /// Too few owners answer; nothing was applied anywhere. `missing` names the owners that do not, `consistency` the level
  /// asked for, unless it was the cluster's own, and `silence` tells why they do not, unless all of them are down.
  case unavailable(
    needed: Int, live: Int, owners: Int, missing: [String], consistency: Consistency? = nil, silence: Silence? = nil)
  /// Not enough owners answered in time: a write may or may not have taken effect, and of a read nothing is known.
  case indeterminate(Detail)
  /// A membership change is under way, or the change asked for makes no sense; nothing was changed.
  case refused(Detail)
  /// The data folder cannot be used as it is; nothing in it was changed.
  case dataFolder(Detail)
  /// The disk failed; the message says where and whether data is safe.
  case storage(Detail)
  /// The cluster is closed or still recovering.
  case notServing(Detail)
  /// The backend cannot do this; nothing was done.
  case unsupported(Capabilities.Feature)

  /// Text, nodes and advice of an error, or of a reason to wait. A literal is a detail without nodes and advice.
  public struct Detail: Sendable, Equatable, Codable, ExpressibleByStringInterpolation {
    /// The fault, and whether data is safe, without a final full stop.
    public var text: String
    /// The nodes it is about.
    public var nodes: [String]
    /// Steps that may mend it.
    public var advice: [Advice]
    /// The field of the options that it is about, if it is about one: `readQuorum`.
    public var field: String?

    /// Backends make these.
    public init(_ text: String, nodes: [String] = [], field: String? = nil, advice: Advice...) {
      (self.text, self.nodes, self.field, self.advice) = (text, nodes, field, advice)
    }

    /// A detail without nodes and advice.
    public init(stringLiteral text: String) { (self.text, nodes, advice) = (text, [], []) }
  }

  /// The error's kind as a stable word.
  public enum Code: String, Sendable, Codable, CaseIterable {
    /// ``ClusterError/invalidArgument(_:)``
    case invalid
    /// ``ClusterError/unavailable(needed:live:owners:missing:consistency:silence:)``
    case unavailable
    /// ``ClusterError/indeterminate(_:)``
    case indeterminate
    /// ``ClusterError/refused(_:)``
    case refused
    /// ``ClusterError/dataFolder(_:)``
    case dataFolder
    /// ``ClusterError/storage(_:)``
    case storage
    /// ``ClusterError/notServing(_:)``
    case notServing
    /// ``ClusterError/unsupported(_:)``
    case unsupported
  }

  /// The error's kind as a stable word.
  public var code: Code {
    switch self {
    case .invalidArgument: .invalid
    case .unavailable: .unavailable
    case .indeterminate: .indeterminate
    case .refused: .refused
    case .dataFolder: .dataFolder
    case .storage: .storage
    case .notServing: .notServing
    case .unsupported: .unsupported
    }
  }

  /// The fault, and whether data is safe, in a sentence or two, without the ``advice``.
  public var description: String {
    switch self {
    case .invalidArgument(let detail), .refused(let detail), .dataFolder(let detail), .storage(let detail),
      .notServing(let detail):
      return detail.text
    case .unavailable(let needed, let live, let owners, let missing, let consistency, let silence):
      let names = missing.map { name in silence?.reason(of: name).map { "\(name) (\($0))" } ?? name }
      let links = silence?.hasFaultyLinks ?? false ? "; links are faulty" : ""
      return
        "unavailable: \(needed) of the key's \(owners) owners must answer\(consistency.words), \(live) can; not answering: "
        + "\(names.joined(separator: ", "))\(links). Nothing was changed"
    case .indeterminate(let detail): return "indeterminate: \(detail.text)"
    case .unsupported(let feature): return "this cluster has no \(feature.words); nothing was done"
    }
  }

  /// The nodes it is about.
  public var nodes: [String] {
    switch self {
    case .invalidArgument(let detail), .refused(let detail), .dataFolder(let detail), .storage(let detail),
      .notServing(let detail), .indeterminate(let detail):
      detail.nodes
    case .unavailable(_, _, _, let missing, _, _): missing
    case .unsupported: []
    }
  }

  /// The field of the options that it is about, if it is about one.
  public var field: String? {
    switch self {
    case .invalidArgument(let detail), .refused(let detail), .dataFolder(let detail), .storage(let detail),
      .notServing(let detail), .indeterminate(let detail):
      detail.field
    case .unavailable, .unsupported: nil
    }
  }

  /// Advice as values; faces put it into words.
  public var advice: [Advice] {
    switch self {
    case .invalidArgument(let detail), .refused(let detail), .dataFolder(let detail), .storage(let detail),
      .notServing(let detail), .indeterminate(let detail):
      detail.advice
    case .unavailable(_, _, _, let missing, _, let silence):
      silence?.advice ?? missing.first.map { [.restart($0)] } ?? []
    case .unsupported: []
    }
  }

  /// The same without the code.
  package var detail: Detail {
    var detail = Detail(description, nodes: nodes, field: field)
    detail.advice = advice
    return detail
  }

  /// A write that may or may not have taken effect.
  package static func undecidedWrite(_ reason: String, advice: [Advice] = []) -> ClusterError {
    var detail = Detail("\(reason). It may or may not have taken effect; read the key to find out")
    detail.advice = advice
    return .indeterminate(detail)
  }
}

extension Capabilities.Feature {
  /// The feature's name in the sentence `this cluster has no …`.
  var words: String {
    switch self {
    case .consistencyLevels: "consistency levels"
    case .updates: "read-modify-writes"
    case .batches: "writes of several keys at once"
    case .scans: "list of keys"
    case .membership: "changes of membership"
    case .replacement: "replacement of nodes"
    case .nodeControl: "control of single nodes"
    case .linkFaults: "link faults"
    case .diskFaults: "disk faults"
    case .backup: "backup"
    case .compaction: "compaction on request"
    case .verdict: "live checker"
    case .failover: "failover on request"
    case .changeSteering: "steering of changes"
    case .workloads: "load generator for workloads"
    }
  }
}
