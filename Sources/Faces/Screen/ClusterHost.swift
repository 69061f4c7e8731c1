import Commands
import Dashboard
import Glibc
import KVCluster
import Synchronization
import Text

/// What the screen shows and drives: the cluster, through the command language that every face shares.
struct ClusterHost: ScreenHost {
  let cluster: Cluster
  private let runner: CommandRunner
  private let history: HistoryFile
  private let keys = RecentKeys()
  /// What the screen shows: a new status at every key press would cost more under load than all the rest of it.
  private let last = LastStatus()
  private let tours = Tours()
  private let watch: BenchmarkWatch

  init(_ cluster: Cluster, history: HistoryFile) {
    (self.cluster, self.history) = (cluster, history)
    runner = CommandRunner(cluster: cluster)
    watch = BenchmarkWatch(runner.benchmarks)
    for line in history.load() { if let key = key(of: line) { keys.note(key) } }
  }

  func status() -> ClusterStatus? {
    let status = cluster.status()
    last.status.withLock { $0 = status }
    return status
  }

  func events(after sequence: UInt64) -> [ClusterEvent] { cluster.events(after: sequence) }

  func benchmark() -> BenchmarkStatus? { watch.status() }

  func run(_ line: String, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    do throws(ClusterError) {
      try await cluster.ready()
    } catch {
      return CommandAnswer(lines: ["✗ \(error)"], isSuccess: false)
    }
    if let page = page(for: line) { return CommandAnswer(lines: [], isSuccess: true, page: page) }
    let lines = AnswerLines()
    // What only says that a benchmark begins is said when it begins.
    let isBenchmark = if case .benchmark = try? Command.parse(typed: line) { true } else { false }
    let outcome = await runner.run(line: ByteText.decode(line)) { [watch] output in
      switch output {
      case .answer(let answer):
        let text = Quoted.preview(answer.line, bytesMax: EventLog.lineBytesMax)
        if isBenchmark, text.hasSuffix("...") { news(.announcement(text)) } else { lines.add(text) }
      case .progress(let step):
        watch.note(step)
        news(.progress(step.text))
      }
    }
    watch.end(line, lines.all)
    return CommandAnswer(lines: lines.all, isSuccess: outcome != .failure, endsProgram: outcome == .exit)
  }

  var advice: CommandAdvice {
    CommandAdvice(
      complete: { [last, keys] in completion(of: $0, cursor: $1, last.nodes, keys) },
      question: { [last] in question(before: $0, last.status.withLock { $0 }) },
      place: { [keys, cluster] line in
        guard let key = key(of: line) else { return nil }
        keys.note(key)
        return ShownKey(key: Quoted.preview(key, bytesMax: ShownKey.keyBytesMax), slot: cluster.place(of: key).slot)
      })
  }

  /// What takes some reading is read on a page of its own.
  private func page(for line: String) -> Page? {
    switch try? Command.parse(typed: line) {
    case .explain(let topic): Page(topic?.explanation(cluster.status()) ?? Topic.contents)
    case .help(let name): Page(helpAbout: name)
    default: nil
    }
  }

  /// `demo` plays on clusters of its own; this one goes on below.
  func guest(for line: String) -> (any ScreenHost)? {
    guard case .demo = try? Command.parse(typed: line) else { return nil }
    return tours.begin()
  }

  /// Returns when the clusters of the tours are gone.
  func finishTours() async { await tours.finish() }

  func loadHistory() -> [String] { history.load() }

  func saveHistory(_ lines: [String]) { history.save(lines) }

  func finishHistory() { history.finish() }
}

/// Lines gathered from whichever thread says them.
private final class AnswerLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// The status that was asked for last.
private final class LastStatus: Sendable {
  let status = Mutex<ClusterStatus?>(nil)

  var nodes: [NodeStatus] { status.withLock { $0?.nodes ?? [] } }
}
