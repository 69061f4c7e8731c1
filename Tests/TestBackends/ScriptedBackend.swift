import ClusterModel
import Synchronization

/// A backend that says what a test has written for it: any status, events, an answer or error for each call.
package final class ScriptedBackend: ClusterBackend {
  package struct Script: Sendable {
    package var capabilities = Capabilities(keyBytesMax: 64, valueBytesMax: 256)
    package var status = ClusterStatus(uptimeNs: 0, phase: .serving)
    package var events: [ClusterEvent] = []
    package var values: [[UInt8]: [UInt8]] = [:]
    /// What is left of the time of those that end, in milliseconds.
    package var ends: [[UInt8]: Int64] = [:]
    /// What every call throws, while set.
    package var error: ClusterError?
    /// Why it never serves, if it does not.
    package var neverReady: ClusterError?
    /// Reads, or writes, wait until ``ScriptedBackend/release()``.
    package var holdsReads = false
    package var holdsWrites = false
    /// Orders that were given.
    package var orders: [AdminCommand] = []
    fileprivate var calls = 0
    fileprivate var held: [CheckedContinuation<Void, Never>] = []
    fileprivate var watchers: [CheckedContinuation<Void, Never>] = []

    package init() {}
  }

  package let script: Mutex<Script>

  package init(_ script: Script = Script()) { self.script = Mutex(script) }

  /// Orders that were given.
  package var orders: [AdminCommand] { script.withLock { $0.orders } }

  /// Returns once a call has come.
  package func untilCalled() async {
    await withCheckedContinuation { continuation in
      let isCalled = script.withLock { script in
        if script.calls == 0 { script.watchers.append(continuation) }
        return script.calls > 0
      }
      if isCalled { continuation.resume() }
    }
  }

  /// Lets the calls that are held go on, and all that follow.
  package func release() {
    let held = script.withLock { script in
      (script.holdsReads, script.holdsWrites) = (false, false)
      defer { script.held = [] }
      return script.held
    }
    for continuation in held { continuation.resume() }
  }

  private func checked<R: Sendable>(
    isWrite: Bool = true, _ body: (inout Script) -> R
  ) async throws(ClusterError) -> R {
    await withCheckedContinuation { continuation in
      let (watchers, isHeld) = script.withLock { script in
        script.calls += 1
        let isHeld = isWrite ? script.holdsWrites : script.holdsReads
        if isHeld { script.held.append(continuation) }
        defer { script.watchers = [] }
        return (script.watchers, isHeld)
      }
      for watcher in watchers { watcher.resume() }
      if !isHeld { continuation.resume() }
    }
    let result: Result<R, ClusterError> = script.withLock { script in
      script.error.map { .failure($0) } ?? .success(body(&script))
    }
    return try result.get()
  }

  package var capabilities: Capabilities { script.withLock { $0.capabilities } }

  package func ready() async throws(ClusterError) {
    if let error = script.withLock({ $0.neverReady }) { throw error }
  }

  package func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    try await checked(isWrite: false) { $0.values[key] }
  }

  package func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    try await checked { $0.values[key] = value }
  }

  package func putTogether(_ pairs: [KeyValue]) async throws(ClusterError) {
    try await checked { script in for pair in pairs { script.values[pair.key] = pair.value } }
  }

  package func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    try await checked { $0.values.removeValue(forKey: key) != nil }
  }

  package func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult {
    try await checked { script in
      let old = script.values[key]
      switch update {
      case .compareAndSet(let expected, let value):
        guard old == expected else { return .differs(old) }
        script.values[key] = value
        return .swapped
      case .increment(let amount):
        let sum = (old.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0) + amount
        script.values[key] = Array("\(sum)".utf8)
        return .sum(sum)
      case .append(let suffix):
        script.values[key] = (old ?? []) + suffix
        return .length((old ?? []).count + suffix.count)
      case .take: return .taken(script.values.removeValue(forKey: key))
      case .expire(let end):
        guard old != nil else { return .timeToLive(.noKey) }
        script.ends[key] = if case .after(let milliseconds) = end { milliseconds } else { 0 }
        return .timeToLive(.left(milliseconds: script.ends[key] ?? 0))
      case .persist, .timeToLive:
        let left = old == nil ? TimeToLive.noKey : script.ends[key].map { .left(milliseconds: $0) } ?? .unlimited
        if update == .persist { script.ends[key] = nil }
        return .timeToLive(left)
      }
    }
  }

  package func scan(prefix: [UInt8], from cursor: ScanCursor?, limit: Int) async throws(ClusterError) -> ScanPage {
    try await checked(isWrite: false) { script in
      ScanPage(keys: script.values.keys.filter { $0.starts(with: prefix) }.sorted { $0.lexicographicallyPrecedes($1) })
    }
  }

  package func status() -> ClusterStatus { script.withLock { $0.status } }

  package func events(after sequence: UInt64) -> [ClusterEvent] {
    script.withLock { $0.events.filter { $0.sequence > sequence } }
  }

  package func place(of key: [UInt8]) -> KeyPlace { KeyPlace(slot: key.count % 16, owners: [0]) }

  package func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    try await checked { $0.orders.append(command) }
    guard case .backUp = command else { return .done }
    let goesOn = progress(.backup(BackupProgress(bytesDone: 1 << 20, bytesTotal: 2 << 20)))
    return goesOn ? .backedUp(BackupSummary(nodes: 2, bytes: 2 << 20)) : .stopped
  }
}
