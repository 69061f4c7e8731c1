import ClusterModel
import Glibc
import KVCluster
import RESP
import Synchronization
import Text

/// A cluster that another kvstore has open, over the socket in its folder.
///
/// Status and events are fetched ten times a second and kept, so a screen may draw from them at any time. Each
/// operation has a connection of its own, so one that takes minutes holds nothing up. When the server is lost, the last picture
/// stays, its health says that nothing answers, and the connection is made anew when a server is there again. Nothing is ever
/// sent twice: an operation that was under way then is indeterminate.
package final class RemoteBackend: ClusterBackend {
  private struct State {
    var status: ClusterStatus
    var events: [ClusterEvent] = []
    /// The server's number of the newest event that is known.
    var heardEvent: UInt64 = 0
    var nextEvent: UInt64 = 1
    var isLost = false
  }

  package let capabilities: Capabilities
  private let path: String
  private let state: Mutex<State>
  private let watching = Mutex<Task<Void, Never>?>(nil)

  private static let pollMs = 100
  private static let retryMs = 500

  private init(_ path: String, _ capabilities: Capabilities, _ status: ClusterStatus) {
    (self.path, self.capabilities) = (path, capabilities)
    state = Mutex(State(status: status))
  }

  /// Attaches to the server that listens at a path; `nil` if none does.
  /// - Throws: the server's error if it has another version.
  package static func attach(socket path: String) async throws(ClusterError) -> RemoteBackend? {
    guard let link = await ServerLink.open(socket: path) else { return nil }
    guard case .capabilities(let capabilities) = try await call(link, .capabilities).reply,
      case .status(let status) = try await call(link, .status(knownRing: nil)).reply
    else { throw nonsense }
    var own = capabilities
    // The load generator drives an engine in its own process.
    own.features.remove(.workloads)
    let backend = RemoteBackend(path, own, status)
    backend.watching.withLock { $0 = Task { [weak backend] in await watch(link) { backend } } }
    return backend
  }

  /// Leaves the server, which goes on.
  package func close() {
    watching.withLock { watching in
      watching?.cancel()
      watching = nil
    }
  }

  deinit { close() }

  // MARK: - What is seen

  package func status() -> ClusterStatus { state.withLock { $0.status } }

  package func events(after sequence: UInt64) -> [ClusterEvent] {
    state.withLock { $0.events.filter { $0.sequence > sequence } }
  }

  /// By the ring as it was last seen.
  package func place(of key: [UInt8]) -> KeyPlace {
    let slot = Ring.slot(of: key.withUnsafeBytes(Ring.hash))
    let arcs = status().ring.arcs
    return KeyPlace(slot: slot, owners: arcs.last { $0.start <= slot }?.owners ?? [])
  }

  private static func watch(_ first: ServerLink, _ backend: () -> RemoteBackend?) async {
    var link: ServerLink? = first
    while !Task.isCancelled, let path = backend()?.path {
      if link == nil { link = await ServerLink.open(socket: path) }
      if let open = link, let backend = backend() {
        do throws(ClusterError) {
          try await backend.look(open)
        } catch {
          backend.lose(error)
          await open.close()
          link = nil
        }
      }
      try? await Task.sleep(for: .milliseconds(link == nil ? retryMs : pollMs))
    }
    await link?.close()
  }

  private func look(_ link: ServerLink) async throws(ClusterError) {
    let (known, heard) = state.withLock { ($0.isLost ? nil : $0.status.ring.epoch, $0.heardEvent) }
    guard case .status(let status) = try await Self.call(link, .status(knownRing: known)).reply,
      case .events(let events) = try await Self.call(link, .events(after: heard)).reply
    else { throw Self.nonsense }
    state.withLock { state in
      // Another run of the server counts its events anew.
      if status.uptimeNs < state.status.uptimeNs { state.heardEvent = 0 }
      take(status, knowing: known, &state)
      state.heardEvent = max(state.heardEvent, events.last?.sequence ?? 0)
      for event in events { add(event, to: &state) }
      if state.isLost {
        state.isLost = false
        add(.remark(.cluster, .info, node: nil, "attached to the server again"), to: &state)
      }
    }
  }

  /// A ring that is known already does not travel again.
  private func take(_ status: ClusterStatus, knowing epoch: UInt64?, _ state: inout State) {
    var status = status
    if let epoch, status.ring.epoch == epoch {
      (status.ring.arcs, status.ring.nextArcs) = (state.status.ring.arcs, state.status.ring.nextArcs)
    }
    state.status = status
  }

  private func lose(_ error: ClusterError) {
    state.withLock { state in
      state.status.reportedHealth = .unavailable
      guard !state.isLost else { return }
      state.isLost = true
      add(.remark(.cluster, .failure, node: nil, "lost the server; this is the last picture of it"), to: &state)
    }
  }

  private func add(_ event: ClusterEvent, to state: inout State) {
    var event = event
    event.sequence = state.nextEvent
    state.nextEvent += 1
    state.events.append(event)
    if state.events.count > Limits.eventsMax { state.events.removeFirst(state.events.count - Limits.eventsMax) }
  }

  private func add(_ what: ClusterEvent.What, to state: inout State) {
    add(ClusterEvent(sequence: 0, uptimeNs: state.status.uptimeNs, what), to: &state)
  }

  // MARK: - Operations

  package func ready() async throws(ClusterError) { _ = try await ask(.ready) }

  package func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    try await ask(.get(options), [key]).value
  }

  package func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    try check(value.count, "a value has")
    _ = try await ask(.put(options), [key, value])
  }

  package func putTogether(_ pairs: [KeyValue]) async throws(ClusterError) {
    try check(pairs.reduce(0) { $0 + $1.value.count }, "the values have together")
    _ = try await ask(.putTogether, pairs.flatMap { [$0.key, $0.value] })
  }

  package func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    guard case .deleted(let existed) = try await ask(.delete(options), [key]).reply else { throw Self.nonsense }
    return existed
  }

  /// What is too long for a request would be cut off on its way, and nobody would know what became of it.
  private func check(_ byteCount: Int, _ words: String) throws(ClusterError) {
    guard byteCount > capabilities.valueBytesMax else { return }
    let (most, count) = (Figures.given(bytes: capabilities.valueBytesMax), Figures.count(byteCount, "byte"))
    throw .invalidArgument("\(words) at most \(most) here, not \(count); nothing was done")
  }

  package func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult {
    switch update {
    case .compareAndSet(let expected, let value):
      try check((expected?.count ?? 0) + value.count, "the old value and the new one have together")
    case .append(let suffix): try check(suffix.count, "a value has")
    case .increment, .take, .expire, .persist, .timeToLive: break
    }
    let (call, bytes): (BackendCall, [[UInt8]]) =
      switch update {
      case .compareAndSet(let expected, let value): (.compareAndSet, [value] + (expected.map { [$0] } ?? []))
      case .increment(let amount): (.increment(by: amount), [])
      case .append(let suffix): (.append, [suffix])
      case .take: (.take, [])
      case .expire(let end): (.expire(end), [])
      case .persist: (.persist, [])
      case .timeToLive: (.timeToLive, [])
      }
    let answer = try await ask(call, [key] + bytes)
    return switch (answer.reply, update) {
    case (.swapped, _): .swapped
    case (.sum(let sum), _): .sum(sum)
    case (.length(let count), _): .length(count)
    case (.timeToLive(let left), _): .timeToLive(left)
    case (.found, .take): .taken(answer.value)
    case (.found, _): .differs(answer.value)
    default: throw Self.nonsense
    }
  }

  package func scan(
    prefix: [UInt8], from cursor: ScanCursor?, limit: Int
  ) async throws(ClusterError) -> ScanPage {
    guard case .page(let page) = try await ask(.scan(prefix: prefix, from: cursor, limit: limit)).reply else {
      throw Self.nonsense
    }
    return page
  }

  /// Progress is not told, and what has begun cannot be stopped from here.
  package func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    var command = command
    // The server has another current folder.
    if case .backUp(let path) = command, !path.hasPrefix("/"), let folder = getcwd(nil, 0) {
      command = .backUp(path: "\(String(cString: folder))/\(path)")
      free(folder)
    }
    guard case .performed(let result) = try await ask(.perform(command)).reply else { throw Self.nonsense }
    // The kept status must show what the order has done.
    if case .status(let status)? = try? await ask(.status(knownRing: nil)).reply {
      state.withLock { take(status, knowing: nil, &$0) }
    }
    return result
  }

  package func verdict() async -> VerdictStatus? {
    guard let answer = try? await ask(.verdict), case .verdict(let verdict) = answer.reply else { return nil }
    return verdict
  }

  // MARK: - Calls

  private typealias Answer = (reply: BackendReply, value: [UInt8]?)

  private func ask(_ call: BackendCall, _ bytes: [[UInt8]] = []) async throws(ClusterError) -> Answer {
    guard let link = await ServerLink.open(socket: path) else {
      throw .notServing("no kvstore listens on \(path) any more; nothing was done")
    }
    let answer: Result<Answer, ClusterError>
    do throws(ClusterError) {
      answer = .success(try await Self.call(link, call, bytes))
    } catch {
      answer = .failure(error)
    }
    await link.close()
    return try answer.get()
  }

  private static func call(
    _ link: ServerLink, _ call: BackendCall, _ bytes: [[UInt8]] = []
  ) async throws(ClusterError) -> Answer {
    let words = [Array("KVSTORE".utf8), Array("CALL".utf8), Array("\(BackendCall.version)".utf8)]
    let reply: ReplyValue
    do throws(ServerLink.Failure) {
      reply = try await link.ask(words + [BackendCoding.encode(call)] + bytes)
    } catch {
      let reason = "the kvstore that has the folder open went away before it answered"
      throw call.changesNothing
        ? .notServing(.init("\(reason). Nothing was changed"))
        : .indeterminate(.init("\(reason). It may or may not have taken effect; look before you do it again"))
    }
    if case .error(let text) = reply {
      throw .refused(.init("the kvstore that has the folder open says: \(String(decoding: text, as: UTF8.self))"))
    }
    guard let elements = reply.elements, elements.count == 2, let json = elements[0].bytes else { throw nonsense }
    let answer = try BackendCoding.reply(json)
    if case .failed(let error) = answer { throw error }
    return (answer, elements[1].bytes)
  }

  private static let nonsense = ClusterError.refused(
    "the kvstore that has the folder open answers what makes no sense here")
}
