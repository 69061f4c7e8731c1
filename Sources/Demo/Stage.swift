import Commands
import Glibc
import KVCluster
import LiveVerdict
import Synchronization
import Text

/// Where a chapter acts: its cluster, what it says, does and checks.
///
/// Whatever a chapter does goes through here, so every face shows the same, and all of it was done and measured: a command
/// is run as the prompt runs it, a figure comes from the engine's status or from a clock.
final class Stage: Sendable {
  private struct State {
    var cluster: Cluster?
    var checker: LiveChecker?
    var isAbandoned = false
    /// Evidence since the reader last had time.
    var unread = ""
  }

  /// An eighth of the usual size: a tour's cluster lives for a minute, and its folder may be in memory.
  private static let segmentBytes = 8 << 20

  let settings: TourSettings
  private let tour: Tour
  private let chapter: Chapter
  private let state = Mutex(State())

  init(_ tour: Tour, _ chapter: Chapter) {
    self.tour = tour
    self.chapter = chapter
    settings = tour.settings
  }

  var cluster: Cluster? { state.withLock { $0.cluster } }

  /// The claims of the tour so far.
  var report: TourReport { tour.report }

  // MARK: - The cluster

  /// Opens the chapter's cluster in a temporary folder of its own; a checker judges it from its first operation.
  func open(_ setting: Setting) async throws -> Cluster {
    try Task.checkCancellation()
    let folder = try settings.makeFolder()
    var options = ClusterOptions(
      dataFolder: folder, isEphemeral: true, initialNodes: (1...setting.nodes).map { "node\($0)" },
      readQuorum: setting.quorum ?? settings.readQuorum, writeQuorum: setting.quorum ?? settings.writeQuorum,
      operationTimeoutNs: setting.timeoutNs)
    options.mistake = settings.mistake
    options.segmentBytes = Stage.segmentBytes
    let cluster: Cluster
    do {
      cluster = try Cluster.open(options)
    } catch {
      rmdir(ByteText.path(folder))
      throw error
    }
    let checker = LiveChecker(cluster)
    let isAbandoned = state.withLock { state in
      (state.cluster, state.checker) = (cluster, checker)
      return state.isAbandoned
    }
    if isAbandoned { throw CancellationError() }
    tour.opened(cluster)
    try await cluster.ready()
    return cluster
  }

  /// Closes the cluster, which removes its folder.
  func close() async {
    let (cluster, checker) = state.withLock { state in
      defer { (state.cluster, state.checker) = (nil, nil) }
      state.isAbandoned = true
      return (state.cluster, state.checker)
    }
    tour.closing()
    checker?.stop()
    await cluster?.close()
  }

  /// Closes the cluster under whoever still works with it, so that it ends soon.
  func abandon() {
    let cluster = state.withLock { state in
      state.isAbandoned = true
      return state.cluster
    }
    tour.closing()
    guard let cluster else { return }
    Task { await cluster.close() }
  }

  // MARK: - Saying

  /// Says what comes next, once what came before could be read, and leaves time to read it.
  /// - Parameter part: where to look, if it is somewhere else now.
  func say(_ text: String, at part: TourPart? = nil) async throws {
    try await finishReading()
    tour.say(text, at: part)
    try await read(text)
  }

  func read(_ text: String) async throws { try await tour.pause(toRead: text) }

  /// Leaves time to read the evidence that has come up.
  func finishReading() async throws {
    let unread = state.withLock { state in
      defer { state.unread = "" }
      return state.unread
    }
    if unread.isEmpty { return try Task.checkCancellation() }
    try await read(unread)
  }

  /// Something that was measured.
  func figure(_ text: String) { add(TourLine(kind: .figure, text: text)) }

  /// Checks a claim: it is shown, kept, and decides the tour's status.
  func claim(_ text: String, _ holds: Bool, _ evidence: String) {
    tour.add(Claim(chapter: chapter.title, text: text, holds: holds, evidence: evidence))
    note(text)
  }

  /// Runs a command as it would be typed at the prompt, and shows it with its answers.
  @discardableResult
  func type(_ line: String) async throws -> CommandResult {
    try Task.checkCancellation()
    guard let cluster else { throw CancellationError() }
    add(TourLine(kind: .command, text: line))
    try await Task.sleep(for: settings.beat)
    let result = await CommandRunner(cluster: cluster).run(line: Array(line.utf8)) { _ in }
    try Task.checkCancellation()
    for answer in result.answers(on: cluster.capabilities) {
      add(TourLine(kind: .answer(answer.kind), text: String(decoding: answer.body, as: UTF8.self)))
    }
    try await Task.sleep(for: settings.beat)
    return result
  }

  /// The beginning of a long answer, in whole words, without its sign.
  static func short(_ result: CommandResult) -> String {
    guard let answer = result.answers(on: nil).first else { return "no answer" }
    let text = String(decoding: answer.body, as: UTF8.self)
    let first = WordWrap.lines(text, width: 60).first ?? ""
    return first == text ? text : first + " …"
  }

  private func add(_ line: TourLine) {
    tour.add(line)
    note(line.text)
  }

  private func note(_ text: String) { state.withLock { $0.unread += " " + text } }
}
