import ClusterModel
import FoundationEssentials

/// A call of ``ClusterBackend`` on its way to a server: `KVSTORE CALL version json [key [value …]]`. Keys and values travel as they
/// are, all else as JSON of the model's own types.
///
/// The reply is an array: JSON of a ``BackendReply``, and a value or null.
enum BackendCall: Codable, Sendable {
  /// Of all that is said here. A server answers its own version only: both ends are kvstore, and can be the same one.
  static let version = 5

  case capabilities
  case ready
  /// - Parameter knownRing: the epoch of a ring that need not be sent again.
  case status(knownRing: UInt64?)
  case events(after: UInt64)
  case get(ReadOptions)
  case put(WriteOptions)
  case delete(WriteOptions)
  /// With a key and a value in turn.
  case putTogether
  /// With the new value, and the expected one unless that is none.
  case compareAndSet
  case increment(by: Int64)
  case append
  case take
  case expire(ExpiryTime)
  case persist
  case timeToLive
  case scan(prefix: [UInt8], from: ScanCursor?, limit: Int)
  case perform(AdminCommand)
  case verdict

  /// Whether it only looks.
  var changesNothing: Bool {
    switch self {
    case .capabilities, .ready, .status, .events, .get, .timeToLive, .scan, .verdict: true
    case .put, .putTogether, .delete, .compareAndSet, .increment, .append, .take, .expire, .persist, .perform: false
    }
  }
}

/// The result of a call, or the error it threw.
enum BackendReply: Codable, Sendable {
  case done
  case capabilities(Capabilities)
  case status(ClusterStatus)
  case events([ClusterEvent])
  /// Whether there is a value, which goes beside this.
  case found(Bool)
  case deleted(Bool)
  case swapped
  case sum(Int64)
  case length(Int)
  case timeToLive(TimeToLive)
  case page(ScanPage)
  case performed(AdminResult)
  case verdict(VerdictStatus?)
  case failed(ClusterError)
}

/// Calls and replies as bytes.
enum BackendCoding {
  static func encode(_ value: some Encodable) -> [UInt8] {
    // Every number of the model is finite, so nothing of it can fail to be encoded.
    guard let data = try? JSONEncoder().encode(value) else { preconditionFailure("\(value) has no JSON") }
    return Array(data)
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
    try? JSONDecoder().decode(type, from: Data(bytes))
  }

  /// - Throws: what is wrong with the reply, in words: that it is of a newer version, for one.
  static func reply(_ bytes: [UInt8]) throws(ClusterError) -> BackendReply {
    do {
      return try JSONDecoder().decode(BackendReply.self, from: Data(bytes))
    } catch {
      throw .refused(
        .init("the kvstore that has the folder open answers what cannot be read here: \(FormatVersion.words(error))"))
    }
  }
}

/// Carries calls out on a server's backend.
struct BackendService: Sendable {
  let backend: any ClusterBackend

  /// - Parameter bytes: key and values, as far as the call has them.
  func answer(_ call: BackendCall, _ bytes: [[UInt8]]) async -> (reply: BackendReply, value: [UInt8]?) {
    do throws(ClusterError) {
      return try await perform(call, bytes)
    } catch {
      return (.failed(error), nil)
    }
  }

  private func perform(
    _ call: BackendCall, _ bytes: [[UInt8]]
  ) async throws(ClusterError) -> (reply: BackendReply, value: [UInt8]?) {
    let key = bytes.first ?? []
    switch call {
    case .capabilities: return (.capabilities(backend.capabilities), nil)
    case .ready:
      try await backend.ready()
      return (.done, nil)
    case .status(let known):
      var status = backend.status()
      if let known, status.ring.epoch == known { (status.ring.arcs, status.ring.nextArcs) = ([], []) }
      return (.status(status), nil)
    case .events(let sequence): return (.events(backend.events(after: sequence)), nil)
    case .get(let options):
      let value = try await backend.get(key, options)
      return (.found(value != nil), value)
    case .put(let options):
      try await backend.put(key, bytes.count > 1 ? bytes[1] : [], options)
      return (.done, nil)
    case .putTogether:
      let pairs = stride(from: 0, to: bytes.count - 1, by: 2).map { KeyValue(bytes[$0], bytes[$0 + 1]) }
      try await backend.putTogether(pairs)
      return (.done, nil)
    case .delete(let options): return (.deleted(try await backend.delete(key, options)), nil)
    case .compareAndSet:
      let (value, expected) = (bytes.count > 1 ? bytes[1] : [], bytes.count > 2 ? bytes[2] : nil)
      return reply(try await backend.update(key, .compareAndSet(expected: expected, value: value)))
    case .increment(let amount): return reply(try await backend.update(key, .increment(by: amount)))
    case .append: return reply(try await backend.update(key, .append(bytes.count > 1 ? bytes[1] : [])))
    case .take: return reply(try await backend.update(key, .take))
    case .expire(let end): return reply(try await backend.update(key, .expire(end)))
    case .persist: return reply(try await backend.update(key, .persist))
    case .timeToLive: return reply(try await backend.update(key, .timeToLive))
    case .scan(let prefix, let cursor, let limit):
      return (.page(try await backend.scan(prefix: prefix, from: cursor, limit: limit)), nil)
    case .perform(let command): return (.performed(try await backend.perform(command)), nil)
    case .verdict: return (.verdict(await backend.verdict()), nil)
    }
  }

  private func reply(_ result: KeyUpdateResult) -> (reply: BackendReply, value: [UInt8]?) {
    switch result {
    case .swapped: (.swapped, nil)
    case .differs(let value), .taken(let value): (.found(value != nil), value)
    case .sum(let sum): (.sum(sum), nil)
    case .length(let count): (.length(count), nil)
    case .timeToLive(let left): (.timeToLive(left), nil)
    }
  }
}
