import ClusterModel
import RESP
import Synchronization

/// Brings commands on keys to the node that owns the slot, whatever moves meanwhile.
///
/// A pure read may be tried again at will. A write that was sent and not answered is indeterminate, and never sent again.
final class Router: Sendable {
  /// Connections by address; those of callers, beside which the watcher has its own.
  let pool: ConnectionPool
  private let map: Mutex<ClusterMap>
  /// Is called when a node named another owner than the map, so that the map is read anew.
  private let onStale: @Sendable () -> Void

  init(_ pool: ConnectionPool, _ map: ClusterMap, onStale: @escaping @Sendable () -> Void) {
    (self.pool, self.onStale) = (pool, onStale)
    self.map = Mutex(map)
  }

  func take(_ newer: ClusterMap) { map.withLock { $0 = newer } }
  var known: ClusterMap { map.withLock { $0 } }

  /// Carries out a command on one key.
  /// - Parameter isWrite: whether it may change anything.
  func run(_ command: [[UInt8]], key: [UInt8], isWrite: Bool) async throws(ClusterError) -> ReplyValue {
    var journey = Journey(slot: KeySlot.of(key))
    while true {
      let target = journey.next ?? owner(of: journey.slot).map { Target(address: $0, asks: false) }
      journey.next = nil
      guard let target else {
        try await journey.wait("slot \(journey.slot) has no owner", [])
        continue
      }
      let reply: ReplyValue
      do throws(Connection.Failure) {
        reply = try await send(command, to: target)
      } catch {
        try await recover(from: error, target, isWrite: isWrite, &journey)
        continue
      }
      guard let error = ServerError(reply) else { return reply }
      try await follow(error, from: target, &journey)
    }
  }

  private struct Target {
    var address: Address
    /// Whether the key is asked for at the receiving end of a move.
    var asks: Bool
  }

  /// One operation's way through the cluster.
  private struct Journey {
    let slot: Int
    let deadline = ContinuousClock.now + RedisLimits.operationTime
    var redirections = 0
    var pause = RedisLimits.firstPause
    var next: Target?

    init(slot: Int) { self.slot = slot }

    /// Waits before the next attempt; throws when there has been enough of that.
    mutating func wait(_ reason: String, _ nodes: [String]) async throws(ClusterError) {
      guard ContinuousClock.now + pause < deadline, !Task.isCancelled else {
        throw .notServing(.init("\(reason); nothing was done", nodes: nodes))
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(200))
    }

    mutating func redirect() throws(ClusterError) {
      redirections += 1
      guard redirections <= RedisLimits.redirectionsMax else {
        throw .notServing(
          .init("slot \(slot): \(RedisLimits.redirectionsMax) nodes in turn named another owner; nothing was done"))
      }
    }
  }

  private func owner(of slot: Int) -> Address? { map.withLock { $0.owner(ofSlot: slot)?.address } }

  private func send(_ command: [[UInt8]], to target: Target) async throws(Connection.Failure) -> ReplyValue {
    let connection = pool.connection(to: target.address)
    // ASKING holds for the next command only, so both go together.
    return target.asks
      ? try await connection.ask([Array("ASKING".utf8)], command)[1] : try await connection.ask(command)[0]
  }

  private func recover(
    from failure: Connection.Failure, _ target: Target, isWrite: Bool, _ journey: inout Journey
  ) async throws(ClusterError) {
    onStale()
    switch failure {
    case .refused(let reason): throw .refused(.init("\(reason); nothing was done", nodes: ["\(target.address)"]))
    case .lost(let reason) where isWrite: throw .undecidedWrite(reason)
    case .lost(let reason), .unreachable(let reason): try await journey.wait(reason, ["\(target.address)"])
    }
  }

  private func follow(
    _ error: ServerError, from target: Target, _ journey: inout Journey
  ) async throws(ClusterError) {
    func place(_ address: Address) -> Address {
      address.host.isEmpty ? Address(target.address.host, address.port) : address
    }
    switch error {
    case .moved(let slot, let address):
      try journey.redirect()
      let owner = place(address)
      map.withLock { map in
        if let id = map.nodes.first(where: { $0.address == owner })?.id { map.move(slot: slot, to: id) }
      }
      journey.next = Target(address: owner, asks: false)
      onStale()
    case .ask(_, let address):
      try journey.redirect()
      journey.next = Target(address: place(address), asks: true)
    case .passing(let words), .wrongRole(let words):
      try await journey.wait("\(target.address): \(words)", ["\(target.address)"])
    case .readOnly:
      onStale()
      try await journey.wait("\(target.address) is no master any more", ["\(target.address)"])
    case .unauthenticated(let words), .forbidden(let words):
      throw .refused(.init("\(target.address) refuses it: \(words)"))
    case .busyKey(let words), .cutOff(let words), .unknownNode(let words), .noCluster(let words), .other(let words):
      throw .refused(.init("\(target.address): \(words)"))
    }
  }
}

/// Connections by address, each made when it is needed first.
final class ConnectionPool: Sendable {
  private let credentials: Credentials?
  /// Where a node is reached that is announced under another address.
  private let detours: [Address: Address]
  private let connections = Mutex<[Address: Connection]>([:])

  init(_ credentials: Credentials?, detours: [Address: Address]) {
    (self.credentials, self.detours) = (credentials, detours)
  }

  func connection(to address: Address) -> Connection {
    connections.withLock { connections in
      if let known = connections[address] { return known }
      let new = Connection(detours[address] ?? address, credentials)
      connections[address] = new
      return new
    }
  }

  /// Closes connections to nodes that have left.
  func drop(_ addresses: some Sequence<Address>) {
    let dropped = connections.withLock { connections in addresses.compactMap { connections.removeValue(forKey: $0) } }
    for connection in dropped { connection.close() }
  }

  func close() { drop(connections.withLock { Array($0.keys) }) }
}
