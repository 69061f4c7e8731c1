import ClusterModel
import Commands
import Dashboard

/// A cluster as a status describes it, without an engine: the same on every machine and in every run.
struct Sample {
  var nodes: [NodeStatus]
  var phase = ClusterPhase.serving
  var change: ChangeStatus?
  var next: [Int] = []
  var pausedNodes: [Int] = []
  var expiry: ExpiryStatus?
  var linkFaults: [LinkFault] = []
  var verdict: VerdictStatus? = VerdictStatus(operationsChecked: 1_203_221, keysWatched: 9, keysPerWatched: 128)
  var dataFolder = "/home/ada/.local/share/kvstore"

  static let openedNs: UInt64 = 5_000_000_000_000
  static let slots = 65_536
  /// Parts of the ring with owners of their own.
  static let parts = 1_024

  init(nodes count: Int) {
    nodes = (0..<count).map { id in
      NodeStatus(
        id: id, name: "node\(id + 1)", state: .up, share: Swift.min(1, 3 / Double(count)), keys: 400_000 - 20_000 * id,
        tombstones: 0,
        cache: CacheStatus(hits: 900 + UInt64(id), misses: 100, bytes: 1 << 20, capacityBytes: 1 << 26),
        wal: WalStatus(
          bytes: (120 + 7 * id) << 20, liveBytes: 80 << 20, segments: 3, syncs: 10, compactions: 0, damages: 0),
        hintsWaiting: 0)
    }
  }

  /// The status `seconds` after the opening, when `reads` and `writes` operations had been done.
  func status(
    at seconds: Double, reads: UInt64 = 0, writes: UInt64 = 0, ring: RingStatus? = nil
  ) -> ClusterStatus {
    var nodes = nodes
    for index in nodes.indices {
      nodes[index].operations = OperationCounters(reads: reads / 3, writes: writes / 2)
      nodes[index].cache?.hits? += reads / 3 * 9 / 10
      nodes[index].cache?.misses? += reads / 30 + UInt64(index) * reads / 100
    }
    var status = ClusterStatus(
      uptimeNs: UInt64(seconds * 1e9), phase: phase, epoch: 7, quorum: QuorumSettings(), fsync: .always,
      dataFolder: dataFolder, isEphemeral: false, nodes: nodes, ring: ring ?? makeRing(), change: change,
      operations: OperationCounters(reads: reads, writes: writes))
    status.latencies = latencies(reads: reads, writes: writes)
    status.pausedNodes = pausedNodes
    status.expiry = expiry
    status.linkFaults = linkFaults
    status.verdict = verdict
    return status
  }

  /// A thousandth of the operations measured; writes take four times as long as reads, and a few much longer.
  private func latencies(reads: UInt64, writes: UInt64) -> OperationLatencies {
    var latencies = OperationLatencies()
    for number in 0..<reads / 2_000 { latencies.reads.add(ns: 40_000 + number % 100 * 900) }
    for number in 0..<writes / 2_000 { latencies.writes.add(ns: 160_000 + number % 50 * number % 50 * 900) }
    return latencies
  }

  private func makeRing() -> RingStatus {
    let ids = nodes.map(\.id).filter { !next.contains($0) || change == nil || change?.kind == .leave }
    let after = change.map { change in
      change.kind == .join ? nodes.map(\.id) : nodes.filter { $0.name != change.node }.map(\.id)
    }
    return RingStatus(
      slotCount: Self.slots, arcs: Self.arcs(ids), nextArcs: after.map(Self.arcs) ?? [], tokenCount: ids.count * 64)
  }

  /// Runs of uneven length, spread by a fixed multiplicative hash; each slot's owners follow each other.
  private static func arcs(_ ids: [Int]) -> [RingStatus.Arc] {
    guard !ids.isEmpty else { return [] }
    return (0..<parts).map { part in
      let run = part / 12 + part / 31
      let first = Int((UInt32(truncatingIfNeeded: run) &* 2_654_435_761) >> 16) % ids.count
      return RingStatus.Arc(
        start: part * (slots / parts), owners: (0..<Swift.min(3, ids.count)).map { ids[(first + $0) % ids.count] })
    }
  }
}

extension DashboardState {
  /// Takes a status that was on its way for no time.
  @discardableResult
  mutating func apply(status: ClusterStatus) -> Bool {
    apply(status: status, nowNs: Sample.openedNs + status.uptimeNs)
  }

  /// A screen that has watched a sample for a minute under a steady, uneven load.
  static func watching(_ sample: Sample, _ size: Size) -> DashboardState {
    var state = DashboardState(size: size, advice: Sample.advice)
    var (reads, writes): (UInt64, UInt64) = (0, 0)
    // The ring is the same in all of them, and worth making only once.
    let ring = sample.status(at: 0).ring
    for tick in 0...300 {
      state.apply(status: sample.status(at: Double(tick) / 5, reads: reads, writes: writes, ring: ring))
      reads += UInt64(6_000 + 2_000 * (tick / 20 % 4))
      writes += UInt64(3_000 + 500 * (tick / 30 % 3))
    }
    return state
  }
}

extension Sample {
  static func event(
    _ sequence: UInt64, at seconds: Double, _ kind: ClusterEvent.Kind, _ severity: ClusterEvent.Severity,
    _ message: String
  ) -> ClusterEvent {
    let node = message.split { !$0.isLetter && !$0.isNumber }.first { $0.hasPrefix("node") }.map(String.init)
    return ClusterEvent(
      sequence: sequence, uptimeNs: UInt64(seconds * 1e9), .remark(kind, severity, node: node, .init(message)))
  }

  /// Keys lie where a sum of their bytes says; what begins with `destroy` is asked about first.
  static let advice = CommandAdvice(
    complete: complete,
    read: { line in
      let isHarmful = line.hasPrefix("destroy") && !line.hasSuffix(" yes")
      let question = Question(
        "Destroy everything that was ever stored here?", confirmed: TypedLine("\(line) yes"))
      return AdvisedLine(TypedLine(line, key: key(of: line)), question: isHarmful ? question : nil)
    },
    choose: { choice in
      switch choice {
      case .order(let order): AdvisedLine(TypedLine(order.line))
      case .stopBenchmark: "benchmark stop"
      }
    },
    advise: { $0.words(on: nil) })

  private static func key(of line: String) -> ShownKey? {
    let words = line.split(separator: " ")
    guard words.count > 1, words[0] == "put" || words[0] == "get" else { return nil }
    let sum = words[1].utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }
    let hash = sum &* 0x9E37_79B9_7F4A_7C15
    return ShownKey(key: String(words[1]), slot: Int(hash.multipliedFullWidth(by: UInt64(slots)).high))
  }

  /// A small grammar: a few commands, of which one takes a node.
  @Sendable static func complete(_ line: String, _ cursor: Int) -> Completion {
    let head = String(line.prefix(cursor))
    guard let blank = head.lastIndex(of: " ") else {
      let commands = ["get", "put", "keys", "kill"].filter { $0.hasPrefix(head) }
      return Completion(replacedCount: head.count, candidates: commands)
    }
    let word = String(head[head.index(after: blank)...])
    let names = head.hasPrefix("kill ") ? ["node1", "node2", "node3"].filter { $0.hasPrefix(word) } : []
    return Completion(replacedCount: word.count, candidates: names, usage: head.hasPrefix("kill ") ? "kill NODE" : "")
  }
}

extension Sample {
  /// Every link between two groups is cut.
  static func cut(_ side: [Int], _ other: [Int]) -> [LinkFault] {
    side.flatMap { a in
      other.flatMap { b in [LinkFault(from: a, to: b, isCut: true), LinkFault(from: b, to: a, isCut: true)] }
    }
  }

  static func slow(_ node: Int, byMs ms: UInt64, of count: Int) -> [LinkFault] {
    (0..<count).filter { $0 != node }.flatMap { other in
      [(node, other), (other, node)].map { LinkFault(from: $0.0, to: $0.1, delayNs: ms * 1_000_000) }
    }
  }

  static func loss(_ node: Int, perMille: Int, of count: Int) -> [LinkFault] {
    (0..<count).filter { $0 != node }.flatMap { other in
      [(node, other), (other, node)].map { LinkFault(from: $0.0, to: $0.1, lossPerMille: perMille) }
    }
  }

  /// A run of twenty seconds that has twelve of them behind it, or all, after two earlier ones.
  static func benchmark(isRunning: Bool) -> BenchmarkStatus {
    func times(_ ms: Double) -> LatencyHistory.Percentiles {
      LatencyHistory.Percentiles(p50: ms * 1e6, p95: ms * 2.1e6, p99: ms * 3.7e6, p999: ms * 9.2e6)
    }
    var run = BenchmarkStatus(
      name: "ycsb-a, 64 clients", phase: isRunning ? "measuring" : "finished", isRunning: isRunning)
    run.fraction = isRunning ? 0.6 : 1
    run.leftNs = isRunning ? 7_600_000_000 : nil
    run.operations = isRunning ? 301_000 : 512_400
    run.failures = isRunning ? 3 : 0
    run.isMeasuring = isRunning
    (run.startedNs, run.atNs) = (openedNs + 40_000_000_000, openedNs + 52_000_000_000)
    if !isRunning { run.measuredEndNs = openedNs + 60_000_000_000 }
    run.lengthNs = 20_000_000_000
    run.results = [
      .init(
        name: "ycsb-a, 64 clients", operationsPerSecond: 24_300, reads: times(0.3), writes: times(1.3), failures: 0),
      .init(name: "ycsb-c, 16 clients", operationsPerSecond: 181_000, reads: times(0.08), writes: nil, failures: 0),
    ]
    if !isRunning {
      (run.readsPerSecond, run.writesPerSecond) = (12_810, 12_810)
      run.results.append(
        .init(name: run.name, operationsPerSecond: 25_620, reads: times(0.31), writes: times(1.24), failures: 0))
    }
    return run
  }
}

extension Sample {
  /// The plain benchmark at its end: it keeps no seconds, and is not among the results.
  static func averages() -> BenchmarkStatus {
    var run = BenchmarkStatus(name: BenchmarkSubject.plain.words, phase: "cleaning up", isRunning: false)
    run.operations = 1_692_310
    (run.startedNs, run.atNs) = (openedNs + 54_900_000_000, openedNs + 60_000_000_000)
    run.measuredEndNs = openedNs + 59_900_000_000
    (run.writesPerSecond, run.readsPerSecond) = (230_401, 500_553)
    run.isListed = false
    return run
  }
}

extension Look {
  static let utf8 = Look(theme: .midnight, glyphs: Glyphs(.braille))
  static let blocks = Look(theme: .terminal, glyphs: Glyphs(.blocks), depth: .ansi16)
  static let ascii = Look(theme: .terminal, glyphs: Glyphs(.ascii), depth: .mono)
}

/// Types text, a character a key press.
func type(_ text: String, into state: inout DashboardState) {
  for character in text { _ = state.handle(.character(character)) }
}
