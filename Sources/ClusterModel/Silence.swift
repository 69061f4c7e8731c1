import Text

/// Why nodes do not answer, each kind with what ends it.
public struct Silence: Sendable, Equatable, Codable {
  /// A node that does not run.
  public struct Down: Sendable, Equatable, Codable {
    /// Its name.
    public var name: String
    /// Why it failed, in words: `failed: …`; `nil` if it was stopped.
    public var failure: String?
    /// It fails at each start until something is mended.
    public var cannotStart: Bool

    /// Backends make these.
    public init(_ name: String, failure: String? = nil, cannotStart: Bool = false) {
      (self.name, self.failure, self.cannotStart) = (name, failure, cannotStart)
    }
  }

  /// Nodes that do not run, in the order in which people count.
  public var down: [Down]
  /// Nodes that are up and hold still.
  public var paused: [String]
  /// Links between the nodes in question are cut, slow or lose messages.
  public var hasFaultyLinks: Bool

  /// Backends make these.
  public init(down: [Down] = [], paused: [String] = [], hasFaultyLinks: Bool = false) {
    (self.down, self.paused, self.hasFaultyLinks) = (down, paused, hasFaultyLinks)
  }

  /// Nothing is known that would keep nodes from answering.
  public var isEmpty: Bool { down.isEmpty && paused.isEmpty && !hasFaultyLinks }

  /// Reasons, each with a semicolon before it: `; node2 is down; node3 is paused; links are faulty`.
  package var words: String {
    let stopped = down.filter { $0.failure == nil }.map(\.name)
    let reasons =
      (stopped.isEmpty ? [] : [Self.are(stopped, "down")])
      + down.compactMap { node in node.failure.map { "\(node.name) \($0)" } }
      + (paused.isEmpty ? [] : [Self.are(paused, "paused")])
      + (hasFaultyLinks ? ["links are faulty"] : [])
    return reasons.map { "; \($0)" }.joined()
  }

  /// What is known of one of the nodes: `down`, `paused`, or how it failed.
  package func reason(of name: String) -> String? {
    if let node = down.first(where: { $0.name == name }) { return node.failure ?? "down" }
    return paused.contains(name) ? "paused" : nil
  }

  private static func are(_ names: [String], _ state: String) -> String {
    "\(names.joined(separator: ", ")) \(Figures.word(names.count, "is", "are")) \(state)"
  }

  /// A step for each kind of reason; a node that only has to be started comes before one that must be mended first.
  public var advice: [Advice] {
    let restart =
      down.first { !$0.cannotStart }.map { Advice.restart($0.name) } ?? down.first.map { .restartOnceMended($0.name) }
    return [restart, paused.first.map { .resume($0) }].compactMap { $0 } + (hasFaultyLinks ? [.heal] : [])
  }
}
