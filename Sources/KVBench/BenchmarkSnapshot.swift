import KVCluster
import Text

/// How a benchmark stands at one moment: a plain value that a panel draws and a line of progress says.
package struct BenchmarkSnapshot: Sendable, Equatable {
  package enum Phase: String, Sendable, Equatable {
    /// Nothing has begun.
    case waiting
    /// Every key is put once.
    case loading
    /// The same as measured, or reads that fill the caches; not counted.
    case warmingUp = "warming up"
    case measuring
    /// Its keys are deleted.
    case cleaningUp = "cleaning up"
    case finished
  }

  /// Seconds it carries at most: what the widest graph shows, twice.
  package static let secondsMax = 600

  package var plan: BenchmarkPlan
  package var phase: Phase
  /// When the snapshot was taken and when measuring began, in nanoseconds of the monotonic clock; 0 before it began.
  package var atNs: UInt64
  package var startedNs: UInt64
  /// Operations of this phase so far.
  package var counts: OperationCounts
  /// Of this phase, from 0 to 1; `nil` if nobody knows.
  package var fraction: Double?
  /// What is left of this phase, judged by what went before; `nil` if nobody knows.
  package var leftNs: UInt64?
  /// Seconds of measuring that are over, oldest first; the last ``secondsMax`` of them.
  package var seconds: [BenchmarkSecond]
  /// Joins, leaves, kills and restarts since measuring began.
  package var marks: [BenchmarkMark]

  /// How much of the whole run is over, from 0 to 1: it only grows. Measuring is taken for most of it, because nobody knows how
  /// long loading and deleting take.
  package var fractionOfRun: Double {
    let prepares = plan.workload.loads || plan.warms || plan.warmUpSeconds > 0
    let start = prepares ? 0.2 : 0
    let part: (from: Double, to: Double) =
      switch phase {
      case .waiting: (0, 0)
      case .loading: (0, 0.15)
      case .warmingUp: (0.15, start)
      case .measuring: (start, 0.95)
      case .cleaningUp: (0.95, 1)
      case .finished: (1, 1)
      }
    return part.from + (part.to - part.from) * (fraction ?? 0)
  }

  /// One line: what it does, how fast, how far it is.
  package var text: String {
    let percent = fraction.map { ", \(Figures.percent($0))" } ?? ""
    let left = leftNs.map { ", \(Figures.time(ns: $0)) left" } ?? ""
    let failures = counts.failures > 0 ? ", \(Figures.count(counts.failures)) failed" : ""
    guard phase == .measuring, let second = seconds.last else {
      return
        "\(plan.workload.rawValue), \(phase.rawValue): \(Figures.count(counts.operations, "operation"))\(percent)\(left)\(failures)"
    }
    let latency = second.latency.map {
      ", p50 \(Figures.time(ns: $0.p50)), p99 \(Figures.time(ns: $0.p99))"
    }
    return """
      \(plan.workload.rawValue): \(Figures.rate(second.readsPerSecond)) reads/s, \(Figures.rate(second.writesPerSecond)) \
      writes/s\(latency ?? "")\(percent)\(left)\(failures)
      """
  }
}

/// Something that happened to the cluster while it was measured.
package struct BenchmarkMark: Sendable, Equatable {
  /// Counted from the beginning of measuring.
  package var atNs: UInt64
  package var kind: ClusterEvent.Kind
  /// What the cluster said.
  package var text: String

  package init(atNs: UInt64, kind: ClusterEvent.Kind, text: String) {
    (self.atNs, self.kind, self.text) = (atNs, kind, text)
  }

  /// The mark an event makes, if it is one that explains a dip.
  /// - Parameter startedNs: when measuring began, as the cluster's uptime counts.
  init?(_ event: ClusterEvent, startedNs: UInt64) {
    switch event.kind {
    case .join, .leave, .kill, .restart: break
    case .storage where event.severity == .failure: break
    case .cluster, .recovery, .hints, .storage: return nil
    }
    guard event.uptimeNs >= startedNs else { return nil }
    self.init(atNs: event.uptimeNs - startedNs, kind: event.kind, text: event.description)
  }
}
