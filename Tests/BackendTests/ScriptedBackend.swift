import ClusterModel
import Synchronization

/// A backend that says what a test has written for it: any status, events, an answer or error for each call.
final class ScriptedBackend: ClusterBackend {
  struct Script: Sendable {
    var capabilities = Capabilities(keyBytesMax: 64, valueBytesMax: 256)
    var status = ClusterStatus(uptimeNs: 0, phase: .serving)
    var events: [ClusterEvent] = []
    var values: [[UInt8]: [UInt8]] = [:]
    /// What every call throws, while set.
    var error: ClusterError?
    /// Orders that were given.
    var orders: [AdminCommand] = []
  }

  let script: Mutex<Script>

  init(_ script: Script = Script()) { self.script = Mutex(script) }

  private func checked<R: Sendable>(_ body: (inout Script) -> R) throws(ClusterError) -> R {
    let result: Result<R, ClusterError> = script.withLock { script in
      script.error.map { .failure($0) } ?? .success(body(&script))
    }
    return try result.get()
  }

  var capabilities: Capabilities { script.withLock { $0.capabilities } }

  func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    try checked { $0.values[key] }
  }

  func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    try checked { $0.values[key] = value }
  }

  func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    try checked { $0.values.removeValue(forKey: key) != nil }
  }

  func scan(prefix: [UInt8], from cursor: ScanCursor?, limit: Int) async throws(ClusterError) -> ScanPage {
    try checked { script in
      ScanPage(keys: script.values.keys.filter { $0.starts(with: prefix) }.sorted { $0.lexicographicallyPrecedes($1) })
    }
  }

  func status() -> ClusterStatus { script.withLock { $0.status } }
  func events(after sequence: UInt64) -> [ClusterEvent] {
    script.withLock { $0.events.filter { $0.sequence > sequence } }
  }
  func place(of key: [UInt8]) -> KeyPlace { KeyPlace(slot: key.count % 16, owners: [0]) }

  func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    try checked { $0.orders.append(command) }
    guard case .backUp = command else { return .done }
    let goesOn = progress(.backup(BackupProgress(bytesDone: 1 << 20, bytesTotal: 2 << 20)))
    return goesOn ? .backedUp(BackupSummary(nodes: 2, bytes: 2 << 20)) : .stopped
  }
}
