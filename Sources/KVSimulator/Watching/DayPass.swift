import KVCluster

/// One run of a watched day from its beginning: turns what it sees into frames. Lives on the simulation's thread.
final class DayPass {
  private let simulation: Simulation
  private let score: DayScore
  private let goOn: (DayPass) -> Bool
  /// Steps that have been done.
  private(set) var step = -1
  /// The moment of the last frame, or of the last step if that was later.
  private(set) var shownNs: UInt64 = 0
  private var lastFrameNs: UInt64 = 0
  /// What the day's clients have done: the engine counts what comes through its public interface.
  private var done = OperationCounters.zero
  private var events: [ClusterEvent] = []
  private var eventCount: UInt64 = 0
  /// Of the life of the program under way: its number, when it began, and the last event that was seen of it.
  private var life = (number: 0, openedNs: UInt64(0), lastEvent: UInt64(0))
  /// The first line that is not that of the day's first run.
  private(set) var difference: String?
  private var lineCount = 0
  private var journal = DayJournal()
  /// In the order in which they were sent.
  private var flights: [DayFlight] = []

  /// Virtual time between two frames: as often as the dashboard looks at a cluster.
  private static let frameNs: UInt64 = 100_000_000
  /// So much of the past is on the graphs: frames before it would not be seen.
  private static let graphNs: UInt64 = 120_000_000_000
  /// A lost message is shown for so long, as part of the time that others take.
  private static let lostNs: UInt64 = 20_000_000
  private static let flightsMax = 4_096

  /// - Parameter goOn: called after each step; whether the day goes on.
  init(_ simulation: Simulation, _ score: DayScore, goOn: @escaping (DayPass) -> Bool) {
    (self.simulation, self.score, self.goOn) = (simulation, score, goOn)
  }

  /// Lives the day to its end, or until it is to begin anew.
  func run() {
    simulation.observer.onStep = { [unowned self] in
      step += 1
      shownNs = max(shownNs, Clock.nowNs())
      takeEvents()
      return goOn(self)
    }
    simulation.observer.onMessage = { [unowned self] message, arrivesNs in
      if flights.count >= Self.flightsMax { forgetLanded(Clock.nowNs()) }
      if flights.count < Self.flightsMax { flights.append(DayFlight(message, arrivesNs: arrivesNs)) }
    }
    simulation.observer.onAnswer = { [unowned self] number in
      if simulation.operations[number].call == .get { done.reads += 1 } else { done.writes += 1 }
    }
    simulation.observer.onMark = { [unowned self] kind, text in
      let severity: ClusterEvent.Severity = kind == .fault ? .warning : .info
      add(.remark(.cluster, severity, node: nil, .init(text)), atNs: Clock.nowNs())
    }
    simulation.onTrace = { [unowned self] line in compare(journal.add(line)) }
    _ = simulation.run()
  }

  private func compare(_ line: String) {
    if difference == nil, !score.lines.indices.contains(lineCount) || score.lines[lineCount].text != line {
      difference = line
    }
    lineCount += 1
  }

  // MARK: - Frames

  /// A frame if one is due on the way to where the viewer wants to be.
  func frame(onTheWayTo goal: DayPlayer.Position) -> DayPlayer.Frame? {
    let now = shownNs
    guard now >= lastFrameNs + Self.frameNs, now + Self.graphNs >= goal.nowNs else { return nil }
    return frame(at: now)
  }

  /// A frame of this moment, seen at a time before the next step is due.
  func frame(at nowNs: UInt64) -> DayPlayer.Frame {
    (shownNs, lastFrameNs) = (nowNs, nowNs)
    var status = simulation.cluster.status()
    status.uptimeNs = nowNs - score.startNs
    (status.verdict, status.operations) = (verdict, done)
    defer { events = [] }
    return DayPlayer.Frame(nowNs: nowNs, status: status, events: events)
  }

  /// What a checker that judges every answer at once would say now. The whole day was judged when it was lived first.
  private var verdict: VerdictStatus {
    var verdict = VerdictStatus(
      operationsChecked: UInt64(score.answerCount(atStep: step)), keysWatched: simulation.keys.count, keysPerWatched: 1)
    guard let violation = score.violation, violation.step <= step else { return verdict }
    verdict.violations = 1
    verdict.lastViolation = .init(summary: violation.text, explanation: score.explanation)
    return verdict
  }

  // MARK: - Messages

  /// The messages under way at a moment; those that are lost for a while.
  func flights(at nowNs: UInt64) -> [DayFlight] {
    forgetLanded(nowNs)
    return flights.filter { $0.sentNs <= nowNs }
  }

  private func forgetLanded(_ nowNs: UInt64) {
    flights.removeAll { ($0.arrivesNs ?? $0.sentNs + Self.lostNs) <= nowNs }
  }

  // MARK: - Events

  /// Takes what has happened since the last step. The program may have been started again meanwhile: then the cluster is
  /// another one, and counts anew.
  private func takeEvents() {
    guard let cluster = simulation.cluster else { return }
    if life.number != simulation.lives {
      life = (simulation.lives, Clock.nowNs() - min(Clock.nowNs(), cluster.status().uptimeNs), 0)
    }
    for event in cluster.events(after: life.lastEvent) {
      life.lastEvent = event.sequence
      add(event.what, atNs: life.openedNs + event.uptimeNs)
    }
  }

  private func add(_ what: ClusterEvent.What, atNs: UInt64) {
    eventCount += 1
    events.append(
      ClusterEvent(sequence: eventCount, uptimeNs: atNs - min(atNs, score.startNs), what))
  }
}
