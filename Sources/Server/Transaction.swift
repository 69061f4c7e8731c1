import KVCluster
import RESP
import Synchronization

/// Commands between `MULTI` and `EXEC`: queued, and then carried out in one step, all or none.
struct Transaction: Sendable {
  /// A command with its arguments, without the name.
  struct Entry: Sendable {
    let id: CommandID
    let arguments: [[UInt8]]
  }

  private(set) var entries: [Entry] = []
  private var byteCount = 0
  /// A command could not be queued, so nothing will be carried out.
  var isBroken = false

  /// What is queued may take as much memory as one batch, with its commands' own.
  private static let bytesMax = 2 * Limits.batchBytesMax
  private static let bytesPerEntry = 128

  /// - Returns: false if there is no room for it.
  mutating func queue(_ id: CommandID, _ arguments: [[UInt8]]) -> Bool {
    byteCount += arguments.reduce(Self.bytesPerEntry) { $0 + $1.count + MemoryLayout<[UInt8]>.size }
    guard byteCount <= Self.bytesMax else { return false }
    entries.append(Entry(id: id, arguments: arguments))
    return true
  }

  /// Whether a command may stand between `MULTI` and `EXEC`: those on keys that are named, and a few that need none.
  static func takes(_ id: CommandID) -> Bool {
    switch id {
    case .ping, .echo: true
    default: CommandTable.entries[id.rawValue].keys.first > 0
    }
  }
}

/// Keys that a client watches, and the versions that they had.
final class WatchedKeys: Sendable {
  private let versions = Mutex<[[UInt8]: UInt64]>([:])

  var keys: [[UInt8]] { versions.withLock { $0.keys.sorted { $0.lexicographicallyPrecedes($1) } } }

  /// Looks at keys; one that is watched already keeps the version that it had then.
  func add(_ keys: [[UInt8]], _ data: DataPath) async throws(ClusterError) {
    var distinct: [[UInt8]] = []
    for key in keys where !distinct.contains(key) { distinct.append(key) }
    let found = try await data.update(all: distinct, readsValues: false) { found throws(ClusterError) in
      (found.map { _ in .keep }, found.map(\.version))
    }
    versions.withLock { versions in
      for (key, version) in zip(distinct, found) where versions[key] == nil { versions[key] = version }
    }
  }

  /// Whether all are as they were.
  func areUnchanged(_ keys: [[UInt8]], _ found: [FoundKey]) -> Bool {
    versions.withLock { versions in
      zip(keys, found).allSatisfy { key, found in versions[key].map { $0 == found.version } ?? true }
    }
  }
}

/// A transaction on its way: what it reads and writes, key by key, until all is known.
struct TransactionRun: Sendable {
  let entries: [Transaction.Entry]
  let watched: WatchedKeys
  let version: RESPVersion
  let cluster: Cluster

  /// The reply as bytes.
  func run() async -> [UInt8] {
    var keys: [[UInt8]] = []
    var places: [[UInt8]: Int] = [:]
    for key in entries.flatMap(\.keys) + watched.keys
    where places.updateValue(keys.count, forKey: key) == nil { keys.append(key) }
    var reply = ReplyBuffer()
    reply.version = version
    guard !keys.isEmpty else {
      let state = State(places: [:], values: [], cluster.dataPath.clock)
      return answer(state)
    }
    // The first place of a key that comes again.
    for (i, key) in keys.enumerated() { places[key] = i }
    do throws(ClusterError) {
      let (known, order, clock) = (places, keys, cluster.dataPath.clock)
      return try await cluster.dataPath.update(all: keys) { found throws(ClusterError) in
        guard watched.areUnchanged(order, found) else {
          var reply = ReplyBuffer()
          reply.version = version
          reply.nullArray()
          return (found.map { _ in .keep }, Array(reply.bytes))
        }
        let state = State(places: known, values: found.map { State.Value($0.value, $0.expiry) }, clock)
        let bytes = answer(state)
        return (state.values.map(\.change), bytes)
      }
    } catch {
      reply.error(ErrorReply.text(error))
      return Array(reply.bytes)
    }
  }

  private func answer(_ state: State) -> [UInt8] {
    var reply = ReplyBuffer()
    reply.version = version
    reply.array(entries.count)
    for entry in entries { state.carryOut(entry, &reply) }
    return Array(reply.bytes)
  }
}

extension Transaction.Entry {
  /// The keys that it names.
  var keys: [[UInt8]] {
    let places = CommandTable.entries[id.rawValue].keys
    guard places.first > 0 else { return [] }
    // Places count the command's name.
    let last = places.last < 0 ? arguments.count + places.last : places.last - 1
    return stride(from: places.first - 1, through: last, by: places.step).map { arguments[$0] }
  }
}

extension TransactionRun {
  /// What the keys of a transaction hold while it is carried out.
  final class State {
    struct Value {
      private(set) var value: [UInt8]?
      /// In Unix milliseconds.
      private(set) var expiry: UInt64?
      private(set) var change = Change.keep
      private let existed: Bool

      init(_ value: [UInt8]?, _ expiry: UInt64?) { (self.value, self.expiry, existed) = (value, expiry, value != nil) }

      /// - Throws: a time that is too far away.
      mutating func make(_ wanted: Change, _ clock: ExpiryClock) throws(ClusterError) {
        switch wanted {
        case .keep: return
        case .delete: clear()
        case .put(let value, let change):
          let end: UInt64? =
            switch change {
            case .none: nil
            case .kept: self.value == nil ? nil : expiry
            case .set(let time): try clock.time(time)
            }
          if let end, end <= clock.now { return clear() }
          (self.value, expiry) = (value, end)
          self.change = .put(value, end.map { .set(.at(unixMilliseconds: Int64($0))) } ?? .none)
        }
      }

      private mutating func clear() {
        (value, expiry) = (nil, nil)
        change = existed ? .delete : .keep
      }
    }

    private let places: [[UInt8]: Int]
    private(set) var values: [Value]
    private let clock: ExpiryClock

    init(places: [[UInt8]: Int], values: [Value], _ clock: ExpiryClock) {
      (self.places, self.values, self.clock) = (places, values, clock)
    }

    private func value(_ key: [UInt8]) -> [UInt8]? { values[places[key]!].value }

    func carryOut(_ entry: Transaction.Entry, _ reply: inout ReplyBuffer) {
      let start = reply.count
      do throws(ScanOptions.Wrong) {
        try perform(entry, &reply)
      } catch {
        reply.truncate(to: start)
        reply.error(error.text)
      }
    }

    private func perform(
      _ entry: Transaction.Entry, _ reply: inout ReplyBuffer
    ) throws(ScanOptions.Wrong) {
      let arguments = entry.arguments
      switch entry.id {
      case .ping: if let text = arguments.first { reply.bulk(text) } else { reply.simple("PONG") }
      case .echo: reply.bulk(arguments[0])
      case .get: Self.write(value(arguments[0]), &reply)
      case .mget:
        reply.array(arguments.count)
        for key in arguments { Self.write(value(key), &reply) }
      case .mset, .msetnx:
        let pairs = stride(from: 0, to: arguments.count, by: 2).map { (arguments[$0], arguments[$0 + 1]) }
        if entry.id == .msetnx, pairs.contains(where: { value($0.0) != nil }) { return reply.integer(0) }
        for (key, value) in pairs { try make(.put(value), key) }
        if entry.id == .mset { reply.ok() } else { reply.integer(1) }
      case .del, .unlink, .exists, .touch:
        var count = 0
        for key in arguments where value(key) != nil {
          count += 1
          if entry.id == .del || entry.id == .unlink { try make(.delete, key) }
        }
        reply.integer(count)
      case .strlen: reply.integer(value(arguments[0])?.count ?? 0)
      case .type: reply.simple(value(arguments[0]) == nil ? "none" : "string")
      case .getrange, .substr:
        guard let start = Integer.parse(arguments[1]), let end = Integer.parse(arguments[2]) else {
          throw ScanOptions.Wrong(text: ErrorReply.notAnInteger)
        }
        let value = value(arguments[0]) ?? []
        reply.bulk(Array(value[ValueRange.clip(start, end, count: value.count)]))
      default: try update(entry, &reply)
      }
    }

    private func update(_ entry: Transaction.Entry, _ reply: inout ReplyBuffer) throws(ScanOptions.Wrong) {
      guard let update = try ValueUpdate(entry.id, entry.arguments) else {
        guard let set = try PlainSet(entry.id, entry.arguments) else {
          throw ScanOptions.Wrong(text: ErrorReply.syntax)
        }
        try make(.put(set.value, set.expiry.map { .set($0) } ?? .none), set.key)
        return reply.ok()
      }
      let key = entry.arguments[0]
      let place = places[key]!
      let (change, answer) = Self.withFound(values[place]) { update.apply(to: $0, clock) }
      try make(change, key)
      answer.write(to: &reply)
    }

    private static func withFound<R>(_ value: Value, _ body: (Found) -> R) -> R {
      guard let bytes = value.value else { return body(Found(value: nil)) }
      return bytes.withUnsafeBytes { bytes in
        // An empty array has no address, and an empty value is a value.
        body(Found(value: UnsafeRawBufferPointer(start: bytes.baseAddress, count: bytes.count), expiry: value.expiry))
      }
    }

    private func make(_ change: Change, _ key: [UInt8]) throws(ScanOptions.Wrong) {
      do throws(ClusterError) {
        try values[places[key]!].make(change, clock)
      } catch {
        throw ScanOptions.Wrong(text: ErrorReply.text(error))
      }
    }

    private static func write(_ value: [UInt8]?, _ reply: inout ReplyBuffer) {
      if let value { reply.bulk(value) } else { reply.null() }
    }
  }
}
