import ClusterModel
import Synchronization

/// How far a benchmark is.
package struct BenchmarkProgress: Sendable, Equatable {
  package enum Phase: Sendable, Equatable { case write, read, cleanUp }

  package var phase: Phase
  /// Operations finished in this phase.
  package var operations: Int
  /// Operations finished that are measured, those of the phases before counted: deleting the keys is none of them.
  package var measured: Int
  /// How much of this phase is over, from 0 to 1.
  package var fraction: Double?

  package init(phase: Phase, operations: Int, measuredBefore: Int = 0, fraction: Double? = nil) {
    self.phase = phase
    self.operations = operations
    measured = measuredBefore + (phase == .cleanUp ? 0 : operations)
    self.fraction = fraction
  }

  /// How much of the whole run is over, from 0 to 1: it only grows. Deleting the keys mostly takes less than
  /// a second.
  package var fractionOfRun: Double {
    let measured = 0.9
    let schedule = PlainBenchmark.Schedule()
    let written = measured * (schedule.writesEnd / schedule.readsEnd)
    let part: (from: Double, to: Double) =
      switch phase {
      case .write: (0, written)
      case .read: (written, measured)
      case .cleanUp: (measured, 1)
      }
    return part.from + (part.to - part.from) * (fraction ?? 0)
  }
}

/// The `benchmark` command: ``clients`` write, then read, under a prefix of their own, and delete their keys again.
///
/// It answers "is it alive, and how fast about"; numbers to compare with are those of `kvstore bench`. Its keys are the
/// same in every run, so that what a crash leaves behind is overwritten and deleted by the next.
package struct PlainBenchmark: Sendable {
  package static let keyPrefix = "__kvstore_benchmark__:"
  static let clients = 64
  /// Keys of one client. All together are few enough to be deleted within what is left of the ten seconds on a disk
  /// that syncs slowly: deleting costs what writing cost.
  static let keysPerClient = 160
  static let valueBytes = 100
  /// When the phases end at the latest, counted from the beginning.
  struct Schedule: Sendable {
    var writesEnd = Duration.seconds(3)
    var readsEnd = Duration.seconds(5)
    var end = Duration.seconds(10)
  }
  /// Operations after which a client lets others run. An operation that does not wait for a disk may never suspend, and
  /// as many clients as there are processors would then keep the rest, and the whole program, from running.
  private static let operationsPerTurn = 16
  /// After a failure a client waits, so that a cluster without a quorum is not asked a million times.
  private static let pauseAfterFailure = Duration.milliseconds(20)

  /// Time for writing and reading; deleting the keys comes after it.
  package static let measuredLength = Schedule().readsEnd

  let backend: any ClusterBackend
  let emit: @Sendable (CommandOutput) -> Void
  var schedule = Schedule()

  /// Runs to the end, or until the task is cancelled. The keys are deleted either way.
  func run() async -> BenchmarkEnd {
    await removeLeftovers()
    var end = BenchmarkEnd()
    let start = ContinuousClock.now
    emit(.announcement(BenchmarkWords.begins(.plain)))
    let writes = await measure(.write, until: start + schedule.writesEnd) {
      client, number throws(ClusterError) in
      try await backend.put(
        Self.key(client, number % Self.keysPerClient), Self.value(client, number), WriteOptions())
    }
    report(.write, writes)
    end.add(writes)
    guard writes.operations > 0 else {
      end.wasCancelled = Task.isCancelled
      say(end.wasCancelled ? BenchmarkWords.cancelled : BenchmarkWords.nothingWritten)
      return end
    }
    end.averages = BenchmarkAverages(writesPerSecond: writes.perSecond)
    var measured = writes.operations
    if !Task.isCancelled {
      let reads = await measure(.read, after: measured, until: start + schedule.readsEnd) {
        client, number throws(ClusterError) in
        _ = try await backend.get(Self.key(client, number % Self.keysPerClient), ReadOptions())
      }
      report(.read, reads)
      measured += reads.operations
      end.averages?.readsPerSecond = reads.perSecond
      end.add(reads)
    }
    end.wasCancelled = Task.isCancelled
    end.isClean = await cleanUp(start, operationsPerClient: writes.perClientMax, measured)
    if end.wasCancelled { say(BenchmarkWords.cancelled) }
    return end
  }

  /// Deletes what was written, in a task of its own: cancelling the benchmark must not leave its keys behind.
  private func cleanUp(
    _ start: ContinuousClock.Instant, operationsPerClient: Int, _ measured: Int
  ) async -> Bool {
    let keys = min(operationsPerClient, Self.keysPerClient)
    let deletes = await Task {
      await measure(.cleanUp, after: measured, until: start + schedule.end, perClient: keys) {
        client, number throws(ClusterError) in
        _ = try await backend.delete(Self.key(client, keys - 1 - number), WriteOptions())
      }
    }.value
    if deletes.failures == 0, deletes.operations == keys * Self.clients { return true }
    say(BenchmarkWords.leftBehind(deletes.firstError, backend.capabilities))
    return false
  }

  /// Deletes what an earlier run left behind. Its clean-up goes from each client's last key to the first: if it was cut
  /// off, a first one is there.
  private func removeLeftovers() async {
    for client in 0..<Self.clients {
      guard (try? await backend.get(Self.key(client, 0), ReadOptions())) != nil else { continue }
      for key in await leftovers() { _ = try? await backend.delete(key, WriteOptions()) }
      return
    }
  }

  /// Without scans, the names that every run uses.
  private func leftovers() async -> [[UInt8]] {
    let count = Self.clients * Self.keysPerClient
    guard backend.capabilities.has(.scans) else { return (0..<count).map { Array("\(Self.keyPrefix)\($0)".utf8) } }
    var keys: [[UInt8]] = []
    var cursor: ScanCursor?
    repeat {
      guard let page = try? await backend.scan(prefix: Array(Self.keyPrefix.utf8), from: cursor, limit: count) else {
        break
      }
      keys += page.keys
      cursor = page.next
    } while cursor != nil
    return keys
  }

  static func key(_ client: Int, _ number: Int) -> [UInt8] {
    Array("\(keyPrefix)\(client * keysPerClient + number)".utf8)
  }

  /// No two puts write the same: a watcher could not tell a stale answer from a right one.
  static func value(_ client: Int, _ number: Int) -> [UInt8] {
    let start = Array("\(client)/\(number) ".utf8)
    return start + repeatElement(UInt8(ascii: "v"), count: valueBytes - start.count)
  }

  private func say(_ answer: Answer) { emit(.answer(answer)) }

  private func say(_ phase: BenchmarkProgress.Phase, _ operations: Int, after before: Int, fraction: Double) {
    let progress = BenchmarkProgress(phase: phase, operations: operations, measuredBefore: before, fraction: fraction)
    emit(.progress(.benchmark(progress)))
  }

  private func report(_ phase: BenchmarkProgress.Phase, _ measured: Measurement) {
    for line in BenchmarkWords.measured(phase, measured, backend.capabilities) { say(line) }
  }
}

extension BenchmarkEnd {
  fileprivate mutating func add(_ phase: PlainBenchmark.Measurement) {
    failures += phase.failures
    firstError = firstError ?? phase.firstError
  }
}

extension PlainBenchmark {
  /// Operations of all clients in one phase.
  struct Measurement: Sendable {
    var operations = 0
    var failures = 0
    /// The most that one client tried.
    var perClientMax = 0
    var firstError: ClusterError?
    var elapsed = Duration.zero

    var seconds: Double { max(elapsed, .nanoseconds(1)) / .seconds(1) }
    var perSecond: Int { Int(Double(operations) / seconds) }

    mutating func add(_ part: Measurement) {
      operations += part.operations
      failures += part.failures
      perClientMax = max(perClientMax, part.perClientMax)
      firstError = firstError ?? part.firstError
    }
  }

  private typealias Operation = @Sendable (_ client: Int, _ number: Int) async throws(ClusterError) -> Void

  /// Lets every client do `operation` with 0, 1, 2, … until `deadline`, or `perClient` times; once in any case, so that a
  /// phase that begins late measures something.
  /// - Parameter before: operations that the phases before have measured.
  private func measure(
    _ phase: BenchmarkProgress.Phase, after before: Int = 0, until deadline: ContinuousClock.Instant,
    perClient: Int = .max, _ operation: @escaping Operation
  ) async -> Measurement {
    let finished = FinishedCount()
    let phaseStart = ContinuousClock.now
    var total = await withTaskGroup(of: Measurement?.self) { group in
      for client in 0..<Self.clients {
        group.addTask { await work(client, until: deadline, perClient: perClient, finished, operation) }
      }
      group.addTask {
        await tick(finished) { count in
          let done = Double(count) / (Double(perClient) * Double(Self.clients))
          let passed = (ContinuousClock.now - phaseStart) / (deadline - phaseStart)
          say(phase, count, after: before, fraction: min(1, max(done, passed)))
        }
        return nil
      }
      var total = Measurement()
      var working = Self.clients
      for await case let part? in group {
        total.add(part)
        working -= 1
        // Ends the ticker, which is all that is left.
        if working == 0 { group.cancelAll() }
      }
      return total
    }
    total.elapsed = .now - phaseStart
    say(phase, total.operations, after: before, fraction: 1)
    return total
  }

  private func work(
    _ client: Int, until deadline: ContinuousClock.Instant, perClient: Int, _ finished: FinishedCount,
    _ operation: Operation
  ) async -> Measurement {
    var part = Measurement()
    while part.perClientMax < perClient, part.perClientMax == 0 || ContinuousClock.now < deadline, !Task.isCancelled {
      let number = part.perClientMax
      part.perClientMax += 1
      if number % Self.operationsPerTurn == 0 { await Task.yield() }
      do throws(ClusterError) {
        try await operation(client, number)
        part.operations += 1
        finished.count.add(1, ordering: .relaxed)
      } catch {
        part.failures += 1
        part.firstError = part.firstError ?? error
        try? await Task.sleep(for: Self.pauseAfterFailure)
      }
    }
    return part
  }

  /// Reports ten times a second until it is cancelled.
  private func tick(_ finished: FinishedCount, _ report: @Sendable (Int) -> Void) async {
    while (try? await Task.sleep(for: .milliseconds(100))) != nil {
      report(finished.count.load(ordering: .relaxed))
    }
  }

  /// Operations finished so far, counted by all clients of a phase.
  private final class FinishedCount: Sendable {
    let count = Atomic(0)
  }
}
