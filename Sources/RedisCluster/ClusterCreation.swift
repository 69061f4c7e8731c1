import ClusterModel
import RESP

/// Makes a cluster of empty servers: slots for the masters, and replicas for them in turn.
struct ClusterCreation {
  let masters: [Address]
  let replicas: [Address]
  /// Slots of each master.
  let slotCounts: [Int]

  /// How long each step may take: servers meet within a second or two.
  private static let stepTime = Duration.seconds(15)
  private static let pollInterval = Duration.milliseconds(50)

  private let pool = ConnectionPool(nil, detours: [:])

  /// - Parameter slotCounts: equal parts, if not given.
  init(masters: [Address], replicas: [Address], slotCounts: [Int]? = nil) {
    (self.masters, self.replicas) = (masters, replicas)
    let count = masters.count
    self.slotCounts =
      slotCounts ?? (0..<count).map { KeySlot.count * ($0 + 1) / count - KeySlot.count * $0 / count }
    precondition(self.slotCounts.count == count && self.slotCounts.reduce(0, +) == KeySlot.count)
  }

  /// Returns when every server knows all others and says that the cluster is in order.
  func run() async throws(ClusterError) {
    defer { pool.close() }
    try await Self.untilAnswering(masters + replicas)
    var start = 0
    for (index, address) in masters.enumerated() {
      // Different epochs from the start, else the masters must find out who is to draw a new one.
      _ = try await ask(address, ["CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)"])
      let end = start + slotCounts[index]
      _ = try await ask(address, ["CLUSTER", "ADDSLOTS"] + (start..<end).map { "\($0)" })
      start = end
    }
    for address in (masters + replicas).dropFirst() {
      _ = try await ask(masters[0], ["CLUSTER", "MEET", address.host, "\(address.port)"])
    }
    try await wait("the servers do not get to know each other") { map, _ in
      map.nodes.count { $0.isMember && $0.isLinked } == masters.count + replicas.count
    }
    for (index, address) in replicas.enumerated() {
      let map = try await map(address)
      guard let master = map.nodes.first(where: { $0.address == masters[index % masters.count] }) else { continue }
      _ = try await ask(address, ["CLUSTER", "REPLICATE", master.id])
    }
    try await wait("the cluster does not come into order") { map, info in
      map.masters.count == masters.count && map.orphanedSlots == 0 && info.text("cluster_state") == "ok"
    }
    try await untilCopied()
  }

  /// Returns when servers answer that were just started.
  static func untilAnswering(_ addresses: [Address]) async throws(ClusterError) {
    let pool = ConnectionPool(nil, detours: [:])
    defer { pool.close() }
    for address in addresses {
      try await poll("\(address) does not answer") {
        // Nothing listens in the first milliseconds; that must not count as a failure of a connection that is kept.
        let reply = try? await pool.connection(to: address).ask("PING")
        return reply == .simple(Array("PONG".utf8))
      }
    }
  }

  private func untilCopied() async throws(ClusterError) {
    for address in replicas {
      try await Self.poll("\(address) does not copy its master") {
        let reply = try? await pool.connection(to: address).ask("INFO", "replication")
        return reply?.text.map { InfoText($0).text("master_link_status") } == "up"
      }
    }
  }

  private func wait(
    _ reason: String, until isDone: @Sendable (ClusterMap, InfoText) -> Bool
  ) async throws(ClusterError) {
    for address in masters + replicas {
      try await Self.poll(reason) {
        guard let map = try? await map(address), let info = try? await ask(address, ["CLUSTER", "INFO"]).text else {
          return false
        }
        return isDone(map, InfoText(info))
      }
    }
  }

  private static func poll(_ reason: String, _ isDone: () async -> Bool) async throws(ClusterError) {
    let deadline = ContinuousClock.now + stepTime
    while await !isDone() {
      guard ContinuousClock.now < deadline, !Task.isCancelled else { throw .notServing(.init(reason)) }
      try? await Task.sleep(for: pollInterval)
    }
  }

  private func map(_ address: Address) async throws(ClusterError) -> ClusterMap {
    let text = try await ask(address, ["CLUSTER", "NODES"]).text ?? ""
    do throws(ClusterMap.Malformed) {
      return try ClusterMap(nodesText: text, host: address.host)
    } catch {
      throw .refused(.init("\(address): \(error)"))
    }
  }

  private func ask(_ address: Address, _ words: [String]) async throws(ClusterError) -> ReplyValue {
    let reply: ReplyValue
    do throws(Connection.Failure) {
      reply = try await pool.connection(to: address).ask(words.map { Array($0.utf8) })[0]
    } catch {
      throw .notServing(.init(error.description))
    }
    guard let error = ServerError(reply) else { return reply }
    throw .refused(.init("\(address): \(words.prefix(2).joined(separator: " ")): \(error.words)"))
  }
}
