import Commands
import KVCluster

extension Chapter {
  static let data = Chapter(
    name: "data", title: "Put, get, delete",
    text: """
      A put goes to all three owners and is done when two have it on disk; a get asks two and takes the newer \
      answer. Watch the ring: the key's dot stands at its hash, and its owners light up clockwise.
      """,
    part: .ring, setting: Setting(nodes: 5)
  ) { stage, cluster in
    let key = Stage.key(0)
    try await stage.type("put user:1001 Alice")
    let first = try await showCopies(of: key, stage, cluster)
    let found = try await stage.type("get user:1001")
    stage.claim(
      "a get returns what was put", found == .found(key: key, value: Array("Alice".utf8)), Stage.short(found))
    stage.claim("all three owners hold it", first.count == 3, "\(first.count) copies on three nodes")

    try await stage.say(
      "A second put is a newer version, not a change in place: each owner appends it to its log and keeps the greater one."
    )
    try await stage.type("put user:1001 Alicia")
    let second = try await showCopies(of: key, stage, cluster)
    let isNewer = second.count == 3 && second.allSatisfy { copy in first.allSatisfy { copy.tag > $0.tag } }
    stage.claim("every owner has the newer version", isNewer, versions(first) + " became " + versions(second))

    try await stage.say(
      "A delete is a write too: a tombstone, newer than the value, so that an owner that slept through it learns of it."
    )
    try await stage.type("del user:1001")
    let third = try await showCopies(of: key, stage, cluster)
    let missing = try await stage.type("get user:1001")
    stage.claim("a deleted key is not found", missing == .notFound(key: key), Stage.short(missing))
    stage.claim(
      "every owner holds its tombstone", third.count == 3 && third.allSatisfy(\.isTombstone),
      "\(third.count { $0.isTombstone }) of 3")
    try await stage.claimLinearizable(cluster)
  }

  /// Shows where a key lies, and its version on each owner, once the third has it too: two were waited for.
  private static func showCopies(
    of key: [UInt8], _ stage: Stage, _ cluster: Cluster
  ) async throws -> [KeyCopy] {
    _ = try await stage.until(seconds: 5) { stage.agreeing(0..<1, on: cluster) == 1 }
    let copies = cluster.copies(of: key).compactMap { $0 }.filter { $0.tag != .none }
    let hash = String(Ownership.hash(key), radix: 16)
    let words = copies.map { "\($0.node) v\($0.tag.counter)\($0.isTombstone ? " deleted" : "")" }
    stage.figure("hash \(hash.prefix(4))… → \(words.joined(separator: ", "))")
    return copies
  }

  private static func versions(_ copies: [KeyCopy]) -> String {
    Set(copies.map { "v\($0.tag.counter)" }).sorted().joined(separator: ", ")
  }
}
