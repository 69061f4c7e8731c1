import ClusterModel
import Text

/// Target of the keys.
package enum Focus: Equatable, Sendable {
  case prompt
  case panel(PanelKind)
}

/// An overlay over the panels, which go on below it.
package enum Overlay: Equatable, Sendable {
  case help(firstRow: Int)
  case themes(ThemePicker)
  case page(PageReader)
  /// A command that nothing takes back waits for a yes.
  case confirmation(Confirmation)
  /// Menu of a node.
  case menu(NodeMenu)
}

/// A line that waits for an answer.
package struct Confirmation: Equatable, Sendable {
  package var line: TypedLine
  package var question: Question
  /// Something was typed that is no answer.
  package var isInsisting = false
}

/// The command language, as the screen may use it.
package struct CommandAdvice: Sendable {
  /// Completions at the cursor.
  package var complete: Completer
  /// Reads a line. Called once for each line that is run.
  package var read: @Sendable (_ line: String) -> AdvisedLine
  /// The line of a command that was chosen and not typed: it is not parsed.
  package var choose: @Sendable (_ choice: ChosenCommand) -> AdvisedLine
  /// An event in words, with what can be done about it at this prompt.
  package var words: @Sendable (_ event: ClusterEvent) -> String
  /// A step in words, with the command that does it; `nil` where the backend cannot do it.
  package var advise: @Sendable (_ advice: Advice) -> String?
  /// The backend's features; commands that need another one are not offered.
  package var features: Set<Capabilities.Feature>

  package init(
    complete: @escaping Completer = { _, _ in Completion() },
    read: @escaping @Sendable (_ line: String) -> AdvisedLine = { AdvisedLine(TypedLine($0)) },
    choose: @escaping @Sendable (_ choice: ChosenCommand) -> AdvisedLine = { AdvisedLine(TypedLine("\($0)")) },
    words: @escaping @Sendable (_ event: ClusterEvent) -> String = { $0.description },
    advise: @escaping @Sendable (_ advice: Advice) -> String? = { _ in nil },
    features: Set<Capabilities.Feature> = Set(Capabilities.Feature.allCases)
  ) {
    self.complete = complete
    self.read = read
    self.choose = choose
    self.words = words
    self.advise = advise
    self.features = features
  }
}

extension CommandAdvice {
  /// A reason in words, with the steps that may mend it.
  func words(_ reason: ClusterError.Detail) -> String {
    reason.text + reason.advice.compactMap(advise).map { "; \($0)" }.joined()
  }
}

/// Everything the picture needs: what was seen of the cluster, and where the reader is.
///
/// A plain value without a clock: time comes in with each status and by ``advance(toNs:)``. Drawing reads it and changes
/// nothing.
package struct DashboardState: Sendable {
  /// The screen's size, from which the layout follows.
  package var size: Size
  package var appearance: Appearance
  package internal(set) var prompt: Prompt
  package internal(set) var focus = Focus.prompt
  package internal(set) var isZoomed = false
  package internal(set) var overlay: Overlay?
  private(set) var toast: Toast?
  /// The row of the nodes table that has the selection, in the order shown.
  package internal(set) var selectedNode = 0
  package internal(set) var nodeOrder = NodeOrder()
  package internal(set) var nodeFilter = NameFilter()
  /// The slot under the ring's cursor, once the reader has moved it.
  package internal(set) var ringCursor: Int?
  package internal(set) var filter = EventFilter()
  /// View of the graphs of throughput and latency: one for both, so that points above each other happened together.
  package internal(set) var graphView = GraphView()
  package internal(set) var benchmarkView = GraphView()
  /// The ring is coloured by what is done where, and not only by owners.
  package internal(set) var showsHeat = false
  /// Latency as curves; else as a heat map.
  package internal(set) var showsLatencyLines = false
  /// The tour that is being played, if one is; it has the keys then.
  package internal(set) var guide: Guide?
  /// The past that is being played, if one is; it has the keys that else are the prompt's.
  package internal(set) var playback: Playback?
  /// Bytes that have come of a paste whose end has not; 0 outside of one.
  package internal(set) var bytesReceived = 0
  /// Lines that were run so far.
  private var linesRun = 0
  /// Command lines that were pasted and wait for their turn.
  package internal(set) var pasted = PastedLines()
  /// Number of wrong answers found when their rows were folded to one.
  private var violationsFolded: UInt64 = 0
  /// The results of a benchmark that is over were put away.
  private var isBenchmarkClosed = false
  let advice: CommandAdvice
  private var live = Observations()
  /// The picture that was frozen, while it is.
  var held: Observations?
  /// Statuses of the last half hour.
  private(set) var past = StatusHistory()
  /// The way back from a frozen picture, while it is gone.
  var journey: Journey?

  /// How often the time alone makes a new picture: graphs of a cluster at rest move a little, and the uptime may have to.
  private static let quietFrameNs: UInt64 = 500_000_000

  /// Slow enough to read a colour, fast enough to be seen as one movement.
  static let ringPhaseNs: UInt64 = 400_000_000

  package init(
    size: Size, history: [String] = [], advice: CommandAdvice = CommandAdvice(), appearance: Appearance = Appearance()
  ) {
    self.size = size
    self.advice = advice
    self.appearance = appearance
    prompt = Prompt(completer: advice.complete)
    prompt.editor.history = CommandHistory(history)
  }

  /// The layout that fits the size, the nodes and the focus.
  package var layout: Layout {
    var preferred = PanelKind.events
    if case .panel(let panel) = focus { preferred = panel }
    var needs = Layout.Needs(
      nodeCount: status?.nodes.count ?? 3, warningRows: WarningPanel.rowsWanted(self, width: size.width),
      changeRows: ChangePanel.rowsWanted(self, width: size.width), hasBenchmark: benchmark != nil,
      zoomed: isZoomed ? preferred : nil, preferred: preferred, isSingle: appearance.isSinglePanel,
      guided: guidedPanel, isGuideLong: guide?.spot == .itself)
    needs.playback = playback?.strip
    // A panel that has the keys takes the ring's place where not all have room.
    if needs.playback == .bars { needs.guided = focus == .prompt ? .ring : preferred }
    return Layout(size, needs)
  }

  package var isHelpShown: Bool { if case .help = overlay { true } else { false } }
}

// MARK: - What is seen

extension DashboardState {
  /// Observations in the picture: the present, or the moment it was frozen at.
  ///
  /// Lent and not returned: a copy of all its parts for each panel and node would be a tenth of a frame.
  package var seen: Observations {
    _read {
      if held == nil { yield live } else { yield held! }
    }
  }
  package var isFrozen: Bool { held != nil }

  package var status: ClusterStatus? { seen.status }
  package var ring: RingMap { seen.ring }
  package var history: ThroughputHistory { seen.history }
  package var walk: KeyWalk? { seen.walk }
  /// The benchmark to show: the one that runs, or the last one until its results are put away.
  package var benchmark: BenchmarkStatus? { isBenchmarkClosed ? nil : seen.benchmark }
  package var log: ScreenLog {
    get { seen.log }
    set { if held == nil { live.log = newValue } else { held?.log = newValue } }
  }

  /// Drops everything that was seen, for the same past to be seen anew.
  mutating func forgetSeen() { (live, held, past, journey) = (Observations(), nil, StatusHistory(), nil) }

  mutating func toggleFreeze() { (held, journey) = (held == nil ? live : nil, nil) }
  mutating func thaw() { (held, journey) = (nil, nil) }

  /// Alternates while ranges move: moving slots show their old owner, then their new one.
  package var ringPhase: Bool {
    status?.change != nil && !appearance.isMotionReduced && seen.nowNs / Self.ringPhaseNs % 2 == 1
  }

  /// Whether something is animated, so that frames are worth drawing faster.
  package var isAnimated: Bool {
    if let playback { return playback.isPlaying || playback.isBusy }
    guard let status = live.status else { return true }
    if case .recovering = status.phase { return true }
    return status.change != nil || isWalking || live.benchmark?.isRunning == true
  }

  /// Whether a key is on its way around the ring, which takes more frames than anything else.
  package var isWalking: Bool {
    guard let walk = live.walk, held == nil, !appearance.isMotionReduced else { return false }
    return walk.isMoving(nowNs: live.nowNs)
  }
}

// MARK: - What comes from the cluster

extension DashboardState {
  /// Lets the time go on to a moment.
  package mutating func advance(toNs atNs: UInt64) {
    // A past has a clock of its own.
    if playback == nil { live.advance(toNs: atNs) }
  }

  /// Takes a new status; returns whether the picture may be another because of it.
  ///
  /// The time alone changes it twice a second.
  /// - Parameters:
  ///   - new: the newest status.
  ///   - nowNs: when it came, on the face's clock.
  @discardableResult
  package mutating func apply(status new: ClusterStatus, nowNs: UInt64) -> Bool {
    var same = live.status
    let bucketNs = Self.quietFrameNs
    let before = same.map { live.moment(ofUptimeNs: $0.uptimeNs) / bucketNs }
    same?.uptimeNs = new.uptimeNs
    let isOther = same != new
    live.apply(status: new, nowNs: nowNs)
    if playback == nil { past.add(new, atNs: live.moment(ofUptimeNs: new.uptimeNs)) }
    let isLater = before != live.moment(ofUptimeNs: new.uptimeNs) / bucketNs
    selectedNode = Swift.max(0, Swift.min(selectedNode, (status?.nodes.count ?? 1) - 1))
    return isOther || isLater
  }

  /// Takes how the benchmark stands; `nil` before the first. Returns whether that is news.
  @discardableResult
  package mutating func apply(benchmark: BenchmarkStatus?) -> Bool {
    guard live.benchmark != benchmark else { return false }
    if benchmark?.startedNs != live.benchmark?.startedNs { benchmarkView = GraphView() }
    live.apply(benchmark: benchmark)
    if benchmark?.isRunning == true { isBenchmarkClosed = false }
    leaveMissingPanel()
    return true
  }

  /// Puts the results of a benchmark that is over away; returns whether there were any to be seen.
  mutating func closeBenchmark() -> Bool {
    guard let benchmark, !benchmark.isRunning else { return false }
    isBenchmarkClosed = true
    leaveMissingPanel()
    return true
  }

  /// Whether the rows that tell of wrong answers are folded to one, until there is another.
  var isViolationFolded: Bool { status?.verdict.map { $0.violations == violationsFolded } ?? false }

  /// Whether there are such rows to fold.
  var canFoldViolation: Bool { (status?.verdict?.violations ?? 0) > 0 && !isViolationFolded }

  mutating func foldViolation() { violationsFolded = status?.verdict?.violations ?? 0 }

  /// Moves the focus off a panel that has gone.
  private mutating func leaveMissingPanel() {
    if focus == .panel(.benchmark), benchmark == nil { leavePanels() }
  }

  /// Takes an event of the cluster.
  package mutating func apply(event: ClusterEvent) {
    live.apply(event: event)
    append(
      LogLine(kind: .event(event.severity), atNs: live.moment(ofUptimeNs: event.uptimeNs), text: advice.words(event)))
  }

  /// Says for a moment what a key did.
  mutating func toast(_ text: String) { toast = Toast(text: text, atNs: seen.nowNs) }

  /// Says something the program has to say that is not the cluster's.
  package mutating func warn(_ text: String) {
    append(LogLine(kind: .event(.warning), atNs: live.nowNs, text: text))
  }

  /// The same without alarm.
  package mutating func say(_ text: String) {
    append(LogLine(kind: .event(.info), atNs: live.nowNs, text: text))
  }

  /// Takes the answer of a command that was run; returns what is to be done next, if pasted lines wait for it.
  @discardableResult
  package mutating func apply(answer: CommandAnswer) -> [Action] {
    show(answer)
    pasted.end(answer.number)
    // The host counts the lines that still wait when the program ends.
    return answer.endsProgram ? [] : runNextPasted()
  }

  mutating func show(_ answer: CommandAnswer) {
    prompt.runningCount = Swift.max(0, prompt.runningCount - 1)
    if prompt.runningCount == 0 { prompt.progress = "" }
    prompt.lastAnswer = answer
    if let page = answer.page {
      overlay = .page(PageReader(page))
      return
    }
    for line in answer.lines {
      append(LogLine(kind: .answer(isSuccess: answer.isSuccess), atNs: live.nowNs, text: line.text))
    }
  }

  /// Takes how much of a paste has come so far; returns whether that is news.
  package mutating func apply(bytesReceived count: Int) -> Bool {
    defer { bytesReceived = count }
    return bytesReceived != count
  }

  /// Takes what a running command says of how far it is.
  package mutating func apply(progress: String) {
    if prompt.runningCount > 0 { prompt.progress = progress }
  }

  /// Starts a command: the screen says so, and shows where its key lies.
  /// - Returns: the line with its number.
  @discardableResult
  mutating func begin(_ line: TypedLine) -> TypedLine {
    thaw()
    log.rowsBelow = 0
    prompt.runningCount += 1
    echo(line)
    linesRun += 1
    var line = line
    line.number = linesRun
    return line
  }

  /// Shows a command and where its key lies.
  mutating func echo(_ line: TypedLine) {
    let shown = Quoted.preview(ByteText.decode(line.text), bytesMax: ScreenLog.lineBytesMax)
    append(LogLine(kind: .command, atNs: live.nowNs, text: shown))
    guard let key = line.key else { return }
    live.walk = KeyWalk(key: key, startedNs: live.nowNs)
    ringCursor = nil
  }

  mutating func append(_ line: LogLine) {
    live.log.append(line)
    // Lines that a reader has scrolled back to stay where they are.
    guard live.log.rowsBelow > 0, filter.matches(line) else { return }
    live.log.rowsBelow += EventsPanel.rowCount(of: line, width: eventsWidth)
  }
}

// MARK: - What panels ask

extension DashboardState {
  /// The nodes in the order the table shows them.
  package var nodes: [NodeStatus] {
    let all = nodeOrder.sorted(status?.nodes ?? [], seen).filter { nodeFilter.matches($0.name) }
    guard showsTroubleFirst else { return all }
    let troubled = all.filter { RingOwners.Condition($0, seen) != .serving }
    return troubled.isEmpty ? all : troubled + all.filter { RingOwners.Condition($0, seen) == .serving }
  }

  /// Whether nodes that are not as the others come first: of more of them than a table shows, those are the ones to see.
  var showsTroubleFirst: Bool { nodeOrder == NodeOrder() && (status?.nodes.count ?? 0) > Self.nodesAtOnce }

  /// Whether there are any, so that the order is not that of the names.
  var hasTroubleFirst: Bool {
    showsTroubleFirst && status?.nodes.contains { RingOwners.Condition($0, seen) != .serving } ?? false
  }

  private static let nodesAtOnce = 12

  /// Columns inside the events panel.
  var eventsWidth: Int { Swift.max(0, (layout.panels[.events]?.width ?? size.width) - 2) }
  /// Rows inside the events panel.
  var eventsHeight: Int { Swift.max(1, (layout.panels[.events]?.height ?? size.height) - 2) }

  mutating func scrollEvents(by rows: Int) {
    let width = eventsWidth
    let all = log.lines.reduce(0) { sum, line in
      filter.matches(line) ? sum + EventsPanel.rowCount(of: line, width: width) : sum
    }
    log.rowsBelow = Swift.max(0, Swift.min(log.rowsBelow + rows, all - eventsHeight))
  }

  mutating func scrollEventsToStart() { scrollEvents(by: ScreenLog.linesMax * 1000) }
  mutating func scrollEventsToEnd() { log.rowsBelow = 0 }
}
