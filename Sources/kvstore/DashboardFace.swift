import Commands
import Dashboard
import Glibc
import KVCluster
import LiveVerdict
import Synchronization

/// The dashboard as a face of the program: opens the cluster, shows it while it recovers, closes it when it is left.
enum DashboardFace {
  /// Keeps the main thread until the dashboard is left; returns the program's exit status.
  @MainActor
  static func run(_ options: ClusterOptions) async -> Int32 {
    let cluster: Cluster
    do throws(ClusterError) {
      cluster = try Cluster.open(options)
    } catch {
      if options.isEphemeral { rmdir(options.dataFolder) }
      HeadlessRun.complain(error.description)
      return 1
    }
    let checker = LiveChecker(cluster)
    let status: Int32
    do throws(ScreenError) {
      status = try Screen.run(ClusterHost(cluster))
    } catch {
      HeadlessRun.complain("\(error.description); `kvstore --interactive` reads commands line by line")
      status = 1
    }
    checker.stop()
    await cluster.close()
    return status
  }
}

/// What the screen shows and drives: the cluster, through the command language that every face shares.
private struct ClusterHost: ScreenHost {
  let cluster: Cluster
  private let runner: CommandRunner
  private let history = HistoryFile()

  init(_ cluster: Cluster) {
    self.cluster = cluster
    runner = CommandRunner(cluster: cluster)
  }

  func status() -> ClusterStatus? { cluster.status() }

  func events(after sequence: UInt64) -> [ClusterEvent] { cluster.events(after: sequence) }

  func run(_ line: String, progress: @escaping @Sendable (String) -> Void) async -> CommandAnswer {
    do throws(ClusterError) {
      try await cluster.ready()
    } catch {
      return CommandAnswer(lines: ["✗ \(error)"], isSuccess: false)
    }
    let lines = AnswerLines()
    let outcome = await runner.run(line: Array(line.utf8)) { output in
      switch output {
      case .answer(let answer): lines.add(String(decoding: answer.line, as: UTF8.self))
      case .progress(let step): progress(step.text)
      }
    }
    return CommandAnswer(lines: lines.all, isSuccess: outcome != .failure, endsProgram: outcome == .exit)
  }

  func completion(of line: String, cursor: Int) -> Dashboard.Completion {
    let before = Array(line.prefix(cursor).utf8)
    let found = Commands.Completion.at(before.count, in: Array(line.utf8), nodes: cluster.status().nodes)
    let replaced = String(decoding: Array(line.utf8)[found.replaced], as: UTF8.self)
    return Dashboard.Completion(
      replacedCount: replaced.count, candidates: found.candidates, usage: found.usage ?? "")
  }

  func loadHistory() -> [String] { history.load() }

  func saveHistory(_ lines: [String]) { history.save(lines) }
}

/// Lines gathered from whichever thread says them.
private final class AnswerLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// The command lines of earlier runs: `$XDG_STATE_HOME/kvstore/history`, else `~/.local/state/kvstore/history`, for its
/// owner's eyes only. Nothing depends on it, so what fails is left.
private struct HistoryFile {
  private let path: String?

  init() {
    if let state = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), state.hasPrefix("/") {
      path = "\(state)/kvstore/history"
    } else {
      path = getenv("HOME").map { String(cString: $0) + "/.local/state/kvstore/history" }
    }
  }

  func load() -> [String] {
    guard let path, let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Replaces the file whole, so that a crash leaves the old or the new one.
  func save(_ lines: [String]) {
    guard let path else { return }
    makeFolders(to: path)
    let temporary = "\(path).\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    let isWhole = write(descriptor, bytes, bytes.count) == bytes.count
    close(descriptor)
    if isWhole { rename(temporary, path) } else { unlink(temporary) }
  }

  private func makeFolders(to path: String) {
    var folder = ""
    for part in path.split(separator: "/").dropLast() {
      folder += "/\(part)"
      mkdir(folder, 0o700)
    }
  }
}
