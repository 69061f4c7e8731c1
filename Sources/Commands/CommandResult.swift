import ClusterModel

/// How a command ended, as a value. A face puts it into words, see ``CommandResult/answers``, or reads its fields.
package enum CommandResult: Sendable, Equatable {
  /// The line was blank.
  case nothing
  case stored(key: [UInt8], value: [UInt8])
  case found(key: [UInt8], value: [UInt8])
  case notFound(key: [UInt8])
  case deleted(key: [UInt8], existed: Bool)
  /// Values of keys in their order; `nil` where there is none.
  case foundAll(keys: [[UInt8]], values: [[UInt8]?])
  case storedTogether([KeyValue])
  case updated(key: [UInt8], KeyUpdate, KeyUpdateResult)
  /// An order to the administration was obeyed; perhaps fewer nodes are left than a key should have copies.
  case obeyed(AdminCommand, CopyShortage? = nil)
  case nodes(ClusterStatus)
  /// At most `limit` keys that begin with `prefix`.
  case keys(ScanPage, prefix: [UInt8])
  case verdict(VerdictStatus?)
  /// Text to read: help, an explanation.
  case text([String])
  case backedUp(BackupSummary, path: [UInt8])
  case compacted(CompactionSummary)
  case backupStopped(path: [UInt8])
  case loaded(LoadProgress, LoadEnd)
  /// Result of a workload; its figures were printed while it ran.
  case measured(MeasuredEnd)
  /// Result of the plain benchmark; its figures were printed while it ran.
  case averaged(BenchmarkEnd)
  case benchmarkStopped(BenchmarkSubject)
  case benchmarkResults(BenchmarkResults)
  /// The tour was played; whether every claim held.
  case toured(isGood: Bool)
  case exit

  /// The cluster refused or could not finish it.
  case failed(ClusterError)
  /// The line is no command.
  case unreadable(CommandError)
  /// It cannot be done from here.
  case impossible(Obstacle)

  /// Why a command cannot be done from this face.
  package enum Obstacle: Sendable, Equatable {
    /// It damages data that somebody wants to keep, and was not asked for twice.
    case mustBeMeant(AdminCommand)
    case noInput
    case cannotOpen(path: [UInt8], reason: String)
    case benchmarkRuns(BenchmarkSubject)
    case noBenchmarkRuns
    case noTour
  }

  /// Why the cluster did not do it.
  package var error: ClusterError? { if case .failed(let error) = self { error } else { nil } }

  /// How the command ended, for a script's status.
  package var outcome: Outcome {
    switch self {
    case .nothing, .stored, .found, .obeyed, .nodes, .keys, .text, .backedUp, .compacted, .benchmarkStopped,
      .benchmarkResults:
      .success
    case .deleted(_, let existed): existed ? .success : .failure
    case .storedTogether: .success
    case .foundAll(_, let values): values.contains { $0 != nil } ? .success : .failure
    case .updated(_, _, .differs), .updated(_, _, .taken(nil)), .updated(_, _, .timeToLive(.noKey)): .failure
    case .updated: .success
    case .verdict(let verdict): verdict?.violations ?? 0 == 0 ? .success : .failure
    case .loaded(let progress, let end): end == .complete && progress.linesFailed == 0 ? .success : .failure
    case .measured(let end): end.isGood ? .success : .failure
    case .toured(let isGood): isGood ? .success : .failure
    case .averaged(let end): end.isGood ? .success : .failure
    case .notFound, .backupStopped, .failed, .unreadable, .impossible: .failure
    case .exit: .exit
    }
  }
}

/// How reading a file to load ended.
package enum LoadEnd: Sendable, Equatable {
  case complete
  case cancelled
  /// Too many lines could not be stored; the rest was not tried.
  case tooManyRefused
  case unreadable(String)
}

/// Results of all benchmarks at this prompt.
package struct BenchmarkResults: Sendable, Equatable {
  /// Rates of the last `benchmark` without a workload.
  package var averages: BenchmarkAverages?
  /// The last few runs of workloads, oldest first.
  package var runs: [BenchmarkSummary]
}

/// How the plain benchmark ended.
package struct BenchmarkEnd: Sendable, Equatable {
  /// `nil` if no write succeeded.
  package var averages: BenchmarkAverages?
  /// Writes and reads that failed, and why the first of them did.
  package var failures = 0
  package var firstError: ClusterError?
  package var wasCancelled = false
  /// All of its keys are deleted.
  package var isClean = true

  package init() {}

  /// Whether every operation succeeded and no key is left.
  package var isGood: Bool { averages != nil && failures == 0 && isClean && !wasCancelled }
}

/// Operations a second of the plain benchmark.
package struct BenchmarkAverages: Sendable, Equatable {
  package var writesPerSecond: Int
  /// `nil` if it was ended before it read.
  package var readsPerSecond: Int?
}

/// How the run of a workload ended.
package struct MeasuredEnd: Sendable, Equatable {
  /// `nil` if nothing was measured.
  package var summary: BenchmarkSummary?
  /// Something was measured, and the page with graphs is written, if one was asked for.
  package var isReported = true
  /// The page could not be written.
  package var hasLostPage = false
  /// All of its keys are deleted.
  package var isClean = true

  /// Whether every operation succeeded, the page is there and no key is left.
  package var isGood: Bool { summary?.failures == 0 && isReported && isClean }
}

/// Fewer nodes than copies that each key should have.
package struct CopyShortage: Sendable, Equatable {
  package var nodes: Int
  package var replicas: Int

  /// `nil` where there are enough nodes, or no quorums.
  package init?(nodes: Int, _ quorum: QuorumSettings?) {
    guard let quorum, nodes > 0, nodes < quorum.replicas else { return nil }
    (self.nodes, replicas) = (nodes, quorum.replicas)
  }
}
