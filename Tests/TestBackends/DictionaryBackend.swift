import ClusterModel
import Synchronization

/// A new backend, as an example of how little one takes: a dictionary on one node. The dashboard, the prompt and the plain
/// benchmark work over it as they do over the engine, without what it does not have.
package final class DictionaryBackend: ClusterBackend {
  private struct State {
    var values: [[UInt8]: [UInt8]] = [:]
    var operations = OperationCounters.zero
    var events: [ClusterEvent] = []
  }

  private static let slotCount = 1_024

  private let clock: @Sendable () -> Duration
  private let state = Mutex(State())

  /// - Parameter clock: tells the time since the backend was opened; `nil` for the real one.
  package init(clock: (@Sendable () -> Duration)? = nil) {
    let opened = ContinuousClock.now
    self.clock = clock ?? { .now - opened }
    tell(.remark(.cluster, .info, node: nil, "a dictionary is open"))
  }

  /// Keys can be listed; there is one node, so nothing else.
  package var capabilities: Capabilities {
    Capabilities(features: [.scans], keyBytesMax: 65_535, valueBytesMax: 1 << 20)
  }

  // MARK: - Keys

  package func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    state.withLock { state in
      state.operations.reads += 1
      return state.values[key]
    }
  }

  package func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    guard !key.isEmpty else { throw .invalidArgument("a key has at least one byte") }
    state.withLock { state in
      state.operations.writes += 1
      state.values[key] = value
    }
  }

  package func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    state.withLock { state in
      state.operations.writes += 1
      return state.values.removeValue(forKey: key) != nil
    }
  }

  /// The cursor is the last key of the page before.
  package func scan(prefix: [UInt8], from cursor: ScanCursor?, limit: Int) async throws(ClusterError) -> ScanPage {
    let found = state.withLock { $0.values.keys.filter { $0.starts(with: prefix) } }
      .filter { key in cursor.map { $0.bytes.lexicographicallyPrecedes(key) } ?? true }
      .sorted { $0.lexicographicallyPrecedes($1) }
    let page = Array(found.prefix(limit))
    return ScanPage(keys: page, next: found.count > page.count ? page.last.map(ScanCursor.init) : nil)
  }

  // MARK: - What is seen

  package func status() -> ClusterStatus {
    let (keys, operations) = state.withLock { ($0.values.count, $0.operations) }
    let node = NodeStatus(id: 0, name: "dictionary", state: .up, share: 1, keys: keys, operations: operations)
    return ClusterStatus(
      uptimeNs: uptimeNs, phase: .serving, epoch: 1, nodes: [node],
      ring: RingStatus(epoch: 1, slotCount: Self.slotCount, arcs: [RingStatus.Arc(start: 0, owners: [0])]),
      operations: operations)
  }

  package func events(after sequence: UInt64) -> [ClusterEvent] {
    state.withLock { $0.events.filter { $0.sequence > sequence } }
  }

  package func place(of key: [UInt8]) -> KeyPlace {
    let hash = key.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    return KeyPlace(slot: Int(hash % UInt64(Self.slotCount)), owners: [0])
  }

  package func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    throw .unsupported(command.feature)
  }

  private func tell(_ what: ClusterEvent.What) {
    state.withLock { state in
      state.events.append(ClusterEvent(sequence: UInt64(state.events.count + 1), uptimeNs: uptimeNs, what))
    }
  }

  private var uptimeNs: UInt64 { UInt64(max(0, clock() / .nanoseconds(1))) }
}
