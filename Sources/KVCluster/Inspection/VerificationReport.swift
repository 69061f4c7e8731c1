/// What ``Verification`` found in a data folder.
package struct VerificationReport: Equatable, Sendable {
  /// Bytes that are not what was written.
  package struct Damage: Equatable, Sendable {
    /// Below the data folder.
    package var file: String
    package var offset: Int
    package var reason: String
  }

  /// A log in a folder of another node.
  package struct Foreign: Equatable, Sendable {
    /// The node whose log it is; `nil` for one of another cluster.
    package var owner: String?
  }

  /// A member's log in the folder of a name that is no member's.
  package struct Stray: Equatable, Sendable {
    package var name: String
    package var owner: String
  }

  /// One node's log.
  package struct Node: Equatable, Sendable {
    package var name: String
    package var isKilled = false
    package var segments = 0
    /// Free files, kept to become segments again.
    package var freeFiles = 0
    /// Values and tombstones, those that newer ones have replaced too.
    package var records = 0
    /// Keys with a value.
    package var keys = 0
    /// Deleted keys.
    package var tombstones = 0
    /// Writes that others missed and that have not been handed over yet.
    package var hints = 0
    package var liveBytes = 0
    package var deadBytes = 0
    package var damage: [Damage] = []
    /// Records of unknown keys are lost that had been on the node's disk.
    package var hasLost = false
    /// Whose log it is, if not the node's. Repair leaves it: it may be the only copy of somebody's data.
    package var foreign: Foreign?
    /// Where the log was torn by a crash, if it was: what follows was never acknowledged under `always`.
    package var torn: Damage?

    package init(name: String) {
      self.name = name
    }
  }

  package var nodes: [Node] = []
  /// Damage to what is no node's.
  package var damage: [Damage] = []
  /// Ranges of which nobody can say what was acknowledged: too many of their owners have lost records.
  package var lostRanges: [LostRange] = []
  /// Logs of members in folders that no member has.
  package var strays: [Stray] = []
  /// What is there and harmless: leftovers of a crash, files of somebody else.
  package var remarks: [String] = []

  package init() {}

  package var allDamage: [Damage] { damage + nodes.flatMap(\.damage) }
  package var isClean: Bool { allDamage.isEmpty }
}
