import ClusterModel
import KVCluster

/// A backend whose answers are judged, where the engine behind it is not kvstore's own.
///
/// Only operations on keys of one prefix that come through here are recorded: what others write at the same time is not
/// known, and would be held against the engine. So the prefix is one that nobody else uses, that of the benchmark.
package final class JudgedBackend: ClusterBackend {
  private let backend: any ClusterBackend
  private let prefix: [UInt8]
  private let tap: OperationTap
  private let board: VerdictBoard
  private let checker: LiveChecker

  /// - Parameters:
  ///   - prefix: of the keys that are judged.
  ///   - tell: is told of answers that nothing explains.
  package init(
    _ backend: any ClusterBackend, keysBeginning prefix: [UInt8],
    tell: @escaping @Sendable (ClusterEvent.What) -> Void
  ) {
    (self.backend, self.prefix) = (backend, prefix)
    tap = OperationTap()
    board = VerdictBoard(tap, tell: tell)
    // Nothing has been asked through here yet.
    checker = LiveChecker(tap, board, warmUpNs: 0) { false }
  }

  /// Ends judging; the backend goes on.
  package func stop() { checker.stop() }

  package var capabilities: Capabilities {
    var capabilities = backend.capabilities
    capabilities.features.insert(.verdict)
    return capabilities
  }

  // MARK: - Judged

  package func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    let record = begin(.get, key)
    do throws(ClusterError) {
      let value = try await backend.get(key, options)
      if let record, let value { value.withUnsafeBytes { tap.note(record, found: ObservedValue($0)) } }
      tap.end(record, .done)
      return value
    } catch {
      throw failed(record, error)
    }
  }

  package func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    let record = begin(.put, key, value)
    do throws(ClusterError) {
      try await backend.put(key, value, options)
      tap.end(record, .done)
    } catch {
      throw failed(record, error)
    }
  }

  package func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    let record = begin(.delete, key)
    do throws(ClusterError) {
      let existed = try await backend.delete(key, options)
      tap.end(record, .done)
      return existed
    } catch {
      throw failed(record, error)
    }
  }

  package func putTogether(_ pairs: [KeyValue]) async throws(ClusterError) {
    let records = pairs.map { begin(.put, $0.key, $0.value) }
    do throws(ClusterError) {
      try await backend.putTogether(pairs)
      for record in records { tap.end(record, .done) }
    } catch {
      for record in records { tap.end(record, DataPath.outcome(of: error)) }
      throw error
    }
  }

  private func begin(_ kind: ObservedOperation.Kind, _ key: [UInt8], _ value: [UInt8]? = nil) -> Int? {
    guard key.starts(with: prefix) else { return nil }
    return key.withUnsafeBytes { key in
      guard tap.watches(Ring.hash(key)) else { return nil }
      return tap.begin(kind, key, value.map { $0.withUnsafeBytes { ObservedValue($0) } } ?? .absent)
    }
  }

  /// What it writes is not known before it has ended: its key is not judged any more.
  package func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult {
    let record = update == .timeToLive ? nil : begin(.update, key)
    defer { tap.end(record, .unknown) }
    return try await backend.update(key, update)
  }

  private func failed(_ record: Int?, _ error: ClusterError) -> ClusterError {
    tap.end(record, DataPath.outcome(of: error))
    return error
  }

  // MARK: - Passed on

  package func ready() async throws(ClusterError) { try await backend.ready() }

  package func scan(
    prefix: [UInt8], from cursor: ScanCursor?, limit: Int
  ) async throws(ClusterError) -> ScanPage {
    try await backend.scan(prefix: prefix, from: cursor, limit: limit)
  }

  package func status() -> ClusterStatus {
    var status = backend.status()
    // Before the first benchmark there is none, and its room is the engine's promise's.
    if let verdict = board.status, verdict.operationsChecked > 0 { status.verdict = verdict }
    return status
  }

  package func events(after sequence: UInt64) -> [ClusterEvent] { backend.events(after: sequence) }
  package func place(of key: [UInt8]) -> KeyPlace { backend.place(of: key) }

  package func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    try await backend.perform(command, progress: progress)
  }

  package func verdict() async -> VerdictStatus? { await board.ofNow() }
}
