import ClusterModel
import Text

/// The words of line mode, `exec` and the dashboard: the original program's where it had some.
extension CommandResult {
  /// The lines that the face prints; empty if the command has printed all of them while it ran.
  /// - Parameter capabilities: of the backend; commands that it has not are not advised. `nil` for all.
  package func answers(on capabilities: Capabilities?) -> [Answer] {
    switch self {
    case .nothing, .measured, .averaged, .toured, .exit: []
    case .stored(let key, let value): [Answer(.success, Array("Stored: ".utf8), key, Array(" -> ".utf8), value)]
    case .found(let key, let value): [Answer(.success, Array("Retrieved: ".utf8), key, Array(" -> ".utf8), value)]
    case .notFound(let key): [Answer(.failure, Array("Key not found: ".utf8), key)]
    case .deleted(let key, let existed):
      [Answer(existed ? .success : .failure, Array((existed ? "Deleted: " : "Not found: ").utf8), key)]
    case .foundAll(let keys, let values):
      zip(keys, values).flatMap { key, value in
        (value.map { CommandResult.found(key: key, value: $0) } ?? .notFound(key: key)).answers(on: capabilities)
      }
    case .storedTogether(let pairs):
      pairs.flatMap { CommandResult.stored(key: $0.key, value: $0.value).answers(on: capabilities) }
    case .updated(let key, let update, let result): [Self.updated(key, update, result)]
    case .obeyed(let command, let shortage):
      [Answer(.success, Self.words(command))] + (shortage.map { [Answer(.note, $0.words)] } ?? [])
    case .nodes(let status): Self.nodeList(status)
    case .keys(let page, let prefix): Self.keyList(page, prefix)
    case .verdict(let verdict): Self.verdict(verdict)
    case .text(let lines): lines.map { Answer(.info, $0) }
    case .backedUp(let summary, let path):
      [
        Answer(
          .success,
          Array("Backed up: \(Figures.count(summary.nodes, "node")), \(Figures.bytes(summary.bytes)) of log -> ".utf8),
          path)
      ]
    case .compacted(let summary):
      [
        Answer(
          .success,
          "Compacted \(Figures.count(summary.nodes, "node")): \(Figures.bytes(summary.bytesBefore)) of files -> "
            + "\(Figures.bytes(summary.bytesAfter))")
      ]
    case .backupStopped(let path):
      [Answer(.failure, Array("Backup cancelled; nothing is left of it in ".utf8), path)]
    case .loaded(let progress, let end): [Self.loaded(progress, end)]
    case .benchmarkStopped(let subject): [Answer(.success, "Stopped benchmark: \(subject.words)")]
    case .benchmarkResults(let results): Self.results(results)
    case .failed(let error): [Answer(.failure, error.words(on: capabilities))]
    case .unreadable(let error): [Answer(.failure, error.words(on: capabilities))]
    case .impossible(let obstacle): [Answer(.failure, obstacle.words(on: capabilities))]
    }
  }

  private static func updated(_ key: [UInt8], _ update: KeyUpdate, _ result: KeyUpdateResult) -> Answer {
    func answer(_ kind: Answer.Kind, _ word: String, _ value: [UInt8]) -> Answer {
      Answer(kind, Array("\(word): ".utf8), key, Array(" -> ".utf8), value)
    }
    switch result {
    case .swapped:
      guard case .compareAndSet(_, let value) = update else { preconditionFailure("only a compare-and-set swaps") }
      return answer(.success, "Swapped", value)
    case .differs(let value?):
      return Answer(.failure, Array("Not swapped: ".utf8), key, Array(" holds ".utf8), value)
    case .differs(nil): return Answer(.failure, Array("Not swapped, key not found: ".utf8), key)
    case .sum(let sum): return answer(.success, "Incremented", Array("\(sum)".utf8))
    case .length(let count): return answer(.success, "Appended", Array(Figures.count(count, "byte").utf8))
    case .taken(let value?): return answer(.success, "Retrieved and deleted", value)
    case .taken(nil), .timeToLive(.noKey): return Answer(.failure, Array("Key not found: ".utf8), key)
    case .timeToLive(.unlimited): return Answer(.success, Array("Does not expire: ".utf8), key)
    case .timeToLive(.left(let milliseconds)):
      if update == .persist { return Answer(.success, Array("Does not expire any more: ".utf8), key) }
      let left =
        milliseconds < 60_000
        ? Figures.given(ns: UInt64(clamping: milliseconds) * 1_000_000)
        : Figures.duration(seconds: Double(milliseconds) / 1_000)
      return Answer(.success, Array("Expires: ".utf8), key, Array(" in \(left)".utf8))
    }
  }

  private static func words(_ command: AdminCommand) -> String {
    switch command {
    case .addNode(let name): "Added node: \(name)"
    case .removeNode(let name): "Removed node: \(name)"
    case .replaceNode(let name, let replacement): "Replaced node: \(name) -> \(replacement)"
    case .kill(let name): "Killed node: \(name)"
    case .restart(let name): "Restarted node: \(name)"
    case .pause(let name): "Paused node: \(name)"
    case .resume(let name): "Resumed node: \(name)"
    case .partition(let groups): "Partitioned: \(groups.map { $0.joined(separator: " ") }.joined(separator: " | "))"
    case .heal: "Healed: all links are good"
    case .slow(let name, let ns): "Slowed node: \(name), \(Figures.given(ns: ns)) a message"
    case .drop(let name, let perMille): "Dropping \(Figures.given(perMille: perMille)) of the messages of node: \(name)"
    case .corrupt(let name): "Corrupted node: \(name), one byte of one value"
    case .failSync(let name): "The next fdatasync of \(name) fails"
    case .compact(let name): "Compacted \(name.map { "node: \($0)" } ?? "all nodes")"
    case .backUp(let path): "Backed up to \(path)"
    case .failOver(let name): "Failed over: \(name)"
    case .steer(.pause): "Paused the change of members; `\(AdminCommand.steer(.resume).line)` goes on"
    case .steer(.resume): "Resumed the change of members"
    case .steer(.cancel): "Cancelled the change of members, after the slot that moves"
    case .steer(.finish): "Finished: no slot is open any more"
    case .steer(.undo): "Undone: no slot is open any more"
    }
  }

  private static func nodeList(_ status: ClusterStatus) -> [Answer] {
    let count = Figures.count(status.nodes.count, "node")
    return [Answer(.info, "Cluster has \(count):")]
      + status.nodes.map { Answer(.info, "- Node: \($0.name)\($0.remark(in: status))") }
  }

  private static func keyList(_ page: ScanPage, _ prefix: [UInt8]) -> [Answer] {
    let isComplete = page.next == nil
    let verb = Figures.word(isComplete ? page.keys.count : 0, "begins", "begin")
    let beginning = prefix.isEmpty ? [] : Array(" that \(verb) with \(Quoted.entry(prefix))".utf8)
    guard !page.keys.isEmpty else { return [Answer(.info, Array("No keys".utf8), beginning)] }
    let count = Figures.count(page.keys.count, "key")
    let more = Answer(.info, "There are more; keys PREFIX lists those that begin with PREFIX")
    return [Answer(.info, Array("\(isComplete ? "Found" : "First") \(count)".utf8), beginning, Array(":".utf8))]
      // Keys are escaped: a newline in a key would look like another line of the list.
      + page.keys.map { Answer(.info, "- Key: \(Quoted.entry($0))") } + (isComplete ? [] : [more])
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
    let why = verdict.lastViolation?.explanation.map { Answer(.info, $0) } ?? []
    return [Answer(verdict.violations == 0 ? .success : .failure, words)] + why
  }

  private static func loaded(_ progress: LoadProgress, _ end: LoadEnd) -> Answer {
    let lines = progress.linesStored + progress.linesFailed
    let part = progress.linesFailed == 0 ? "" : "\(progress.linesStored) of "
    let count = "\(part)\(lines) \(Figures.word(lines, "line", "lines"))"
    let done = "\(count) in \(Int(progress.elapsed / .milliseconds(1)))ms, \(progress.linesPerSecond) lines/sec"
    return switch end {
    case .complete where progress.linesFailed == 0: Answer(.success, "Loaded: \(done)")
    case .complete: Answer(.failure, "Loaded: \(done); the others are listed above")
    case .cancelled: Answer(.failure, "Load cancelled: stored \(done)")
    case .tooManyRefused: Answer(.failure, "Load stopped, too many lines could not be stored: stored \(done)")
    case .unreadable(let reason): Answer(.failure, "Load stopped, cannot read on: \(reason); stored \(done)")
    }
  }

  /// Rates of the last plain benchmark, and the last few runs of workloads, each compared with the run before it of the same workload.
  private static func results(_ results: BenchmarkResults) -> [Answer] {
    let plain = results.averages.map { averages in
      let reads = averages.readsPerSecond.map { ", Read throughput: \($0) ops/sec" } ?? ""
      return Answer(.info, "benchmark: Write throughput: \(averages.writesPerSecond) ops/sec\(reads)")
    }
    let runs = results.runs.enumerated().map { index, summary in
      let earlier = results.runs[..<index].last { $0.plan.workload == summary.plan.workload }
      return Answer(.info, summary.line(index + 1, comparedWith: earlier))
    }
    let all = (plain.map { [$0] } ?? []) + runs
    return all.isEmpty ? [Answer(.info, "Nothing was measured in this session yet; benchmark measures")] : all
  }
}

extension CopyShortage {
  package var words: String {
    "each key has \(Figures.count(nodes, "copy", plural: "copies")), not \(Figures.count(replicas)), until a node is added"
  }
}

extension CommandResult.Obstacle {
  fileprivate func words(on capabilities: Capabilities?) -> [UInt8] {
    switch self {
    case .cannotOpen(let path, let reason): Array("Cannot open \(Quoted.entry(path)): \(reason)".utf8)
    default: Array(sentence(canRestart: CommandName.restart.isOffered(by: capabilities)).utf8)
    }
  }

  private func sentence(canRestart: Bool) -> String {
    switch self {
    case .mustBeMeant(.failSync(let name)):
      "that stops \(name), which is rebuilt from the others\(canRestart ? " by `restart \(name)`" : ""); if you mean it: "
        + Command.order(.failSync(name), isMeant: true).line
    case .mustBeMeant(.corrupt(let name)):
      "that damages a value on \(name)'s disk; if you mean it: \(Command.order(.corrupt(name), isMeant: true).line)"
    case .mustBeMeant: "that damages data"
    case .noInput: "load -: there is no standard input to read here; name a file"
    case .benchmarkRuns(let subject):
      "A benchmark is running already: \(subject.words). One at a time; benchmark stop ends it"
    case .noBenchmarkRuns: "No benchmark is running"
    case .noTour: "The tour cannot be played here; `kvstore demo` plays it"
    case .cannotOpen: ""
    }
  }
}

extension ClusterError {
  /// This process may not open the files of one more node; `open` is `nil` where all that it may have are open.
  static func noRoomForFiles(limit: Int, open: Int?, needed: Int) -> ClusterError {
    .refused(
      .init(
        "this process may have \(Figures.count(limit)) files open, \(open.map { Figures.count($0) } ?? "all of them") are, "
          + "and a node needs \(Figures.count(needed)): start again with a higher limit (`ulimit -n`); nothing was changed"
      ))
  }

  /// The description, and commands that may mend it.
  /// - Parameter capabilities: of the backend it is about; `nil` where there is none.
  package func words(on capabilities: Capabilities?) -> String {
    description + (option.map { " (\($0))" } ?? "") + Advice.words(advice, on: capabilities)
  }

  /// The program's option that sets the field it is about.
  private var option: String? {
    switch field {
    case "replicas": "--replicas"
    case "readQuorum": "--read-quorum"
    case "writeQuorum": "--write-quorum"
    case "cacheBytes": "--cache-mib"
    case "replaceAfterNs": "--replace-after"
    default: nil
    }
  }
}

extension ClusterEvent {
  /// The description, and commands that may mend it.
  /// - Parameter capabilities: of the backend it came from.
  package func words(on capabilities: Capabilities?) -> String { what.words(on: capabilities) }
}

extension ClusterEvent.What {
  func words(on capabilities: Capabilities?) -> String { description + Advice.words(advice, on: capabilities) }
}

extension Advice {
  /// The advice that the backend can follow, each with a semicolon before it.
  fileprivate static func words(_ advice: [Advice], on capabilities: Capabilities?) -> String {
    advice.compactMap { $0.words(on: capabilities) }.map { "; \($0)" }.joined()
  }

  /// The command that follows the advice, as a user types it at a prompt; `nil` where the backend cannot follow it.
  /// - Parameter capabilities: of the backend it is about; `nil` where there is none.
  package func words(on capabilities: Capabilities?) -> String? {
    if let feature, let capabilities, !capabilities.has(feature) { return nil }
    return words
  }

  private var words: String {
    switch self {
    case .restart(let node): "`\(AdminCommand.restart(node).line)` brings it back"
    case .restartOnceMended(let node): "once that is mended, `\(AdminCommand.restart(node).line)` brings it back"
    case .kill(let node): "`\(AdminCommand.kill(node).line)` stops it"
    case .resume(let node): "`\(AdminCommand.resume(node).line)` lets it go on"
    case .heal: "`\(AdminCommand.heal.line)` mends the links"
    case .addNode: "`addnode` brings them back"
    case .removeNode(let node): "`\(AdminCommand.removeNode(node).line)` goes on with it"
    case .steer(let steering): "`\(AdminCommand.steer(steering).line)` \(Self.effect(of: steering))"
    case .closeSlots: "`redis-cli --cluster fix` closes them"
    case .compact: "`compact` gives back what dead records take"
    case .put: "`put` one"
    case .listNodes: "`nodes` lists them"
    case .verdict: "`verdict` tells why"
    case .verify(let folder): "`kvstore verify\(Self.argument(folder))` of the closed folder says where the damage is"
    case .repair(let folder):
      "`kvstore repair\(Self.argument(folder))` of the closed folder rebuilds it from the others"
    case .acceptLoss(let folder): "`kvstore repair\(Self.argument(folder)) --accept-loss` goes on with what is left"
    }
  }

  private static func effect(of steering: ChangeSteering) -> String {
    switch steering {
    case .pause: "holds it"
    case .resume: "goes on with it"
    case .cancel: "ends it"
    case .finish: "moves what is open on"
    case .undo: "moves what is open back"
    }
  }

  private static func argument(_ folder: String?) -> String { folder.map { " \($0)" } ?? "" }
}
