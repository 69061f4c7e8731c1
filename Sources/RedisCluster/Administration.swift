import ClusterModel
import RESP

/// Commands to single nodes, on connections beside those of callers and of the watcher.
final class Administration: Sendable {
  private let pool: ConnectionPool
  let credentials: Credentials?

  init(_ options: RedisBackend.Options) {
    pool = ConnectionPool(options.credentials, detours: options.detours)
    credentials = options.credentials
  }

  func close() { pool.close() }

  /// Sends a command; an error answer is thrown.
  @discardableResult
  func ask(
    _ node: Address, _ words: [[UInt8]], within time: Duration = RedisLimits.answerTime
  ) async throws(ClusterError) -> ReplyValue {
    let reply = try await answer(node, words, within: time)
    guard let error = ServerError(reply) else { return reply }
    if ServerError.isPassing(words: error.words) {
      throw .notServing(.init("\(node): \(error.words)", nodes: ["\(node)"]))
    }
    let command = words.prefix(2).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    throw .refused(.init("\(node) refuses \(command): \(error.words)", nodes: ["\(node)"]))
  }

  @discardableResult
  func ask(_ node: Address, _ words: String...) async throws(ClusterError) -> ReplyValue {
    try await ask(node, words.map { Array($0.utf8) })
  }

  /// Sends a command and returns its answer, also one that is an error.
  func answer(
    _ node: Address, _ words: [[UInt8]], within time: Duration = RedisLimits.answerTime
  ) async throws(ClusterError) -> ReplyValue {
    try await answers(node, [words], within: time)[0]
  }

  /// Sends several commands at once.
  func answers(
    _ node: Address, _ commands: [[[UInt8]]], within time: Duration = RedisLimits.answerTime
  ) async throws(ClusterError) -> [ReplyValue] {
    guard !commands.isEmpty else { return [] }
    do throws(Connection.Failure) {
      return try await pool.connection(to: node).ask(all: commands, within: time)
    } catch {
      throw .notServing(.init(error.description, nodes: ["\(node)"]))
    }
  }

  /// A node's own map.
  func map(_ node: Address) async throws(ClusterError) -> ClusterMap {
    let text = try await ask(node, "CLUSTER", "NODES").text ?? ""
    do throws(ClusterMap.Malformed) {
      return try ClusterMap(nodesText: text, host: node.host)
    } catch {
      throw .refused(.init("\(node): \(error)"))
    }
  }

  func info(_ node: Address, _ words: String...) async throws(ClusterError) -> InfoText {
    InfoText(try await ask(node, words.map { Array($0.utf8) }).text ?? "")
  }

  /// Time a node needs for a `PING`; `nil` if it does not answer.
  func probe(_ node: Address) async -> Duration? {
    let start = ContinuousClock.now
    guard (try? await pool.connection(to: node).ask("PING")) != nil else { return nil }
    return ContinuousClock.now - start
  }

  /// Waits until something is so. Returns why not, if it is not in time.
  static func wait(
    atMost time: Duration = .seconds(20), until why: () async -> String?
  ) async -> String? {
    let deadline = ContinuousClock.now + time
    while let reason = await why() {
      guard ContinuousClock.now < deadline, !Task.isCancelled else { return reason }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return nil
  }

  /// Why slots cannot be moved safely; `nil` if they can.
  func obstacle(_ map: ClusterMap, openSlotsAreFine: Bool = false) async -> String? {
    var maps: [(name: String, map: ClusterMap)] = []
    for node in map.nodes where node.isMember {
      if node.isFailed { return "\(node.name) is down" }
      guard let own = try? await self.map(node.address), let info = try? await info(node.address, "CLUSTER", "INFO")
      else { return "\(node.name) does not answer" }
      guard info.text("cluster_state") == "ok" else { return "\(node.name) says cluster_state:fail" }
      if own.hasOpenSlots, !openSlotsAreFine {
        return "slots are open at \(node.name), left by a move that was cut off: `change finish` or `change undo` first"
      }
      maps.append((node.name, own))
    }
    guard let first = maps.first else { return "no node answers" }
    if let other = maps.dropFirst().first(where: { !$0.map.agrees(with: first.map) }) {
      return "\(first.name) and \(other.name) do not agree on members and owners"
    }
    return nil
  }
}

extension ServerError {
  /// Whether an answer says only that the server cannot do it at the moment.
  static func isPassing(words: String) -> Bool {
    let beginnings = ["LOADING", "BUSY ", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN"]
    // After a failover the plan is another one.
    return beginnings.contains { words.hasPrefix($0) } || words.contains("only with masters")
      || words.contains("is not a master")
  }
  /// The answer's own words.
  var words: String {
    switch self {
    case .moved(let slot, let address): "MOVED \(slot) \(address)"
    case .ask(let slot, let address): "ASK \(slot) \(address)"
    case .passing(let words), .forbidden(let words), .other(let words): words
    case .readOnly: "READONLY"
    }
  }
}
