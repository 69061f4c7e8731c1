import KVCluster

/// Keys that are written together only, by batches, so that all of a group have one value at each moment. To the checker such a
/// group is one register, whichever of its keys is asked: half of a batch that anybody sees fits no order.
struct SimulatedGroup: Equatable, Sendable {
  /// The register's name.
  let name: [UInt8]
  let members: [[UInt8]]

  init(_ number: Int, members: Int) {
    name = Array("group\(number)".utf8)
    self.members = (0..<members).map { Array("group\(number).\($0)".utf8) }
  }

  /// What the register holds; where the members differ, something that nobody has written.
  static func contents(_ values: [[UInt8]?]) -> History.Contents {
    guard let first = values.first, values.contains(where: { $0 != first }) else { return values.first ?? nil }
    let words = values.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "nothing" }
    return Array("torn: \(words.joined(separator: ", "))".utf8)
  }
}

/// What of a group is asked.
enum SimulatedScope: Equatable, Sendable {
  /// The key alone, which is of no group.
  case key
  /// All members at once.
  case group([[UInt8]])
  /// One member.
  case member([UInt8])
}

extension Simulation {
  /// On some of the days with read-modify-writes there are groups; they have random numbers of their own. Where quorums need
  /// not meet nothing is promised of them.
  static func groups(_ seed: UInt64, _ quorum: QuorumSettings) -> [SimulatedGroup] {
    guard seed % 8 == 5, quorum.guarantee == .linearizable else { return [] }
    var random = SeededRandom(seed: seed ^ 0x6261_7463_6865)
    return (0..<random.within(1...2)).map { SimulatedGroup($0, members: random.within(2...5)) }
  }

  /// Begins an operation on a group instead of one on a key; `nil` if it is not a group's turn.
  func drawGroupCall(_ number: Int) -> (group: SimulatedGroup, call: ClientOperation.Call, scope: SimulatedScope)? {
    guard !groups.isEmpty, updateRandom.below(4) == 0 else { return nil }
    let group = groups[updateRandom.below(groups.count)]
    let value = Array("v\(number)".utf8)
    switch updateRandom.below(10) {
    case 0..<4: return (group, .update(.replace(value)), .group(group.members))
    case 4: return (group, .update(.delete), .group(group.members))
    case 5: return (group, .update(.insert(value)), .group(group.members))
    case 6, 7: return (group, .get, .group(group.members))
    default: return (group, .get, .member(group.members[updateRandom.below(group.members.count)]))
    }
  }

  /// The group of a key, if it is of one.
  func group(of key: [UInt8]) -> SimulatedGroup? { groups.first { $0.members.contains(key) } }
}
