import KVCluster
import NIOCore
import RESP

/// What a command does that may not be done on an event loop, as a task; or a reply that is held back for a while.
enum SlowWork {
  case task(@Sendable () async -> [UInt8])
  case delay(TimeAmount, [UInt8])

  /// - Parameter done: is called once with the reply, on any thread.
  func begin(on loop: any EventLoop, _ done: @escaping @Sendable ([UInt8]) -> Void) {
    switch self {
    case .task(let body): Task { done(await body()) }
    case .delay(let time, let reply): loop.scheduleTask(in: time) { done(reply) }
    }
  }
}

/// Commands by the engine's asynchronous forms: for those that look at all keys, and for all while links are faulty, when
/// operations go by message and may take as long as a node needs.
struct SlowCommand: Sendable {
  let id: CommandID
  /// Without the name.
  let arguments: [[UInt8]]
  let version: RESPVersion
  let cluster: Cluster
  /// Keys that were deleted, or found, before these.
  var counted = 0

  /// The reply as bytes.
  func run() async -> [UInt8] {
    var reply = ReplyBuffer()
    reply.version = version
    do throws(ClusterError) {
      try await perform(&reply)
    } catch {
      reply.clear()
      reply.error(ErrorReply.text(error))
    }
    return Array(reply.bytes)
  }

  private func perform(_ reply: inout ReplyBuffer) async throws(ClusterError) {
    switch id {
    case .get: Self.value(try await cluster.get(arguments[0]), &reply)
    case .set, .setex, .psetex, .incr, .decr, .incrby, .decrby, .append, .setrange, .setnx, .getset, .getdel, .getex,
      .expire, .pexpire, .expireat, .pexpireat, .ttl, .pttl, .expiretime, .pexpiretime, .persist:
      // Its arguments have been read once.
      guard let update = try? ValueUpdate(id, arguments) else {
        guard let set = try? PlainSet(id, arguments) else { return reply.error(ErrorReply.syntax) }
        try await cluster.put(set.key, set.value, WriteOptions(expiry: set.expiry))
        return reply.ok()
      }
      let data = cluster.dataPath
      try await data.update(arguments[0]) { update.apply(to: $0, data.clock) }.write(to: &reply)
    case .mget:
      let values = try await cluster.getAll(arguments)
      reply.array(values.count)
      for value in values { Self.value(value, &reply) }
    case .mset:
      try await cluster.putTogether(pairs)
      reply.ok()
    case .msetnx: reply.integer(try await insertTogether() ? 1 : 0)
    case .del, .unlink:
      var count = counted
      for key in arguments {
        let data = cluster.dataPath
        if case .integer(let number) = try await data.update(key, { ValueUpdate.remove.apply(to: $0, data.clock) }) {
          count += number
        }
      }
      reply.integer(count)
    case .exists, .touch:
      var count = counted
      for key in arguments where try await cluster.get(key) != nil { count += 1 }
      reply.integer(count)
    case .strlen: reply.integer(try await cluster.get(arguments[0])?.count ?? 0)
    case .type: reply.simple(try await cluster.get(arguments[0]) == nil ? "none" : "string")
    case .getrange, .substr:
      let value = try await cluster.get(arguments[0]) ?? []
      let (start, end) = (Integer.parse(arguments[1]) ?? 0, Integer.parse(arguments[2]) ?? 0)
      reply.bulk(Array(value[ValueRange.clip(start, end, count: value.count)]))
    case .keys:
      let glob = Glob(arguments[0])
      let listing = try cluster.keys(prefix: glob.literalPrefix, limit: .max)
      let keys = listing.keys.filter(glob.matches)
      reply.array(keys.count)
      for key in keys { reply.bulk(key) }
    case .scan: try scan(&reply)
    case .randomkey: Self.value(try randomKey(), &reply)
    case .dbsize:
      let status = cluster.status()
      if let keys = status.keys { reply.integer(keys) } else { reply.error("ERR the keys cannot be counted now") }
    case .multi, .exec, .discard, .watch, .unwatch, .ping, .echo, .hello, .auth, .quit, .reset, .select, .client,
      .command, .config, .info, .time, .acl, .slowlog,
      .latency, .kvstore:
      preconditionFailure("\(id) never waits for the engine")
    }
  }

  private var pairs: [KeyValue] {
    stride(from: 0, to: arguments.count - 1, by: 2).map { KeyValue(arguments[$0], arguments[$0 + 1]) }
  }

  /// Of a key that comes twice the last value counts.
  private func insertTogether() async throws(ClusterError) -> Bool {
    let values = Dictionary(pairs.map { ($0.key, $0.value) }) { $1 }
    let keys = Array(values.keys)
    return try await cluster.dataPath.update(all: keys, readsValues: false) { found throws(ClusterError) in
      if found.contains(where: \.exists) { return (keys.map { _ in .keep }, false) }
      return (keys.map { .put(values[$0]!) }, true)
    }
  }

  /// - Precondition: the arguments have been read once, by ``ScanOptions``.
  private func scan(_ reply: inout ReplyBuffer) throws(ClusterError) {
    guard case .success(let options) = ScanOptions.read(arguments) else { return reply.error(ErrorReply.syntax) }
    let page = try cluster.scan(from: options.cursor, limit: max(options.count, ScanOptions.pageKeysMin))
    let keys = options.isOfStrings ? page.keys.filter { options.glob?.matches($0) ?? true } : []
    reply.array(2)
    reply.bulk(String(page.next))
    reply.array(keys.count)
    for key in keys { reply.bulk(key) }
  }

  /// A key of a part of the ring that is drawn: all have a chance, those behind a gap a greater one.
  private func randomKey() throws(ClusterError) -> [UInt8]? {
    let start = UInt64.random(in: 0..<ScanOptions.placeCount)
    if let key = try cluster.scan(from: start, limit: 1).keys.first { return key }
    return try cluster.scan(from: 0, limit: 1).keys.first
  }

  private static func value(_ value: [UInt8]?, _ reply: inout ReplyBuffer) {
    if let value { reply.bulk(value) } else { reply.null() }
  }
}

/// What `SCAN` is told.
struct ScanOptions {
  /// Places on the ring that a cursor can stand at.
  static let placeCount: UInt64 = 1 << 52
  /// A page looks through a 256th of all keys, however few it returns; so it returns some.
  static let pageKeysMin = 256

  var cursor: UInt64
  var glob: Glob?
  var count = 10
  var isOfStrings = true

  /// - Returns: the options, or the text of an error.
  static func read(_ arguments: [[UInt8]]) -> Result<ScanOptions, Wrong> {
    let digits = String(decoding: arguments[0], as: UTF8.self)
    guard let cursor = UInt64(digits), cursor < placeCount else { return .failure(Wrong(text: "ERR invalid cursor")) }
    var options = ScanOptions(cursor: cursor)
    var rest = arguments.dropFirst()
    while let word = rest.popFirst() {
      guard let value = rest.popFirst() else { return .failure(Wrong(text: ErrorReply.syntax)) }
      switch String(decoding: word, as: UTF8.self).uppercased() {
      case "MATCH": options.glob = Glob(value)
      case "COUNT":
        guard let count = Integer.parse(value) else { return .failure(Wrong(text: ErrorReply.notAnInteger)) }
        guard count > 0 else { return .failure(Wrong(text: ErrorReply.syntax)) }
        options.count = min(count, 1 << 20)
      case "TYPE": options.isOfStrings = String(decoding: value, as: UTF8.self).lowercased() == "string"
      default: return .failure(Wrong(text: ErrorReply.syntax))
      }
    }
    return .success(options)
  }

  struct Wrong: Error { var text: String }
}

/// Numbers as Redis reads them: no sign but `-`, no leading zero, no space.
enum Integer {
  static func parse(_ bytes: some Collection<UInt8>) -> Int? {
    let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
    guard let first = digits.first, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    if first == 0x30, digits.count > 1 || digits.count < bytes.count { return nil }
    return Int(String(decoding: bytes, as: UTF8.self))
  }
}

/// The part of a value that `GETRANGE` asks for.
enum ValueRange {
  /// From `start` to `end`, both included; negative ones count from the value's end. As in Redis, an end before the value's
  /// beginning is its first byte.
  static func clip(_ start: Int, _ end: Int, count: Int) -> Range<Int> {
    if start < 0, end < 0, start > end { return 0..<0 }
    let from = max(0, start < 0 ? count + max(start, -count) : start)
    let last = min(max(0, end < 0 ? count + max(end, -count) : end), count - 1)
    return from <= last ? from..<last + 1 : 0..<0
  }
}
