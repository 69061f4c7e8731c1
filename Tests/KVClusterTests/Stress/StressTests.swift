import Foundation
import KVSimulator
import Synchronization
import Testing

@testable import KVCluster

/// What no simulation shows: threads. Eight of them use a cluster on a real disk, by the blocking calls, while nodes join,
/// leave, die, return and are replaced, syncs fail, disks fill and lag, links break and heal, logs roll, are compacted and
/// checkpointed. Every answer is judged.
///
/// `KVSTORE_STRESS_SECONDS` turns it on and says how long each run takes, `KVSTORE_STRESS_SEED` repeats a choice of faults;
/// what the threads do in between is the machine's. Apart from the suite, because a change may wait minutes for a node that
/// a fault has stopped.
@Suite struct StressTests {
  private static let seconds = ProcessInfo.processInfo.environment["KVSTORE_STRESS_SECONDS"].flatMap(Double.init)
  private static let threads = 8

  @Test(
    "Threads never see a wrong answer, whatever fails under them", .enabled(if: seconds != nil),
    .timeLimit(.minutes(10)),
    arguments: [FsyncPolicy.always, .everysec], [true, false])
  func isLinearizable(fsync: FsyncPolicy, linksStayGood: Bool) async throws {
    let seed =
      ProcessInfo.processInfo.environment["KVSTORE_STRESS_SEED"].flatMap(UInt64.init)
      ?? UInt64.random(in: 1...1_000_000)
    let fixture = try ClusterFixture(fsync: fsync)
    var options = ClusterOptions(
      dataFolder: fixture.folder, initialNodes: StressChaos.initialNodes, fsync: fsync, cacheBytes: 1 << 18,
      operationTimeoutNs: 500_000_000)
    options.segmentBytes = 1 << 18
    options.checkpointBytes = 1 << 18
    let box = Mutex<FaultyDisk?>(nil)
    let cluster = try Cluster.open(options, isMaintained: true) { disk in
      let faulty = FaultyDisk(over: disk)
      box.withLock { $0 = faulty }
      return faulty
    }
    let disk = try #require(box.withLock { $0 })
    try await cluster.ready()

    let run = StressRun(cluster, threads: Self.threads, seed: seed)
    let end = Date().addingTimeInterval(Self.seconds ?? 0)
    let faults = StressChaos.Act.nodeFaults + (linksStayGood ? [] : StressChaos.Act.linkFaults)
    var done: [StressChaos.Act: Int] = [:]
    let changing = Changing()
    await withTaskGroup(of: [StressChaos.Act: Int].self) { group in
      group.addTask {
        var changes = StressChaos(StressChaos.Act.changes, cluster, disk, seed: seed)
        await changes.run(until: end)
        changing.isOver.store(true, ordering: .releasing)
        return changes.done
      }
      group.addTask {
        var chaos = StressChaos(faults, cluster, disk, seed: seed + 1)
        await chaos.run(until: end)
        // A change under way waits for nodes that a fault has stopped.
        repeat { await StressChaos.untilWhole(cluster, disk) } while !changing.isOver.load(ordering: .acquiring)
        return chaos.done
      }
      for await some in group { done.merge(some) { $0 + $1 } }
    }
    run.stop()
    await StressChaos.untilWhole(cluster, disk)
    run.finish()

    #expect(run.wrong.isEmpty, "seed \(seed): \(run.wrong.prefix(5).joined(separator: "\n"))")
    let verdict = LinearizabilityChecker.check(run.history)
    if case .violation(let violation) = verdict { Issue.record("seed \(seed): \(violation.explanation())") }
    #expect(verdict == .linearizable)
    #expect(run.answered > 1_000, "the cluster served next to nothing")
    let acts = StressChaos.Act.allCases.map { "\($0) \(done[$0] ?? 0)" }.joined(separator: ", ")
    print(
      "stress \(fsync.rawValue), links \(linksStayGood ? "good" : "faulty"), seed \(seed): \(run.answered) answered, "
        + "\(run.refused) refused, \(run.unknown) of unknown outcome, \(run.history.operations.count) checked; \(acts)")
    await cluster.close()
  }
}

/// Whether membership changes are still made.
private final class Changing: Sendable {
  let isOver = Atomic<Bool>(false)
}

/// The threads of one run.
final class StressRun {
  private let clients: [StressClient]
  private var threads: [BackgroundThread] = []
  private let flag = Flag()

  private final class Flag: Sendable {
    let isStopped = Atomic<Bool>(false)
  }

  /// A client is its thread's alone until the thread has been joined.
  private struct Handle: @unchecked Sendable {
    let client: StressClient
  }

  init(_ cluster: Cluster, threads count: Int, seed: UInt64) {
    let shared = SharedKeys()
    clients = (0..<count).map { StressClient($0, cluster, shared, seed: seed) }
    for client in clients {
      let handle = Handle(client: client)
      threads.append(
        BackgroundThread("client") { [flag] in
          while !flag.isStopped.load(ordering: .relaxed) { handle.client.step() }
        })
    }
  }

  func stop() {
    flag.isStopped.store(true, ordering: .relaxed)
    for thread in threads { thread.join() }
  }

  /// Reads everything once more, when nothing fails.
  func finish() { for client in clients { client.readAll() } }

  var history: History {
    History(clients.flatMap(\.recorded).sorted { $0.invokedAt < $1.invokedAt })
  }
  var wrong: [String] { clients.flatMap(\.wrong) }
  var answered: Int { clients.reduce(0) { $0 + $1.answered } }
  var refused: Int { clients.reduce(0) { $0 + $1.refused } }
  var unknown: Int { clients.reduce(0) { $0 + $1.unknown } }
}
