import Glibc
import KVCluster
import Synchronization

/// Carries commands out on a cluster and says what happened, in the original program's words.
///
/// The one place where those words are written: line mode, `exec` and the dashboard only decide where they appear. A
/// value, so that a face may run several commands at once; `addnode` and `removenode` return when the move is done.
package struct CommandRunner: Sendable {
  private let cluster: Cluster
  private let tour: TourFace?
  /// The benchmarks that this runner and its copies run.
  package let benchmarks = BenchmarkDesk()

  /// Plays the guided tour and says it line by line; returns whether every claim held.
  package typealias TourFace = @Sendable (_ say: @escaping @Sendable (String) -> Void) async -> Bool

  /// - Parameter tour: what `demo` does, where there is something.
  package init(cluster: Cluster, tour: TourFace? = nil) {
    self.cluster = cluster
    self.tour = tour
  }

  /// Reads `line` and runs it; see ``run(_:input:emit:)-command``. A blank line says nothing and succeeds.
  package func run(
    line: [UInt8], input: LineReader? = nil, emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> Outcome {
    do throws(CommandError) {
      guard let command = try Command.parse(line) else { return .success }
      return await run(command, input: input, emit: emit)
    } catch {
      emit(.answer(Answer(.failure, error.description)))
      return .failure
    }
  }

  /// Runs one command and returns when it is done.
  ///
  /// Cancelling the task ends `load`, `benchmark` and `backup` early; the other commands finish.
  /// - Parameters:
  ///   - input: what `load -` reads, or `nil` where there is no standard input to read.
  ///   - emit: is told each line, and how far a long command is; from any thread, one call at a time is not promised.
  package func run(
    _ command: Command, input: LineReader? = nil, emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> Outcome {
    let isGood: Bool
    switch command {
    case .exit:
      return .exit
    case .load(let path):
      isGood = await load(path, input, emit)
    case .benchmark(let request):
      isGood = await benchmark(request, emit)
    case .backup(let path):
      isGood = await backUp(to: path, emit)
    case .help(let name):
      for line in HelpText.lines(about: name) { emit(.answer(Answer(.info, line))) }
      isGood = true
    case .explain(let topic):
      let page = topic?.explanation(cluster.status()) ?? Topic.contents
      for line in page.lines(width: Explanation.lineWidth) { emit(.answer(Answer(.info, line))) }
      isGood = true
    case .demo:
      isGood = await play(emit)
    case .nodes, .keys, .verdict, .put, .get, .delete, .addNode, .removeNode, .replaceNode, .kill, .restart, .pause,
      .resume, .partition, .heal, .slow, .drop, .corrupt, .failSync:
      let answers = await answers(to: command)
      for answer in answers { emit(.answer(answer)) }
      isGood = !answers.contains { $0.kind == .failure }
    }
    return isGood ? .success : .failure
  }

  private func answers(to command: Command) async -> [Answer] {
    do throws(ClusterError) {
      return try await perform(command)
    } catch {
      return [Answer(.failure, error.description)]
    }
  }

  private func perform(_ command: Command) async throws(ClusterError) -> [Answer] {
    switch command {
    case .put(let key, let value, let consistency):
      try await cluster.put(key, value, consistency: consistency)
      return [Answer(.success, Array("Stored: ".utf8), key, Array(" -> ".utf8), value)]
    case .get(let key, let consistency):
      guard let value = try await cluster.get(key, consistency: consistency) else {
        return [Answer(.failure, Array("Key not found: ".utf8), key)]
      }
      return [Answer(.success, Array("Retrieved: ".utf8), key, Array(" -> ".utf8), value)]
    case .delete(let key, let consistency):
      guard try await cluster.delete(key, consistency: consistency) else {
        return [Answer(.failure, Array("Not found: ".utf8), key)]
      }
      return [Answer(.success, Array("Deleted: ".utf8), key)]
    case .nodes:
      return nodeList()
    case .verdict:
      return Self.verdict(cluster.status().verdict)
    case .keys(let prefix, let limit):
      return keyList(prefix, try cluster.keys(prefix: prefix, limit: limit), limit)
    case .addNode(let name):
      try await cluster.addNode(name)
      return [Answer(.success, "Added node: \(name)")]
    case .removeNode(let name):
      try await cluster.removeNode(name)
      return [Answer(.success, "Removed node: \(name)")]
    case .replaceNode(let name, let heir):
      try await cluster.replaceNode(name, with: heir)
      return [Answer(.success, "Replaced node: \(name) -> \(heir)")]
    case .kill(let name):
      try await cluster.kill(name)
      return [Answer(.success, "Killed node: \(name)")]
    case .restart(let name):
      try await cluster.restart(name)
      return [Answer(.success, "Restarted node: \(name)")]
    case .pause, .resume, .partition, .heal, .slow, .drop, .corrupt, .failSync:
      return [Answer(.success, try breakOrMend(command))]
    case .benchmark, .load, .backup, .explain, .demo, .help, .exit:
      preconditionFailure("\(command.name) is no single step")
    }
  }
}

extension CommandRunner {
  private func play(_ emit: @escaping @Sendable (CommandOutput) -> Void) async -> Bool {
    guard let tour else {
      emit(.answer(Answer(.failure, "The tour cannot be played here; `kvstore demo` plays it")))
      return false
    }
    return await tour { line in emit(.answer(Answer(.info, line))) }
  }
}

// MARK: - Faults

extension CommandRunner {
  /// Carries out a fault, or ends one; returns what to say.
  private func breakOrMend(_ command: Command) throws(ClusterError) -> String {
    switch command {
    case .pause(let name):
      try cluster.pause(name)
      return "Paused node: \(name)"
    case .resume(let name):
      try cluster.resume(name)
      return "Resumed node: \(name)"
    case .partition(let groups):
      try cluster.partition(groups)
      return "Partitioned: \(groups.map { $0.joined(separator: " ") }.joined(separator: " | "))"
    case .heal:
      cluster.heal()
      return "Healed: all links are good"
    case .slow(let name, let delayNs):
      try cluster.slow(name, byNs: delayNs)
      return "Slowed node: \(name), \(delayNs / 1_000_000) ms a message"
    case .drop(let name, let perMille):
      try cluster.drop(name, perMille: perMille)
      return "Dropping \(Double(perMille) / 10)% of the messages of node: \(name)"
    case .corrupt(let name, let isMeant):
      try checkMeant(isMeant, command.name, name)
      try cluster.corrupt(name)
      return "Corrupted node: \(name), one byte of one value"
    case .failSync(let name, let isMeant):
      try checkMeant(isMeant, command.name, name)
      try cluster.failSync(name)
      return "The next fdatasync of \(name) fails"
    default: preconditionFailure("\(command.name) breaks and mends nothing")
    }
  }

  /// What damages a cluster that somebody wants to keep is done only if it is asked for twice.
  private func checkMeant(_ isMeant: Bool, _ command: CommandName, _ name: String) throws(ClusterError) {
    guard isMeant || cluster.status().isEphemeral else {
      throw .refused("that damages data on the disk; if you mean it: \(command.rawValue) \(name) yes")
    }
  }
}

extension CommandRunner {
  private func nodeList() -> [Answer] {
    let nodes = cluster.status().nodes
    let count = nodes.count == 1 ? "1 node" : "\(nodes.count) nodes"
    return [Answer(.info, "Cluster has \(count):")]
      + nodes.map { Answer(.info, "- Node: \($0.name)\(Self.remark($0))") }
  }

  private static func verdict(_ verdict: VerdictStatus?) -> [Answer] {
    guard let verdict else { return [Answer(.info, "Nobody watches the operations of this session")] }
    var words = verdict.words
    if let rate = verdict.keysPerWatched {
      let keys = verdict.keysWatched == 1 ? "1 key" : "\(verdict.keysWatched) keys"
      words += "; \(keys) watched, \(rate == 1 ? "all in use" : "one in \(rate)")"
    }
    let why = verdict.lastViolation?.explanation.split(separator: "\n").map { Answer(.info, String($0)) } ?? []
    return [Answer(verdict.violations == 0 ? .success : .failure, words)] + why
  }

  /// What stands behind the name of a node that is not simply up.
  private static func remark(_ node: NodeStatus) -> String {
    var words: [String] = []
    switch node.state {
    case .up: break
    case .failed(let reason): words.append("failed: \(reason)")
    case .recovering(let fraction): words.append("recovering, \(Int(fraction * 100))%")
    case .joining, .leaving, .dead: words.append(node.state.word)
    }
    if let ns = node.replacedInNs { words.append("replaced in \((ns + 999_999_999) / 1_000_000_000) s") }
    if !node.suspectedBy.isEmpty { words.append("not heard by \(node.suspectedBy.joined(separator: ", "))") }
    return words.isEmpty ? "" : " (\(words.joined(separator: "; ")))"
  }

  private func keyList(_ prefix: [UInt8], _ listing: KeyListing, _ limit: Int) -> [Answer] {
    let beginning = prefix.isEmpty ? [] : Array(" that begin with ".utf8) + prefix
    guard !listing.keys.isEmpty else { return [Answer(.info, Array("No keys".utf8), beginning)] }
    let count = listing.keys.count == 1 ? "1 key" : "\(listing.keys.count) keys"
    let head = listing.isComplete ? "Found \(count)" : "First \(count)"
    let more = Answer(.info, "There are more; keys PREFIX lists those that begin with PREFIX")
    return [Answer(.info, Array(head.utf8), beginning, Array(":".utf8))]
      + listing.keys.map { Answer(.info, Array("- Key: ".utf8), $0) }
      + (listing.isComplete ? [] : [more])
  }

  private func load(
    _ path: [UInt8], _ input: LineReader?, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> Bool {
    let loader = Loader(put: cluster.put, emit: emit)
    if path == Array("-".utf8) {
      if let input { return await loader.load(input) }
      emit(.answer(Answer(.failure, "load -: there is no standard input to read here; name a file")))
      return false
    }
    do {
      return await loader.load(try LineReader(path: Self.expanded(path), lineBytesMax: LoadLine.byteCountMax))
    } catch {
      emit(.answer(Answer(.failure, Array("Cannot open ".utf8), path, Array(": \(error)".utf8))))
      return false
    }
  }

  private func benchmark(
    _ request: BenchmarkRequest, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> Bool {
    switch request {
    case .run(let plan, let report):
      let path = report.map { Self.expanded(Array($0.utf8)) }
      return await MeasuredBenchmark(
        plan: plan, reportPath: path.map { String(decoding: $0, as: UTF8.self) }, cluster: cluster, desk: benchmarks,
        emit: emit
      ).run()
    case .averages:
      return await averages(emit)
    case .stop:
      let answer = benchmarks.stopAnswer()
      emit(.answer(answer))
      return answer.kind == .success
    case .results:
      for answer in benchmarks.resultLines() { emit(.answer(answer)) }
      return true
    }
  }

  /// The original's benchmark, which ends when its task is cancelled.
  private func averages(_ emit: @escaping @Sendable (CommandOutput) -> Void) async -> Bool {
    let work = StoppableWork()
    if let other = benchmarks.begin("writes and reads of 64 clients", stop: work.stop) {
      emit(.answer(Answer(.failure, BenchmarkDesk.refusal(other))))
      return false
    }
    defer { benchmarks.end() }
    let task = Task { await Benchmark(cluster: cluster, emit: emit).run() }
    work.begin(task)
    return await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }

  private func backUp(to path: [UInt8], _ emit: @escaping @Sendable (CommandOutput) -> Void) async -> Bool {
    let isCancelled = Atomic<Bool>(false)
    let target = String(decoding: Self.expanded(path), as: UTF8.self)
    do {
      let done = try await withTaskCancellationHandler {
        try await cluster.backUp(to: target) { progress in
          emit(.progress(.backup(progress)))
          return !isCancelled.load(ordering: .relaxed)
        }
      } onCancel: {
        isCancelled.store(true, ordering: .relaxed)
      }
      guard let done else {
        emit(.answer(Answer(.failure, Array("Backup cancelled; nothing is left of it in ".utf8), path)))
        return false
      }
      emit(.answer(Answer(.success, Array("Backed up: \(done.nodes) nodes, \(done.bytes) bytes -> ".utf8), path)))
      return true
    } catch {
      emit(.answer(Answer(.failure, "\(error)")))
      return false
    }
  }

  /// `~/x` as the shell would read it: a line typed at our prompt passes no shell.
  private static func expanded(_ path: [UInt8]) -> [UInt8] {
    guard path.starts(with: "~/".utf8), let home = getenv("HOME") else { return path }
    return Array(String(cString: home).utf8) + path.dropFirst()
  }
}

/// A task that may be stopped before it has begun.
private final class StoppableWork: Sendable {
  private struct State {
    var task: Task<Bool, Never>?
    var isStopped = false
  }

  private let state = Mutex(State())

  func begin(_ task: Task<Bool, Never>) {
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
