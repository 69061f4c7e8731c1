import ClusterModel
import KVBench
import Synchronization
import Text

/// Carries commands out on a cluster: a ``Command`` in, a ``CommandResult`` out.
///
/// A value, so that a face may run several commands at once; `addnode` and `removenode` return when the move is done.
package struct CommandRunner: Sendable {
  package let backend: any ClusterBackend
  private let local: Local?
  private var tour: TourPlayer?
  /// The benchmarks that this runner and its copies run.
  package let benchmarks = BenchmarkHistory()

  /// Plays the guided tour and says it line by line; returns whether every claim held.
  package typealias TourPlayer = @Sendable (_ say: @escaping @Sendable (String) -> Void) async -> Bool

  /// Parts that only a cluster in this process has.
  package struct Local: Sendable {
    /// Makes the instrument that drives a workload at full speed.
    var makeRunner: @Sendable (BenchmarkPlan) -> any WorkloadRun
    /// Throws if this process may not open the files of one more node.
    var checkRoom: @Sendable () throws(ClusterError) -> Void
  }

  /// - Parameter local: `nil` for a cluster that is somewhere else.
  package init(backend: any ClusterBackend, local: Local? = nil) {
    self.backend = backend
    self.local = local
  }

  /// The runner, with something that `demo` does.
  package func playing(_ tour: @escaping TourPlayer) -> CommandRunner {
    var runner = self
    runner.tour = tour
    return runner
  }

  /// The instrument that drives a workload at full speed; `nil` for a cluster that is somewhere else.
  package func workload(_ plan: BenchmarkPlan) -> (any WorkloadRun)? { local?.makeRunner(plan) }

  /// Reads `line` and runs it; see ``run(_:input:emit:)``. A blank line says nothing and succeeds.
  package func run(
    line: [UInt8], input: LineReader? = nil, emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> CommandResult {
    await run(ReadLine(line), input: input, emit: emit)
  }

  /// Runs what a line was read as.
  package func run(
    _ line: ReadLine, input: LineReader? = nil, emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> CommandResult {
    switch line.command {
    case .success(nil): .nothing
    case .success(let command?): await run(command, input: input, emit: emit)
    case .failure(.badOption(.benchmark, _)) where !backend.capabilities.has(.workloads):
      say(.failed(.unsupported(.workloads)), emit)
    case .failure(let error): say(error.command.flatMap(lacking) ?? .unreadable(error), emit)
    }
  }

  /// Runs one command and returns when it is done.
  ///
  /// Cancelling the task ends `load`, `benchmark` and `backup` early; the other commands finish.
  /// - Parameters:
  ///   - input: what `load -` reads, or `nil` where there is no standard input to read.
  ///   - emit: is told each line, the result's included, and how far a long command is; from any thread, one call at a time
  ///     is not promised.
  package func run(
    _ command: Command, input: LineReader? = nil, emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> CommandResult {
    do throws(ClusterError) {
      return say(try await perform(command, input, emit), emit)
    } catch {
      return say(.failed(error), emit)
    }
  }

  private func say(_ result: CommandResult, _ emit: (CommandOutput) -> Void) -> CommandResult {
    for answer in result.answers(on: backend.capabilities) { emit(.answer(answer)) }
    return result
  }

  /// The refusal of a command that the backend lacks, instead of its usage.
  private func lacking(_ name: CommandName) -> CommandResult? {
    name.feature.flatMap { backend.capabilities.has($0) ? nil : .failed(.unsupported($0)) }
  }

  private func perform(
    _ command: Command, _ input: LineReader?, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async throws(ClusterError) -> CommandResult {
    if let feature = command.missingFeature(backend.capabilities) { throw .unsupported(feature) }
    switch command {
    case .put(let key, let value, let consistency):
      try await backend.put(key, value, WriteOptions(consistency: consistency))
      return .stored(key: key, value: value)
    case .get(let key, let consistency):
      let value = try await backend.get(key, ReadOptions(consistency: consistency))
      return value.map { .found(key: key, value: $0) } ?? .notFound(key: key)
    case .delete(let key, let consistency):
      return .deleted(key: key, existed: try await backend.delete(key, WriteOptions(consistency: consistency)))
    case .getAll(let keys):
      return .foundAll(keys: keys, values: try await backend.getAll(keys, ReadOptions()))
    case .putTogether(let pairs):
      try await backend.putTogether(pairs)
      return .storedTogether(pairs)
    case .update(let key, let update): return .updated(key: key, update, try await backend.update(key, update))
    case .nodes: return .nodes(backend.status())
    case .keys(let prefix, let limit):
      return .keys(try await backend.scan(prefix: prefix, from: nil, limit: limit), prefix: prefix)
    case .verdict: return .verdict(await backend.verdict())
    case .help(let name): return .text(HelpText.lines(about: name, backend.capabilities))
    case .explain(let topic):
      let page = topic?.explanation(backend.status(), backend.capabilities) ?? Topic.contents
      return .text(page.lines(width: TopicPage.lineWidth))
    case .load(let path): return await load(path, input, emit)
    case .benchmark(let request): return await benchmark(request, emit)
    case .backup(let path): return try await backUp(to: path, emit)
    case .demo:
      guard let tour else { return .impossible(.noTour) }
      return .toured(isGood: await tour { line in emit(.answer(Answer(.info, line))) })
    case .exit: return .exit
    case .order(let order, let isMeant): return try await obey(order, isMeant, emit)
    }
  }

  // MARK: - Orders

  private func obey(
    _ order: AdminCommand, _ isMeant: Bool, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async throws(ClusterError) -> CommandResult {
    switch order {
    case .addNode, .replaceNode: try local?.checkRoom()
    case .corrupt, .failSync:
      // Damage to a cluster that is kept must be asked for twice.
      guard isMeant || backend.status().isEphemeral else { return .impossible(.mustBeMeant(order)) }
    default: break
    }
    let watch = order.changesMembers ? Task { [backend] in await Self.watchChange(of: backend, emit) } : nil
    defer { watch?.cancel() }
    if case .compacted(let summary) = try await backend.perform(order) { return .compacted(summary) }
    guard case .removeNode = order else { return .obeyed(order) }
    let status = backend.status()
    return .obeyed(order, CopyShortage(nodes: status.nodes.count, status.quorum))
  }

  /// Says why a membership change waits, each time that the reason is another one.
  private static func watchChange(of backend: any ClusterBackend, _ emit: @Sendable (CommandOutput) -> Void) async {
    var said: ClusterError.Detail?
    while true {
      do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
      let reason = backend.status().change?.waitingFor
      if let reason, reason != said {
        emit(.announcement(Answer(.note, ClusterEvent.What.changeWaits(reason).words(on: backend.capabilities))))
      }
      said = reason
    }
  }

  // MARK: - Long commands

  private func load(
    _ path: [UInt8], _ input: LineReader?, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> CommandResult {
    let limits = LoadLine.Limits(backend.capabilities)
    let loader = Loader(
      put: { [backend] key, value throws(ClusterError) in try await backend.put(key, value, WriteOptions()) },
      emit: emit, limits: limits, capabilities: backend.capabilities)
    if path == Array("-".utf8) {
      guard let input else { return .impossible(.noInput) }
      return await loader.load(input)
    }
    do {
      return await loader.load(try LineReader(path: HomePath.expanded(path), lineBytesMax: limits.lineBytesMax))
    } catch {
      return .impossible(.cannotOpen(path: path, reason: "\(error)"))
    }
  }

  private func benchmark(
    _ request: BenchmarkRequest, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> CommandResult {
    switch request {
    case .run(let plan, let report):
      guard let runner = workload(plan) else { return .failed(.unsupported(.workloads)) }
      let path = report.map { HomePath.expanded($0) }
      return await MeasuredBenchmark(
        runner: runner, reportPath: path, capabilities: backend.capabilities, history: benchmarks, emit: emit
      ).run()
    case .averages: return await averages(emit)
    case .stop:
      return benchmarks.stop().map { .benchmarkStopped($0) } ?? .impossible(.noBenchmarkRuns)
    case .results: return .benchmarkResults(benchmarks.results)
    }
  }

  /// The original's benchmark, which ends when its task is cancelled.
  private func averages(_ emit: @escaping @Sendable (CommandOutput) -> Void) async -> CommandResult {
    let work = StoppableWork()
    if let other = benchmarks.begin(.plain, stop: work.stop) {
      return .impossible(.benchmarkRuns(other))
    }
    let task = Task { await PlainBenchmark(backend: backend, emit: emit).run() }
    work.begin(task)
    let end = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    benchmarks.end(averages: end.averages)
    return .averaged(end)
  }

  private func backUp(
    to path: [UInt8], _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async throws(ClusterError) -> CommandResult {
    let isCancelled = Atomic<Bool>(false)
    let target = ByteText.encode(HomePath.expanded(path))
    let result = await withTaskCancellationHandler { () async -> Result<AdminResult, ClusterError> in
      do throws(ClusterError) {
        return .success(
          try await backend.perform(.backUp(path: target)) { step in
            if case .backup(let progress) = step { emit(.progress(.backup(progress))) }
            return !isCancelled.load(ordering: .relaxed)
          })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      isCancelled.store(true, ordering: .relaxed)
    }
    guard case .backedUp(let summary) = try result.get() else { return .backupStopped(path: path) }
    return .backedUp(summary, path: path)
  }
}

/// A task that may be stopped before it has begun.
private final class StoppableWork: Sendable {
  private struct State {
    var task: Task<BenchmarkEnd, Never>?
    var isStopped = false
  }

  private let state = Mutex(State())

  func begin(_ task: Task<BenchmarkEnd, Never>) {
    let isStopped = state.withLock { state in
      state.task = task
      return state.isStopped
    }
    if isStopped { task.cancel() }
  }

  @Sendable func stop() {
    state.withLock { state in
      state.isStopped = true
      return state.task
    }?.cancel()
  }
}
