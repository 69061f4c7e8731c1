/// A step that may mend an error or an event. A value and not a sentence: a person at a prompt reads a command to type,
/// a program that embeds the engine calls a method, and a client of a server reads neither.
public enum Advice: Sendable, Equatable, Codable {
  /// Starts a node that is down.
  case restart(String)
  /// Starts a node that could not start, once what kept it from starting is mended.
  case restartOnceMended(String)
  /// Stops a node.
  case kill(String)
  /// Lets a paused node go on.
  case resume(String)
  /// Makes all links good and lets paused nodes go on.
  case heal
  /// Adds a node.
  case addNode
  /// Removes a node.
  case removeNode(String)
  /// Steers a change of members, or closes what one that was cut off has left.
  case steer(ChangeSteering)
  /// Closes slots whose receiver is no member, with the tool that comes with the servers.
  case closeSlots
  /// Gives back the space of dead records.
  case compact
  /// Stores a value.
  case put
  /// Looks at the nodes and the changes under way.
  case listNodes
  /// Looks at the live checker's explanation.
  case verdict
  /// Checks the closed data folder; `nil` for the cluster's own.
  case verify(folder: String?)
  /// Rebuilds nodes of the closed data folder from the others.
  case repair(folder: String?)
  /// Goes on with what is left in the closed data folder.
  case acceptLoss(folder: String?)

  /// The feature that it needs; `nil` if every backend can do it, or if it is done to a closed folder.
  public var feature: Capabilities.Feature? {
    switch self {
    case .restart, .restartOnceMended, .kill: .nodeControl
    case .compact: .compaction
    case .resume, .heal: .linkFaults
    case .addNode, .removeNode: .membership
    case .steer: .changeSteering
    case .verdict: .verdict
    case .put, .listNodes, .verify, .repair, .acceptLoss, .closeSlots: nil
    }
  }
}
