import KVCluster
import Synchronization

/// What happened in one second of a run.
package struct BenchmarkSecond: Sendable, Equatable {
  /// When it began and ended, counted from the beginning of measuring. The last one may be shorter than the others; one in
  /// which the watch could not run, because the machine stood still, is longer.
  package var startNs: UInt64
  package var endNs: UInt64
  package var counts: OperationCounts
  /// Of all kinds of operations; `nil` if none was timed.
  package var latency: LatencyFigures?
  /// Requests each node served as a replica.
  package var nodes: [NodeOperations]

  package init(
    startNs: UInt64, endNs: UInt64, counts: OperationCounts, latency: LatencyFigures?, nodes: [NodeOperations] = []
  ) {
    (self.startNs, self.endNs, self.counts) = (startNs, endNs, counts)
    (self.latency, self.nodes) = (latency, nodes)
  }

  private var seconds: Double { Double(max(1, endNs - min(endNs, startNs))) / 1e9 }
  /// A read of a read-modify-write is a read, its write a write.
  package var readsPerSecond: Double { Double(counts.reads + counts.modifies) / seconds }
  package var writesPerSecond: Double { Double(counts.writes + counts.modifies) / seconds }
  package var operationsPerSecond: Double { Double(counts.operations) / seconds }
}

/// Requests that a node served.
package struct NodeOperations: Sendable, Equatable {
  package var node: String
  package var operations: UInt64

  package init(node: String, operations: UInt64) {
    self.node = node
    self.operations = operations
  }
}

/// The percentiles that are shown everywhere, in nanoseconds.
package struct LatencyFigures: Sendable, Equatable {
  package var p50: UInt64
  package var p95: UInt64
  package var p99: UInt64
  package var p999: UInt64
  package var max: UInt64

  package init(p50: UInt64, p95: UInt64, p99: UInt64, p999: UInt64, max: UInt64) {
    (self.p50, self.p95, self.p99, self.p999, self.max) = (p50, p95, p99, p999, max)
  }

  /// `nil` if nothing was timed.
  package init?(_ histogram: LatencyHistogram) {
    guard histogram.totalCount > 0 else { return nil }
    p50 = histogram.valueAtPercentile(50)
    p95 = histogram.valueAtPercentile(95)
    p99 = histogram.valueAtPercentile(99)
    p999 = histogram.valueAtPercentile(99.9)
    max = histogram.max
  }
}

/// A thread beside a run that looks at its counters ten times a second, and takes its latencies and a look at the nodes
/// once a second.
final class BenchmarkTimeline: Sendable {
  static let windowNs: UInt64 = 100_000_000
  private static let windowsPerSecond = 10

  struct Record: Sendable {
    /// Reads and writes by windows; the last one may be short.
    var windows: [OperationCounters] = []
    var seconds: [BenchmarkSecond] = []
    /// Of all seconds together.
    var latencies = LatencySet()
  }

  private struct State {
    var record = Record()
    var isFinished = false
  }

  private let tally: OperationTally
  private let lanes: LatencyLanes
  private let nodes: @Sendable () -> [NodeOperations]
  private let startedNs: UInt64
  private let state = Mutex(State())
  private let monitor = Monitor()
  private let thread = Mutex<BackgroundThread?>(nil)

  /// - Parameter nodes: tells what each node has served since it started.
  init(
    _ tally: OperationTally, _ lanes: LatencyLanes, startedNs: UInt64,
    nodes: @escaping @Sendable () -> [NodeOperations]
  ) {
    self.tally = tally
    self.lanes = lanes
    self.nodes = nodes
    self.startedNs = startedNs
    let made = BackgroundThread("timeline") { [self] in watch() }
    thread.withLock { $0 = made }
  }

  /// The seconds so far that are over, the last `count` of them.
  func seconds(last count: Int) -> [BenchmarkSecond] { state.withLock { Array($0.record.seconds.suffix(count)) } }

  /// Ends the watch and returns everything.
  /// - Parameter endNs: when the last operation ended.
  func finish(endNs: UInt64) -> Record {
    monitor.withLock {
      state.withLock { $0.isFinished = true }
      monitor.notifyAll()
    }
    thread.withLock { $0 }?.join()
    return state.withLock { state in
      if let last = state.record.seconds.indices.last {
        state.record.seconds[last].endNs = max(state.record.seconds[last].startNs + 1, endNs - startedNs)
      }
      return state.record
    }
  }

  private func watch() {
    var (second, window) = (Ledger(startedNs, nodes()), OperationCounts())
    var dueNs = startedNs
    var isOver = false
    while !isOver {
      for _ in 0..<Self.windowsPerSecond where !isOver {
        dueNs += Self.windowNs
        isOver = sleep(untilNs: dueNs)
        let counts = tally.counts
        let part = counts - window
        window = counts
        state.withLock {
          $0.record.windows.append(
            OperationCounters(
              reads: UInt64(part.reads + part.modifies), writes: UInt64(part.writes + part.modifies)))
        }
      }
      // After a stall the windows that were missed pass at once: they are no second.
      let length = Clock.nowNs() - second.startNs
      if isOver {
        close(&second, joinsLast: length < Self.windowNs)
      } else if length >= UInt64(Self.windowsPerSecond) * Self.windowNs - Self.windowNs / 2 {
        close(&second)
      }
    }
  }

  /// What was there when the second began.
  private struct Ledger {
    var startNs: UInt64
    var counts = OperationCounts()
    var nodes: [NodeOperations]
    /// Latencies of the second before.
    var last = LatencySet()
    var spare = LatencySet()

    init(_ startNs: UInt64, _ nodes: [NodeOperations]) {
      self.startNs = startNs
      self.nodes = nodes
    }
  }

  /// - Parameter joinsLast: it is too short to have a rate of its own, and belongs to the second before.
  private func close(_ second: inout Ledger, joinsLast: Bool = false) {
    var latencies = LatencySet()
    lanes.take(into: &latencies, &second.spare)
    let (now, counts, nodes) = (Clock.nowNs(), tally.counts, nodes())
    let served = BenchmarkTimeline.difference(nodes, second.nodes)
    var closed = BenchmarkSecond(
      startNs: second.startNs - startedNs, endNs: now - startedNs, counts: counts - second.counts,
      latency: LatencyFigures(latencies.all), nodes: served)
    state.withLock { state in
      state.record.latencies.add(latencies)
      if joinsLast, let before = state.record.seconds.popLast() {
        second.last.add(latencies)
        closed.startNs = before.startNs
        closed.counts = closed.counts + before.counts
        closed.latency = LatencyFigures(second.last.all)
        closed.nodes = BenchmarkTimeline.sum(before.nodes, closed.nodes)
      }
      state.record.seconds.append(closed)
    }
    second.last = latencies
    (second.startNs, second.counts, second.nodes) = (now, counts, nodes)
  }

  /// What each node served in both.
  static func sum(_ a: [NodeOperations], _ b: [NodeOperations]) -> [NodeOperations] {
    let new = b.filter { node in !a.contains { $0.node == node.node } }
    return a.map { node in
      let more = b.first { $0.node == node.node }?.operations ?? 0
      return NodeOperations(node: node.node, operations: node.operations + more)
    } + new
  }

  /// What was served between two looks; a node that began again counts from zero.
  static func difference(_ now: [NodeOperations], _ before: [NodeOperations]) -> [NodeOperations] {
    now.map { node in
      let earlier = before.first { $0.node == node.node }?.operations ?? 0
      return NodeOperations(
        node: node.node, operations: node.operations >= earlier ? node.operations - earlier : node.operations)
    }
  }

  /// Returns whether the watch is over.
  private func sleep(untilNs dueNs: UInt64) -> Bool {
    monitor.withLock {
      while !state.withLock({ $0.isFinished }), Clock.nowNs() < dueNs { monitor.wait(untilNs: dueNs) }
      return state.withLock { $0.isFinished }
    }
  }
}
