import RESP

/// Which commands read keys and which write them, as the server's own table says: the answer to `COMMAND`.
struct CommandClasses: Sendable, Equatable {
  private(set) var reads: Set<String> = []
  private(set) var writes: Set<String> = []

  /// Commands that move keys between nodes: no client asked for these.
  private static let moves: Set = ["migrate", "restore", "restore-asking"]

  /// `nil` if it is no answer to `COMMAND`: a list of `[name, arity, [flag], first key, …]`.
  init?(_ reply: ReplyValue) {
    guard case .array(let commands) = reply else { return nil }
    for command in commands {
      guard let fields = command.elements, fields.count >= 4, let name = fields[0].text,
        let flags = fields[2].elements?.compactMap(\.text), case .integer(let firstKey) = fields[3], firstKey != 0,
        !Self.moves.contains(name)
      else { continue }
      if flags.contains("write") {
        writes.insert(name)
      } else if flags.contains("readonly") {
        reads.insert(name)
      }
    }
    guard !reads.isEmpty || !writes.isEmpty else { return nil }
  }

  /// Reads and writes in the calls of each command.
  func count(_ calls: [String: UInt64]) -> (reads: UInt64, writes: UInt64) {
    func sum(_ names: Set<String>) -> UInt64 { names.reduce(0) { $0 &+ (calls[$1] ?? 0) } }
    return (sum(reads), sum(writes))
  }
}
