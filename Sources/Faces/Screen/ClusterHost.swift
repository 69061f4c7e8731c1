import ClusterModel
import Commands
import Dashboard
import Glibc
import Synchronization
import Text

/// The screen's host for a cluster, driven through the command language that every face shares.
struct ClusterHost: ScreenHost {
  let backend: any ClusterBackend
  private let runner: CommandRunner
  private let history: HistoryFile
  private let keys = RecentKeys()
  /// The status on the screen: a new one at every key press would cost more under load than all the rest.
  private let last = LastStatus()
  private let tours = Tours()
  private let watch: BenchmarkWatch

  init(_ runner: CommandRunner, history: HistoryFile) {
    (self.runner, self.history) = (runner, history)
    backend = runner.backend
    watch = BenchmarkWatch(runner.benchmarks)
    for line in history.load() { if let key = ReadLine(typed: line).value?.key { keys.note(key) } }
  }

  func status() -> ClusterStatus? {
    let status = backend.status()
    last.status.withLock { $0 = status }
    return status
  }

  func events(after sequence: UInt64) -> [ClusterEvent] { backend.events(after: sequence) }

  func benchmark() -> BenchmarkStatus? { watch.status() }

  func run(_ line: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    let read = line.read
    do throws(ClusterError) {
      try await backend.ready()
    } catch {
      return CommandAnswer(lines: [.init(error.words(on: backend.capabilities), isSuccess: false)], isSuccess: false)
    }
    if let page = page(for: read.value) { return CommandAnswer(lines: [], isSuccess: true, page: page) }
    let lines = AnswerLines()
    let result = await runner.run(read) { [watch] output in
      switch output {
      case .answer(let answer): lines.add(CommandAnswer.Line(answer))
      case .announcement(let answer): news(.announcement(Quoted.preview(answer.line, bytesMax: ScreenLog.lineBytesMax)))
      case .progress(let step):
        watch.note(step)
        news(.progress(step.text))
      }
    }
    if case .averaged(let end) = result { watch.note(end) }
    return CommandAnswer(
      lines: lines.all, isSuccess: result.outcome != .failure, endsProgram: result.outcome == .exit)
  }

  var advice: CommandAdvice {
    CommandAdvice(
      complete: { [last, keys, backend] in
        completion(of: $0, cursor: $1, last.nodes, keys, backend.capabilities)
      },
      read: { line in advised(TypedLine(line), ReadLine(typed: line)) },
      choose: { choice in
        let read = ReadLine(Command(choice))
        return advised(TypedLine(String(decoding: read.bytes, as: UTF8.self)), read)
      }, words: { [backend] in $0.words(on: backend.capabilities) },
      advise: { [backend] in $0.words(on: backend.capabilities) }, features: backend.capabilities.features)
  }

  private func advised(_ line: TypedLine, _ read: ReadLine) -> AdvisedLine {
    var line = line
    line.reading = read
    guard let command = read.value else { return AdvisedLine(line) }
    if let key = command.key {
      keys.note(key)
      line.key = ShownKey(key, on: backend)
    }
    return AdvisedLine(line, question: question(before: command, line, last.status.withLock { $0 }))
  }

  /// The page for a command that answers with more than a few lines.
  private func page(for command: Command?) -> Page? {
    let capabilities = backend.capabilities
    guard let command, command.missingFeature(capabilities) == nil else { return nil }
    return switch command {
    case .explain(let topic): Page(topic?.explanation(backend.status(), capabilities) ?? Topic.contents)
    case .help(let name): Page(helpAbout: name, capabilities)
    default: nil
    }
  }

  /// `demo` plays on clusters of its own; this one goes on below.
  func guest(for line: TypedLine) -> (any ScreenHost)? {
    guard case .demo = line.read.value else { return nil }
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
  private let lines = Mutex<[CommandAnswer.Line]>([])

  var all: [CommandAnswer.Line] { lines.withLock { $0 } }

  func add(_ line: CommandAnswer.Line) { lines.withLock { $0.append(line) } }
}

/// The status that was asked for last.
private final class LastStatus: Sendable {
  let status = Mutex<ClusterStatus?>(nil)

  var nodes: [NodeStatus] { status.withLock { $0?.nodes ?? [] } }
}

extension TypedLine {
  /// The reading that the advice made of the line.
  var read: ReadLine { reading as? ReadLine ?? ReadLine(typed: text) }
}

extension Command {
  fileprivate init(_ choice: ChosenCommand) {
    self =
      switch choice {
      case .order(let order): .order(order)
      case .stopBenchmark: .benchmark(.stop)
      }
  }
}

extension ShownKey {
  init(_ key: [UInt8], on backend: any ClusterBackend) {
    self.init(key: Quoted.preview(key, bytesMax: ShownKey.keyBytesMax), slot: backend.place(of: key).slot)
  }
}

extension CommandAnswer.Line {
  /// A long key or value is shown by its beginning and its own size.
  init(_ answer: Answer) {
    let sign: Bool? =
      switch answer.kind {
      case .success: true
      case .failure: false
      case .info, .note: nil
      }
    self.init(Self.text(answer), isSuccess: sign)
  }

  private static func text(_ answer: Answer) -> String {
    guard answer.kind != .note, !answer.repeated.isEmpty else {
      return Quoted.preview(answer.body, bytesMax: ScreenLog.lineBytesMax)
    }
    var text = ""
    var words = 0
    for range in answer.repeated {
      text += Quoted.preview(Array(answer.text[words..<range.lowerBound]), bytesMax: .max)
      text += Quoted.preview(Array(answer.text[range]), bytesMax: ScreenLog.lineBytesMax)
      words = range.upperBound
    }
    return text + Quoted.preview(Array(answer.text[words...]), bytesMax: .max)
  }
}
