import Synchronization

/// Operations by kind.
package struct OperationCounts: Sendable, Equatable {
  package var reads = 0
  /// Updates and inserts.
  package var writes = 0
  /// Each a read and a write.
  package var modifies = 0
  package var failures = 0

  package init(reads: Int = 0, writes: Int = 0, modifies: Int = 0, failures: Int = 0) {
    (self.reads, self.writes, self.modifies, self.failures) = (reads, writes, modifies, failures)
  }

  /// Those that succeeded.
  package var operations: Int { reads + writes + modifies }

  @inline(__always)
  mutating func count(_ kind: OperationKind) {
    switch kind {
    case .read: reads += 1
    case .write, .insert: writes += 1
    case .modify: modifies += 1
    }
  }

  package static func + (a: OperationCounts, b: OperationCounts) -> OperationCounts {
    OperationCounts(
      reads: a.reads + b.reads, writes: a.writes + b.writes, modifies: a.modifies + b.modifies,
      failures: a.failures + b.failures)
  }

  static func - (a: OperationCounts, b: OperationCounts) -> OperationCounts {
    OperationCounts(
      reads: a.reads - b.reads, writes: a.writes - b.writes, modifies: a.modifies - b.modifies,
      failures: a.failures - b.failures)
  }
}

/// What all callers have done so far.
final class OperationTally: Sendable {
  private let reads = Atomic(0)
  private let writes = Atomic(0)
  private let modifies = Atomic(0)
  private let failures = Atomic(0)

  func add(_ counts: OperationCounts) {
    if counts.reads > 0 { reads.wrappingAdd(counts.reads, ordering: .relaxed) }
    if counts.writes > 0 { writes.wrappingAdd(counts.writes, ordering: .relaxed) }
    if counts.modifies > 0 { modifies.wrappingAdd(counts.modifies, ordering: .relaxed) }
    if counts.failures > 0 { failures.wrappingAdd(counts.failures, ordering: .relaxed) }
  }

  var counts: OperationCounts {
    OperationCounts(
      reads: reads.load(ordering: .relaxed), writes: writes.load(ordering: .relaxed),
      modifies: modifies.load(ordering: .relaxed), failures: failures.load(ordering: .relaxed))
  }

  func reset() {
    reads.store(0, ordering: .relaxed)
    writes.store(0, ordering: .relaxed)
    modifies.store(0, ordering: .relaxed)
    failures.store(0, ordering: .relaxed)
  }
}
