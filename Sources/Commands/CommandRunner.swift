import Glibc
import KVCluster
import Synchronization
import Text

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
    let emission = Emission(emit)
    do throws(ClusterError) {
      return try await perform(command, input, emission)
    } catch {
      return emission.say(.failure, error.description)
    }
  }

  private func perform(
    _ command: Command, _ input: LineReader?, _ emission: Emission
  ) async throws(ClusterError) -> Outcome {
    switch command {
    case .put(let key, let value, let consistency):
      try await cluster.put(key, value, WriteOptions(consistency: consistency))
      return emission.say(.success, Array("Stored: ".utf8), key, Array(" -> ".utf8), value)
    case .get(let key, let consistency):
      guard let value = try await cluster.get(key, ReadOptions(consistency: consistency)) else {
        return emission.say(.failure, Array("Key not found: ".utf8), key)
      }
      return emission.say(.success, Array("Retrieved: ".utf8), key, Array(" -> ".utf8), value)
    case .delete(let key, let consistency):
      let wasThere = try await cluster.delete(key, WriteOptions(consistency: consistency))
      return emission.say(wasThere ? .success : .failure, Array((wasThere ? "Deleted: " : "Not found: ").utf8), key)
    case .addNode(let name):
      try FileRoom.check()
      try await cluster.addNode(name)
      return emission.say(.success, "Added node: \(name)")
    case .removeNode(let name):
      try await cluster.removeNode(name)
      let status = cluster.status()
      let note = ChangeAdvice.note(nodes: status.nodes.count, status.quorum).map { [Answer(.note, $0)] } ?? []
      return emission.say([Answer(.success, "Removed node: \(name)")] + note)
    case .replaceNode(let name, let heir):
      try FileRoom.check()
      if let refusal = ChangeAdvice.refusal(ofCopying: cluster.status()) { throw .refused(refusal) }
      try await cluster.replaceNode(name, with: heir)
      return emission.say(.success, "Replaced node: \(name) -> \(heir)")
    case .kill(let name):
      try await cluster.kill(name)
      return emission.say(.success, "Killed node: \(name)")
    case .restart(let name):
      try await cluster.restart(name)
      return emission.say(.success, "Restarted node: \(name)")
    case .pause(let name): return emission.say(.success, try pause(name))
    case .resume(let name): return emission.say(.success, try resume(name))
    case .partition(let groups): return emission.say(.success, try partition(groups))
    case .heal: return emission.say(.success, heal())
    case .slow(let name, let delayNs): return emission.say(.success, try slow(name, delayNs))
    case .drop(let name, let perMille): return emission.say(.success, try drop(name, perMille))
    case .corrupt(let name, let isMeant): return emission.say(.success, try corrupt(name, isMeant))
    case .failSync(let name, let isMeant): return emission.say(.success, try failSync(name, isMeant))
    case .nodes: return emission.say(nodeList())
    case .keys(let prefix, let limit):
      return emission.say(keyList(prefix, try cluster.keys(prefix: prefix, limit: limit), limit))
    case .verdict: return emission.say(Self.verdict(await cluster.verdict()))
    case .help(let name): return emission.say(HelpText.lines(about: name).map { Answer(.info, $0) })
    case .explain(let topic): return emission.say(explanation(of: topic))
    case .load(let path): return Outcome(await load(path, input, emission.emit))
    case .benchmark(let request): return Outcome(await benchmark(request, emission.emit))
    case .backup(let path): return Outcome(await backUp(to: path, emission.emit))
    case .demo: return Outcome(await play(emission.emit))
    case .exit: return .exit
    }
  }

  private func explanation(of topic: Topic?) -> [Answer] {
    let page = topic?.explanation(cluster.status()) ?? Topic.contents
    return page.lines(width: TopicPage.lineWidth).map { Answer(.info, $0) }
  }
}

/// What a command says, on its way to the face.
private struct Emission: Sendable {
  let emit: @Sendable (CommandOutput) -> Void

  init(_ emit: @escaping @Sendable (CommandOutput) -> Void) { self.emit = emit }

  /// Says the lines; returns the outcome that they speak of.
  func say(_ answers: [Answer]) -> Outcome {
    for answer in answers { emit(.answer(answer)) }
    return Outcome(!answers.contains { $0.kind == .failure })
  }

  func say(_ kind: Answer.Kind, _ text: String) -> Outcome { say([Answer(kind, text)]) }

  func say(_ kind: Answer.Kind, _ parts: [UInt8]...) -> Outcome { say([Answer(kind, Array(parts.joined()))]) }
}

extension Outcome {
  fileprivate init(_ isGood: Bool) { self = isGood ? .success : .failure }
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
  private func pause(_ name: String) throws(ClusterError) -> String {
    try cluster.pause(name)
    return "Paused node: \(name)"
  }

  private func resume(_ name: String) throws(ClusterError) -> String {
    try cluster.resume(name)
    return "Resumed node: \(name)"
  }

  private func partition(_ groups: [[String]]) throws(ClusterError) -> String {
    try cluster.partition(groups)
    return "Partitioned: \(groups.map { $0.joined(separator: " ") }.joined(separator: " | "))"
  }

  private func heal() -> String {
    cluster.heal()
    return "Healed: all links are good"
  }

  private func slow(_ name: String, _ delayNs: UInt64) throws(ClusterError) -> String {
    try cluster.slow(name, byNs: delayNs)
    return "Slowed node: \(name), \(delayNs / 1_000_000) ms a message"
  }

  private func drop(_ name: String, _ perMille: Int) throws(ClusterError) -> String {
    try cluster.drop(name, perMille: perMille)
    return "Dropping \(Double(perMille) / 10)% of the messages of node: \(name)"
  }

  private func corrupt(_ name: String, _ isMeant: Bool) throws(ClusterError) -> String {
    try checkMeant(isMeant, "that damages a value on \(name)'s disk; if you mean it: corrupt \(name) yes")
    try cluster.corrupt(name)
    return "Corrupted node: \(name), one byte of one value"
  }

  private func failSync(_ name: String, _ isMeant: Bool) throws(ClusterError) -> String {
    try checkMeant(
      isMeant,
      "that stops \(name), which is rebuilt from the others by `restart \(name)`; if you mean it: fsync-fail \(name) yes"
    )
    try cluster.failSync(name)
    return "The next fdatasync of \(name) fails"
  }

  /// What harms a cluster that somebody wants to keep is done only if it is asked for twice.
  private func checkMeant(_ isMeant: Bool, _ question: String) throws(ClusterError) {
    guard isMeant || cluster.status().isEphemeral else { throw .refused(question) }
  }
}

extension CommandRunner {
  private func nodeList() -> [Answer] {
    let status = cluster.status()
    let nodes = status.nodes
    let count = Figures.count(nodes.count, "node")
    return [Answer(.info, "Cluster has \(count):")]
      + nodes.map { Answer(.info, "- Node: \($0.name)\(NodeRemark.text($0, in: status))") }
  }

  private static func verdict(_ verdict: VerdictStatus?) -> [Answer] {
    guard let verdict else {
      return [
        Answer(.info, "Nobody watches this command's answers: a session has a verdict, kvstore exec, or line by line")
      ]
    }
    var words = verdict.words
    if let rate = verdict.keysPerWatched {
      words += "; \(Figures.count(verdict.keysWatched, "key")) watched, "
      words += rate == 1 ? "all in use" : "one in \(Figures.count(rate))"
    }
    let why = verdict.lastViolation?.explanation.split(separator: "\n").map { Answer(.info, String($0)) } ?? []
    return [Answer(verdict.violations == 0 ? .success : .failure, words)] + why
  }

  private func keyList(_ prefix: [UInt8], _ listing: KeyListing, _ limit: Int) -> [Answer] {
    let verb = listing.keys.count == 1 && listing.isComplete ? "begins" : "begin"
    let beginning = prefix.isEmpty ? [] : Array(" that \(verb) with \(Quoted.entry(prefix))".utf8)
    guard !listing.keys.isEmpty else { return [Answer(.info, Array("No keys".utf8), beginning)] }
    let count = Figures.count(listing.keys.count, "key")
    let head = listing.isComplete ? "Found \(count)" : "First \(count)"
    let more = Answer(.info, "There are more; keys PREFIX lists those that begin with PREFIX")
    return [Answer(.info, Array(head.utf8), beginning, Array(":".utf8))]
      // Each on a line of its own, whatever it holds: a newline in a key would forge a line.
      + listing.keys.map { Answer(.info, "- Key: \(Quoted.entry($0))") }
      + (listing.isComplete ? [] : [more])
  }

  private func load(
    _ path: [UInt8], _ input: LineReader?, _ emit: @escaping @Sendable (CommandOutput) -> Void
  ) async -> Bool {
    let loader = Loader(
      put: { [cluster] key, value throws(ClusterError) in try await cluster.put(key, value) }, emit: emit)
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
      let path = report.map { Self.expanded(ByteText.decode($0)) }
      return await MeasuredBenchmark(
        plan: plan, reportPath: path.map { ByteText.encode($0) }, cluster: cluster, desk: benchmarks,
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
    let rates = Mutex<[String]>([])
    let task = Task {
      await Benchmark(cluster: cluster) { output in
        emit(output)
        guard case .answer(let answer) = output, case let line = String(decoding: answer.text, as: UTF8.self) else {
          return
        }
        if line.contains(" throughput: ") { rates.withLock { $0.append(line) } }
      }.run()
    }
    work.begin(task)
    let isGood = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    let said = rates.withLock { $0 }
    benchmarks.end(averages: said.isEmpty ? nil : said.joined(separator: ", "))
    return isGood
  }

  private func backUp(to path: [UInt8], _ emit: @escaping @Sendable (CommandOutput) -> Void) async -> Bool {
    let isCancelled = Atomic<Bool>(false)
    guard let target = String(validating: Self.expanded(path), as: UTF8.self) else {
      emit(.answer(Answer(.failure, Array("Cannot back up to ".utf8), path, Array(": its name is not UTF-8".utf8))))
      return false
    }
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
      emit(
        .answer(
          Answer(
            .success,
            Array("Backed up: \(Figures.count(done.nodes, "node")), \(Figures.bytes(done.bytes)) of log -> ".utf8),
            path)))
      return true
    } catch {
      emit(.answer(Answer(.failure, "\(error)")))
      return false
    }
  }

  /// `~/x` as the shell would read it: a line typed at our prompt passes no shell.
  private static func expanded(_ path: [UInt8]) -> [UInt8] {
    guard path.starts(with: "~/".utf8), let home = ByteText.variable("HOME") else { return path }
    return ByteText.decode(home) + path.dropFirst()
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
