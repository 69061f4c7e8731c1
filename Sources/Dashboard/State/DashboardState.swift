import KVCluster

/// What the keys act on.
package enum Focus: Equatable, Sendable {
  case prompt
  case panel(PanelKind)
}

/// Everything the picture needs: what the cluster last said, what was derived from it, and where the reader is.
///
/// A plain value without a clock: time comes in with each status. Drawing reads it and changes nothing.
package struct DashboardState: Sendable {
  /// The screen's size, from which the layout follows.
  package var size: Size
  /// The newest status; `nil` until the first has arrived.
  package private(set) var status: ClusterStatus?
  package private(set) var history = ThroughputHistory()
  package private(set) var readAxis = AxisScale()
  package private(set) var writeAxis = AxisScale()
  package internal(set) var log = EventLog()
  package internal(set) var prompt: Prompt
  package internal(set) var focus = Focus.prompt
  package internal(set) var isZoomed = false
  package internal(set) var isHelpShown = false
  /// The row of the nodes table that has the selection, by position.
  package internal(set) var selectedNode = 0
  /// Alternates while ranges move: moving slots show their old owner, then their new one.
  package private(set) var ringPhase = false
  private var meters: [Int: RateMeter] = [:]
  private var total = RateMeter()
  private var nowNs: UInt64 = 0

  /// Slow enough to read a colour, fast enough to be seen as one movement.
  static let ringPhaseNs: UInt64 = 400_000_000

  package init(size: Size, history: [String] = [], completer: @escaping Completer = { _, _ in Completion() }) {
    self.size = size
    prompt = Prompt(completer: completer)
    prompt.editor.history = CommandHistory(history)
  }

  /// The layout that fits the size, the nodes and the focus.
  package var layout: Layout {
    var preferred = PanelKind.events
    if case .panel(let panel) = focus { preferred = panel }
    return Layout(
      size,
      Layout.Needs(
        nodeCount: status?.nodes.count ?? 3, hasChange: status?.change != nil,
        zoomed: isZoomed ? preferred : nil, preferred: preferred))
  }

  /// Whether something moves by itself, so that frames are worth drawing faster.
  package var isAnimated: Bool {
    guard let status else { return true }
    if case .recovering = status.phase { return true }
    return status.change != nil
  }
}

// MARK: - What comes from the cluster

extension DashboardState {
  /// Takes a new status.
  package mutating func apply(status new: ClusterStatus) {
    nowNs = Swift.max(nowNs, new.atNs)
    for node in new.nodes { meters[node.id, default: RateMeter()].add(node.operations, atNs: new.atNs) }
    meters = meters.filter { id, _ in new.nodes.contains { $0.id == id } }
    total.add(new.operations, atNs: new.atNs)
    if history.add(new.operations, atNs: new.atNs) {
      let rates = history.rates(last: Self.axisBuckets)
      readAxis.update(rates.map(\.reads))
      writeAxis.update(rates.map(\.writes))
    }
    ringPhase = new.change != nil && new.atNs / Self.ringPhaseNs % 2 == 1
    selectedNode = Swift.max(0, Swift.min(selectedNode, new.nodes.count - 1))
    status = new
  }

  /// The axes follow the last two minutes: what most graphs show.
  private static let axisBuckets = 240

  /// Takes an event of the cluster.
  package mutating func apply(event: ClusterEvent) {
    nowNs = Swift.max(nowNs, event.atNs)
    append(LogLine(kind: .event(event.severity), atNs: event.atNs, text: event.message))
    guard Glyphs(.ascii).mark(event.kind) != nil else { return }
    history.mark(ThroughputHistory.Mark(atNs: event.atNs, kind: event.kind, node: nodeName(in: event.message)))
  }

  /// Takes the answer of a command that was run.
  package mutating func apply(answer: CommandAnswer) {
    prompt.runningCount = Swift.max(0, prompt.runningCount - 1)
    if prompt.runningCount == 0 { prompt.progress = "" }
    prompt.lastAnswer = answer
    for line in answer.lines {
      append(LogLine(kind: .answer(isSuccess: answer.isSuccess), atNs: nowNs, text: line))
    }
  }

  /// Takes what a running command says of how far it is.
  package mutating func apply(progress: String) {
    if prompt.runningCount > 0 { prompt.progress = progress }
  }

  mutating func echo(command: String) {
    append(LogLine(kind: .command, atNs: nowNs, text: command))
  }

  private mutating func append(_ line: LogLine) {
    log.append(line)
    // Whoever scrolled back keeps the lines being read where they are.
    if log.rowsBelow > 0 { log.rowsBelow += EventsPanel.rowCount(of: line, width: eventsWidth) }
  }

  /// Events carry words for people; a node's name among them is the node it is about.
  private func nodeName(in message: String) -> String {
    let words = message.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == ".") }
    let names = Set(status?.nodes.map(\.name) ?? [])
    return words.first { names.contains(String($0)) }.map(String.init) ?? ""
  }
}

// MARK: - What panels ask

extension DashboardState {
  /// Reads and writes a second of the whole cluster, now.
  package var rates: (reads: Double, writes: Double) { (total.readsPerSecond, total.writesPerSecond) }

  /// Operations a second that a node serves as a replica, now.
  package func operationsPerSecond(ofNode id: Int) -> Double {
    guard let meter = meters[id] else { return 0 }
    return meter.readsPerSecond + meter.writesPerSecond
  }

  /// Seconds from the cluster's opening to a moment; `nil` before the first status.
  package func secondsSinceOpening(atNs: UInt64) -> Double? {
    guard let status else { return nil }
    let openedNs = status.atNs - Swift.min(status.atNs, status.uptimeNs)
    return atNs >= openedNs ? Double(atNs - openedNs) / 1e9 : 0
  }

  /// Columns inside the events panel.
  var eventsWidth: Int { Swift.max(0, (layout.panels[.events]?.width ?? size.width) - 2) }
  /// Rows inside the events panel.
  var eventsHeight: Int { Swift.max(1, (layout.panels[.events]?.height ?? size.height) - 2) }

  mutating func scrollEvents(by rows: Int) {
    let all = log.lines.reduce(0) { $0 + EventsPanel.rowCount(of: $1, width: eventsWidth) }
    log.rowsBelow = Swift.max(0, Swift.min(log.rowsBelow + rows, all - eventsHeight))
  }

  mutating func scrollEventsToStart() { scrollEvents(by: EventLog.linesMax * 1000) }
  mutating func scrollEventsToEnd() { log.rowsBelow = 0 }
}
