import ClusterModel
import Synchronization
import Testing

@testable import LiveVerdict

/// An engine that acknowledges writes and may lose them.
private final class ForgetfulBackend: ClusterBackend {
  private struct State {
    var values: [[UInt8]: [UInt8]] = [:]
    var forgets = false
    var error: ClusterError?
  }

  private let state = Mutex(State())
  let told = Mutex<[ClusterEvent.What]>([])

  func forget(_ forgets: Bool) { state.withLock { $0.forgets = forgets } }
  func fail(_ error: ClusterError?) { state.withLock { $0.error = error } }

  var capabilities: Capabilities { Capabilities(features: [], keyBytesMax: 64, valueBytesMax: 64) }

  func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    state.withLock { $0.values[key] }
  }

  func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    let error = state.withLock { state in
      if !state.forgets { state.values[key] = value }
      return state.error
    }
    if let error { throw error }
  }

  func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    state.withLock { $0.values.removeValue(forKey: key) != nil }
  }

  func scan(prefix: [UInt8], from cursor: ScanCursor?, limit: Int) async throws(ClusterError) -> ScanPage {
    throw .unsupported(.scans)
  }

  func status() -> ClusterStatus { ClusterStatus(uptimeNs: 0, phase: .serving) }
  func events(after sequence: UInt64) -> [ClusterEvent] { [] }
  func place(of key: [UInt8]) -> KeyPlace { KeyPlace(slot: 0, owners: []) }

  func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult { throw .unsupported(command.feature) }
}

@Suite struct JudgedBackendTests {
  private func withJudged(_ body: (ForgetfulBackend, JudgedBackend) async throws -> Void) async throws {
    let backend = ForgetfulBackend()
    let judged = JudgedBackend(backend, keysBeginning: [1]) { what in backend.told.withLock { $0.append(what) } }
    defer { judged.stop() }
    try await body(backend, judged)
  }

  @Test("A lost write that was acknowledged is counted and told, with the operations that contradict one another")
  func countsLostWrites() async throws {
    try await withJudged { backend, judged in
      try await judged.put([1, 1], [10], WriteOptions())
      #expect(try await judged.get([1, 1], ReadOptions()) == [10])
      #expect(await judged.verdict() == judged.status().verdict)
      #expect(await judged.verdict()?.violations == 0)
      backend.forget(true)
      try await judged.put([1, 1], [11], WriteOptions())
      #expect(try await judged.get([1, 1], ReadOptions()) == [10])
      let verdict = try #require(await judged.verdict())
      #expect(verdict.violations == 1 && verdict.operationsChecked == 4)
      #expect(verdict.lastViolation?.explanation.isEmpty == false)
      #expect(backend.told.withLock { $0.count } == 1 && judged.capabilities.has(.verdict))
    }
  }

  @Test("A key that somebody counts up is not judged any more: what was written is not known")
  func forgetsUpdated() async throws {
    try await withJudged { backend, judged in
      try await judged.put([1], [10], WriteOptions())
      await #expect(throws: ClusterError.unsupported(.updates)) { try await judged.update([1], .increment(by: 1)) }
      backend.forget(true)
      try await judged.put([1], [11], WriteOptions())
      #expect(try await judged.get([1], ReadOptions()) == [10])
      #expect(await judged.verdict()?.violations == 0)
    }
  }

  @Test("Writes of unknown outcome and refused ones may be missing, and other keys are not judged")
  func judgesOnlyWhatWasPromised() async throws {
    try await withJudged { backend, judged in
      try await judged.put([1], [10], WriteOptions())
      backend.forget(true)
      for error in [ClusterError.undecidedWrite("the server went away"), .notServing("no owner")] {
        backend.fail(error)
        await #expect(throws: error) { try await judged.put([1], [11], WriteOptions()) }
      }
      backend.fail(nil)
      #expect(try await judged.get([1], ReadOptions()) == [10])
      try await judged.put([2], [20], WriteOptions())
      #expect(try await judged.get([2], ReadOptions()) == nil)
      let verdict = try #require(await judged.verdict())
      #expect(verdict.violations == 0 && verdict.operationsChecked >= 2)
    }
  }
}
