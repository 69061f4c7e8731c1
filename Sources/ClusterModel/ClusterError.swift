/// Why the cluster refused or could not finish something. Each says what happened, whether data is safe, and what to do.
public enum ClusterError: Error, Sendable, Equatable, Codable, CustomStringConvertible {
  /// A key, value or name outside the limits; nothing was done.
  case invalidArgument(String)
  /// Too few live owners; nothing was applied anywhere. `missing` names the owners that do not answer, `consistency` the
  /// level asked for, unless it was the cluster's own.
  case unavailable(needed: Int, live: Int, owners: Int, missing: [String], consistency: Consistency? = nil)
  /// Not enough owners answered in time: a write may or may not have taken effect, and of a read nothing is known.
  case indeterminate(String)
  /// A membership change is under way, or the change asked for makes no sense; nothing was changed.
  case refused(String)
  /// The data folder cannot be used as it is; nothing in it was changed.
  case dataFolder(String)
  /// The disk failed; the message says where and whether data is safe.
  case storage(String)
  /// The cluster is closed or still recovering.
  case notServing(String)

  /// What happened, whether data is safe, and what to do, in a sentence or two.
  public var description: String {
    switch self {
    case .invalidArgument(let message), .refused(let message), .dataFolder(let message), .storage(let message),
      .notServing(let message):
      return message
    case .unavailable(let needed, let live, let owners, let missing, let consistency):
      let names = missing.joined(separator: ", ")
      return
        "unavailable: \(needed) of the key's \(owners) owners must answer\(consistency.words), \(live) can; not answering: \(names). "
        + "Nothing was changed; `restart \(missing.first ?? "NODE")` brings a killed node back"
    case .indeterminate(let message):
      return "indeterminate: \(message)"
    }
  }

  /// A write that may or may not have taken effect.
  package static func undecidedWrite(_ reason: String) -> ClusterError {
    .indeterminate("\(reason). It may or may not have taken effect; read the key to find out")
  }
}
