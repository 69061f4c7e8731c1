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
    if error.isPassing {
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
  static func wait<Reason>(
    atMost time: Duration = .seconds(20), until why: () async -> Reason?
  ) async -> Reason? {
    let deadline = ContinuousClock.now + time
    while let reason = await why() {
      guard ContinuousClock.now < deadline, !Task.isCancelled else { return reason }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return nil
  }

  /// Why slots cannot be moved safely; `nil` if they can.
  func obstacle(_ map: ClusterMap, openSlotsAreFine: Bool = false) async -> ClusterError.Detail? {
    var maps: [(name: String, map: ClusterMap)] = []
    for node in map.nodes where node.isMember {
      if node.isFailed { return .init("\(node.name) is down", nodes: [node.name]) }
      guard let own = try? await self.map(node.address), let info = try? await info(node.address, "CLUSTER", "INFO")
      else { return .init("\(node.name) does not answer", nodes: [node.name]) }
      guard info.text("cluster_state") == "ok" else {
        return .init("\(node.name) says cluster_state:fail", nodes: [node.name])
      }
      if own.hasOpenSlots, !openSlotsAreFine {
        return .init(
          "slots are open at \(node.name), left by a move that was cut off", nodes: [node.name],
          advice: .steer(.finish), .steer(.undo))
      }
      maps.append((node.name, own))
    }
    guard let first = maps.first else { return "no node answers" }
    if let other = maps.dropFirst().first(where: { !$0.map.agrees(with: first.map) }) {
      return .init(
        "\(first.name) and \(other.name) do not agree on members and owners", nodes: [first.name, other.name])
    }
    return nil
  }
}
