import KVCluster

extension LoadGenerator {
  func runTasks(_ round: Round) async {
    let pacer = round.schedule == nil ? nil : TaskPacer()
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<plan.clients {
        group.addTask { [self] in
          var caller = TaskCaller(self, index, round)
          if let schedule = round.schedule, let pacer {
            await caller.runOpen(schedule, pacer)
          } else {
            await caller.runClosed(quota: round.quota(index, of: plan.clients), deadlineNs: round.deadlineNs)
          }
        }
      }
      if let pacer { group.addTask { [self] in await release(pacer) } }
      // The last to end is who watches for a stop.
      for _ in 0..<plan.clients { await group.next() }
      group.cancelAll()
    }
    pacer?.finish()
  }

  /// Wakes everybody if the run is stopped.
  private func release(_ pacer: TaskPacer) async {
    while !isStopping, (try? await Task.sleep(for: .milliseconds(50))) != nil {}
    if isStopping { pacer.wakeAll() }
  }
}

/// One caller that is a task.
private struct TaskCaller<Target: BenchmarkTarget> {
  private let generator: LoadGenerator<Target>
  private let index: Int
  private var stream: OperationStream
  private let writer: KeyWriter
  private var key: [UInt8]
  private var value: [UInt8]
  private var putNumber: UInt64
  private var sampler: LatencySampler
  private let batch: Int
  private var counts = OperationCounts()

  init(_ generator: LoadGenerator<Target>, _ index: Int, _ round: LoadGenerator<Target>.Round) {
    let plan = generator.plan
    self.generator = generator
    self.index = index
    stream = generator.stream(index, round)
    writer = plan.names.writer
    key = plan.names.template()
    value = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueSizes.most)
    putNumber = LoadGenerator<Target>.firstPut(index, round)
    sampler = generator.sampler(index, round)
    // Who times every operation waits for a disk, and looks at the deadline before each.
    batch = plan.latencySampling == 1 ? 1 : LoadGenerator<Target>.batch
  }

  mutating func runClosed(quota: Int, deadlineNs: UInt64) async {
    var left = quota
    var sinceYield = 0
    while left > 0, !generator.isStopping, Clock.nowNs() < deadlineNs {
      let count = min(left, batch)
      left -= count
      for _ in 0..<count {
        guard await runOne(sampler.next() ? Clock.nowNs() : 0) else { return flush() }
      }
      flush()
      // What does not wait for a disk may never suspend, and as many callers as processors would keep all else away.
      sinceYield += count
      if sinceYield >= LoadGenerator<Target>.batch {
        sinceYield = 0
        await Task.yield()
      }
    }
  }

  private mutating func runOne(_ startedNs: UInt64) async -> Bool {
    let (kind, number) = stream.next(generator.inserts)
    key.withUnsafeMutableBytes { writer.write(number, into: $0) }
    do throws(ClusterError) {
      try await perform(kind)
    } catch {
      return await fail(kind, number, error)
    }
    if startedNs != 0 { generator.lanes.record(index, kind, Clock.nowNs() &- startedNs) }
    if kind == .insert { generator.inserts.acknowledge(number) }
    counts.count(kind)
    return true
  }

  private mutating func perform(_ kind: OperationKind) async throws(ClusterError) {
    if kind == .read {
      guard try await generator.target.get(key, ReadOptions()) != nil else { throw LoadGenerator<Target>.missing(key) }
      return
    }
    putNumber &+= 1
    if value.count >= 8 { value.withUnsafeMutableBytes { $0.storeBytes(of: putNumber, as: UInt64.self) } }
    let byteCount = stream.nextValueBytes()
    let value = byteCount == value.count ? value : Array(value[..<byteCount])
    if kind == .modify {
      guard try await generator.target.replace(key, value) else { throw LoadGenerator<Target>.missing(key) }
    } else {
      try await generator.target.put(key, value, WriteOptions())
    }
  }

  private mutating func fail(_ kind: OperationKind, _ number: UInt64, _ error: ClusterError) async -> Bool {
    counts.failures += 1
    stream.failed(kind, number)
    guard generator.goesOn(after: error) else { return false }
    try? await Task.sleep(for: .nanoseconds(LoadGenerator<Target>.pauseNs))
    return true
  }

  private mutating func flush() {
    generator.tally.add(counts)
    counts = OperationCounts()
  }

  mutating func runOpen(_ schedule: OpenSchedule, _ pacer: TaskPacer) async {
    while !generator.isStopping, let dueNs = schedule.next() {
      await pacer.wait(untilNs: dueNs)
      if generator.isStopping { return }
      let goesOn = await runOne(sampler.next() ? dueNs : 0)
      flush()
      if !goesOn { return }
    }
  }
}
