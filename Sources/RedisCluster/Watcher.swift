import ClusterModel
import RESP
import Synchronization
import Text

/// Watches a cluster: the map of one node each second, and what each node tells of itself each second (its map every fifth
/// time), all at once, so that a node that does not answer holds nobody else up. At most five commands a second and node.
final class Watcher: Sendable {
  private struct State {
    var view = ClusterView()
    var events: [ClusterEvent] = []
    var nextEvent: UInt64 = 1
    var watches: [String: Task<Void, Never>] = [:]
    /// The node whose map is believed at the moment.
    var source: Address
    var isLookingAtMap = false
    var lastLook = ContinuousClock.now
    /// Commands that were refused, which are said once.
    var refused: Set<String> = []
    var isClosed = false
  }

  private let pool: ConnectionPool
  private let seed: Address
  private let opened = ContinuousClock.now
  private let state: Mutex<State>
  private let mapLoop = Mutex<Task<Void, Never>?>(nil)
  /// Is told each newer map.
  private let onMap: Mutex<@Sendable (ClusterMap) -> Void> = Mutex { _ in }

  private static let interval = Duration.seconds(1)
  private static let looksPerMap = 5
  /// Answers that name other owners do not make the map be asked for more often than this.
  private static let hurriedInterval = Duration.milliseconds(50)

  init(_ seed: Address, _ pool: ConnectionPool) {
    (self.seed, self.pool) = (seed, pool)
    state = Mutex(State(source: seed))
  }

  // MARK: - Opening and closing

  /// Looks at everything once, and goes on with that until it is closed.
  func open(onMap: @escaping @Sendable (ClusterMap) -> Void) async throws(ClusterError) {
    self.onMap.withLock { $0 = onMap }
    try await lookFirst()
    await lookAtCommands()
    let ids = view.map.nodes.filter(\.isMember).map(\.id)
    await withTaskGroup { group in
      for id in ids { group.addTask { await self.look(at: id, withMap: true, within: .seconds(1)) } }
    }
    let view = view
    tell(
      .remark(
        .cluster, .info, node: nil,
        .init(
          view.isCluster
            ? "watching \(Figures.count(view.map.masters.count, "master")) and "
              + Figures.count(view.map.nodes.count { !$0.isMaster && $0.isMember }, "replica")
            : "watching \(seed), which is no cluster but one server")))
    startWatches()
    mapLoop.withLock { loop in
      loop = Task { [weak self] in
        while !Task.isCancelled {
          try? await Task.sleep(for: Self.interval)
          await self?.tryToLookAtMap()
        }
      }
    }
  }

  func close() {
    mapLoop.withLock { $0?.cancel() }
    let watches = state.withLock { state in
      state.isClosed = true
      defer { state.watches = [:] }
      return state.watches.values
    }
    for watch in watches { watch.cancel() }
    pool.close()
  }

  // MARK: - What is known

  var view: ClusterView { state.withLock { $0.view } }
  var uptimeNs: UInt64 { UInt64(max(0, (ContinuousClock.now - opened) / .nanoseconds(1))) }
  func status() -> ClusterStatus { view.status(uptimeNs: uptimeNs) }
  func events(after sequence: UInt64) -> [ClusterEvent] {
    state.withLock { state in Array(state.events.drop { $0.sequence <= sequence }) }
  }

  func tell(_ what: ClusterEvent.What...) {
    guard !what.isEmpty else { return }
    state.withLock { state in for what in what { add(what, to: &state) } }
  }

  private func add(_ what: ClusterEvent.What, to state: inout State) {
    state.events.append(ClusterEvent(sequence: state.nextEvent, uptimeNs: uptimeNs, what))
    state.nextEvent += 1
    if state.events.count > RedisLimits.eventsMax {
      state.events.removeFirst(state.events.count - RedisLimits.eventsMax)
    }
  }

  /// Changes what is known of a change under way.
  func update(_ body: (inout ClusterView) -> Void) { state.withLock { body(&$0.view) } }

  /// Says which slots a move that was cut off has left open, since nobody else will.
  func tellOpenSlots() {
    let map = view.map
    let moves = SlotPlan.open(map)
    guard let first = moves.first else { return }
    func name(_ id: String) -> String { map.node(id)?.name ?? id }
    let slots =
      moves.count == 1
      ? "slot \(first.slot) is open from \(name(first.source)) to \(name(first.target))"
      : "\(Figures.count(moves.count, "slot is", plural: "slots are")) open"
    tell(
      .remark(
        .cluster, .warning, node: nil,
        .init("\(slots), left by a move that was cut off", advice: .steer(.finish), .steer(.undo))))
  }

  // MARK: - The map

  private func lookFirst() async throws(ClusterError) {
    switch await askMap(seed) {
    case .map(let map): take(map)
    case .single:
      update { $0.isCluster = false }
      take(ClusterMap(single: seed))
    case .none(let reason): throw .notServing(.init(reason))
    case .refused(let words): throw .refused(.init(words))
    }
  }

  private enum MapAnswer {
    case map(ClusterMap)
    /// The server is no cluster.
    case single
    case none(String)
    case refused(String)
  }

  private func askMap(_ address: Address, within time: Duration = .seconds(2)) async -> MapAnswer {
    let reply: ReplyValue
    do throws(Connection.Failure) {
      reply = try await pool.connection(to: address).ask("CLUSTER", "NODES", within: time)
    } catch {
      if case .refused = error { return .refused(error.description) }
      return .none(error.description)
    }
    switch ServerError(reply) {
    case .unauthenticated(let words)?: return .refused("\(address) wants a password: \(words)")
    case .forbidden(let words)?: return .refused("\(address) refuses CLUSTER NODES, which is needed: \(words)")
    case .noCluster?: return .single
    case .some(let error): return .none("\(address): \(error.words)")
    case nil: break
    }
    do {
      return .map(try ClusterMap(nodesText: reply.text ?? "", host: address.host))
    } catch {
      return .none("\(address): \(error)")
    }
  }

  /// Looks at the map soon, because somebody was told that it is old.
  func hurry() {
    let isDue = state.withLock { ContinuousClock.now - $0.lastLook > Self.hurriedInterval && !$0.isLookingAtMap }
    if isDue { Task { await tryToLookAtMap() } }
  }

  /// Looks at the map as it is now; a look that is under way may have begun too early, and is waited for.
  func lookAtMap() async {
    while !(await tryToLookAtMap(atAllNodes: true)) {
      guard !Task.isCancelled, !state.withLock({ $0.isClosed || !$0.view.isCluster }) else { return }
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Asks the node that was asked last; when it does not answer, or others have a newer epoch, the next one.
  /// - Parameter atAllNodes: each node is asked for its open slots; else they are those it told of last.
  /// - Returns: false if another look is under way, or there is nothing to look at any more.
  @discardableResult
  private func tryToLookAtMap(atAllNodes: Bool = false) async -> Bool {
    let sources: [Address]? = state.withLock { state in
      guard !state.isLookingAtMap, !state.isClosed, state.view.isCluster else { return nil }
      (state.isLookingAtMap, state.lastLook) = (true, .now)
      return [state.source] + state.view.map.live.map(\.address).filter { $0 != state.source }
    }
    guard let sources else { return false }
    defer { state.withLock { $0.isLookingAtMap = false } }
    for source in sources {
      guard case .map(let map) = await askMap(source) else { continue }
      let newest = view.reports.values.compactMap { $0.map?.epoch }.max() ?? 0
      // A node that is cut off from the others knows nothing of what they have agreed on since.
      if map.epoch < newest, source != sources.last { continue }
      state.withLock { state in
        state.source = source
        if let id = map.own?.id { state.view.reports[id]?.map = map }
      }
      take(map.with(openSlots: atAllNodes ? await openSlots(map) : toldOpenSlots(map)))
      break
    }
    return true
  }

  /// What each node told last of its open slots, by id; of the node that was asked what it says now.
  private func toldOpenSlots(_ map: ClusterMap) -> [String: [ClusterMap.OpenSlot]] {
    var told = view.reports.compactMapValues { $0.map?.own?.openSlots }
    if let own = map.own { told[own.id] = own.openSlots }
    return told
  }

  /// What each node says of its open slots, by id; of one that does not answer what it told last.
  private func openSlots(_ map: ClusterMap) async -> [String: [ClusterMap.OpenSlot]] {
    let others = map.live.filter { !$0.flags.contains(.myself) }
    let maps = await withTaskGroup(of: (String, ClusterMap)?.self) { group in
      for other in others {
        group.addTask { [self] in
          guard case .map(let map) = await askMap(other.address) else { return nil }
          return (other.id, map)
        }
      }
      return await group.reduce(into: [(String, ClusterMap)]()) { if let told = $1 { $0.append(told) } }
    }
    // A report of some seconds ago would show slots open that have moved since.
    update { view in for (id, map) in maps { view.reports[id]?.map = map } }
    return maps.reduce(into: toldOpenSlots(map)) { if let own = $1.1.own { $0[own.id] = own.openSlots } }
  }

  private func take(_ map: ClusterMap) {
    let gone = state.withLock { state in
      let events = map.events(since: state.view.map, isMoving: state.view.change != nil)
      for event in events { add(event, to: &state) }
      return state.view.take(map)
    }
    pool.drop(gone.map(\.address))
    onMap.withLock { $0 }(map)
    startWatches()
  }

  // MARK: - Nodes

  /// One task a node.
  private func startWatches() {
    state.withLock { state in
      guard !state.isClosed, !state.view.reports.isEmpty else { return }
      let members = Set(state.view.map.nodes.filter(\.isMember).map(\.id))
      for id in state.watches.keys where !members.contains(id) { state.watches.removeValue(forKey: id)?.cancel() }
      for id in members where state.watches[id] == nil {
        state.watches[id] = Task { [weak self] in
          var looks = 0
          while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            guard !Task.isCancelled else { return }
            looks += 1
            await self?.look(at: id, withMap: looks % Self.looksPerMap == 0, within: RedisLimits.answerTime)
          }
        }
      }
    }
  }

  func look(at id: String, withMap: Bool, within time: Duration) async {
    guard let address = view.map.node(id)?.address else { return }
    let connection = pool.connection(to: address)
    do throws(Connection.Failure) {
      var report = NodeReport()
      report.info = try await ask(connection, "INFO", "all", within: time)?.text.map { InfoText($0) }
      let histogram = try await latencies(connection, within: time)
      if view.isCluster {
        let state = try await ask(connection, "CLUSTER", "INFO", within: time)?.text.map { InfoText($0) }
        report.isStateOk = state?.text("cluster_state").map { $0 == "ok" }
        if withMap, case .map(let map) = await askMap(address, within: time) { report.map = map }
      }
      take(report, histogram, of: id)
    } catch {
      update { $0.miss(id, error.description) }
    }
  }

  private func take(_ report: NodeReport, _ histogram: LatencyHistogram?, of id: String) {
    state.withLock { state in
      guard let node = state.view.map.node(id) else { return }
      for event in changes(of: node, from: state.view.reports[id], to: report) { add(event, to: &state) }
      let before = state.view.refusing
      state.view.take(report, histogram, of: id, at: uptimeNs)
      let now = state.view.refusing
      if before.isEmpty, !now.isEmpty {
        let words = "\(node.name) says cluster_state:fail: it refuses operations, and others may"
        add(.remark(.cluster, .failure, node: node.name, .init(words)), to: &state)
      } else if !before.isEmpty, now.isEmpty {
        add(.remark(.cluster, .success, node: nil, "every node that answers says cluster_state:ok"), to: &state)
      }
    }
  }

  private func changes(
    of node: ClusterMap.Node, from old: NodeReport?, to new: NodeReport
  ) -> [ClusterEvent.What] {
    guard let old else { return [] }
    var events: [ClusterEvent.What] = []
    if let before = old.info?.text("run_id"), let now = new.info?.text("run_id"), before != now {
      events.append(.remark(.restart, .success, node: node.name, "\(node.name) was started again"))
    }
    let linked = (old.info?.text("master_link_status"), new.info?.text("master_link_status"))
    if linked == ("up", "down") {
      events.append(.remark(.cluster, .warning, node: node.name, "\(node.name) lost the connection to its master"))
    } else if linked == ("down", "up") {
      events.append(.remark(.cluster, .success, node: node.name, "\(node.name) copies its master again"))
    }
    return events
  }

  private func latencies(_ connection: Connection, within time: Duration) async throws(Connection.Failure)
    -> LatencyHistogram?
  {
    guard let classes = view.classes else { return nil }
    return try await ask(connection, "LATENCY", "HISTOGRAM", within: time).flatMap { LatencyHistogram($0, classes) }
  }

  /// The table of commands and the fsync policy, of the first node that tells them.
  private func lookAtCommands() async {
    let connection = pool.connection(to: seed)
    let classes = (try? await ask(connection, "COMMAND", within: .seconds(2))).flatMap { $0 }.flatMap(
      CommandClasses.init)
    let policy = (try? await ask(connection, "CONFIG", "GET", "append*", within: .seconds(2))).flatMap { $0 }
    update { view in
      view.classes = classes
      view.fsync = policy.flatMap(Self.fsync)
    }
  }

  private static func fsync(_ reply: ReplyValue) -> FsyncPolicy? {
    let words = reply.elements?.compactMap(\.text) ?? []
    let values = Dictionary(
      stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }, uniquingKeysWith: { $1 })
    guard values["appendonly"] == "yes" else { return nil }
    return values["appendfsync"].flatMap { $0 == "no" ? .never : FsyncPolicy(rawValue: $0) }
  }

  /// Asks; `nil` if the server refuses, which is told once for each command.
  private func ask(
    _ connection: Connection, _ words: String..., within time: Duration
  ) async throws(Connection.Failure) -> ReplyValue? {
    let name = words.prefix(words[0] == "INFO" || words[0] == "COMMAND" ? 1 : 2).joined(separator: " ")
    if state.withLock({ $0.refused.contains(name) }) { return nil }
    let reply = try await connection.ask(words.map { Array($0.utf8) }, within: time)[0]
    guard let error = ServerError(reply) else { return reply }
    switch error {
    case .passing, .wrongRole, .moved, .ask, .readOnly: return nil
    case .unauthenticated, .forbidden, .busyKey, .cutOff, .unknownNode, .noCluster, .other: break
    }
    state.withLock { state in
      guard state.refused.insert(name).inserted else { return }
      add(.remark(.cluster, .warning, node: nil, .init(Refusal.words(name, error.words))), to: &state)
    }
    return nil
  }
}

/// What stays empty when a server refuses a command, and which right would fill it.
private enum Refusal {
  static func words(_ command: String, _ answer: String) -> String {
    let consequence =
      switch command {
      case "INFO": "keys, memory, rates and lag are not known"
      case "LATENCY HISTOGRAM": "latencies are not known"
      case "COMMAND": "reads and writes cannot be told apart, so rates and latencies are not known"
      case "CONFIG GET": "when writes are on the disk is not known"
      case "CLUSTER INFO": "whether nodes serve is taken from the map alone"
      default: "what it would tell is not known"
      }
    let right = "+\(command.lowercased().replacing(" ", with: "|"))"
    return "\(command) is refused (\(answer)): \(consequence); the right is \(right)"
  }
}
