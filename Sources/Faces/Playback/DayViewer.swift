import ClusterModel
import Dashboard
import KVSimulator

/// Where the viewer of a simulated day is, and what it shows from there.
struct DayViewer {
  let score: DayScore
  var cursor: PlaybackCursor
  /// Made once: they are the same at every look.
  private let marks: [Playback.Mark]

  init(_ score: DayScore) {
    self.score = score
    let cursor = PlaybackCursor(
      timesNs: score.timesNs, answers: score.answerSteps, marks: score.marks.map(\.step),
      violation: score.violation?.step)
    marks = score.marks.map { .init($0.kind, atNs: $0.atNs, place: cursor.place(ofStep: $0.step), text: $0.text) }
    self.cursor = cursor
  }

  var position: DayPlayer.Position { .init(step: cursor.position.step, nowNs: cursor.position.nowNs) }
}

extension DayViewer {
  /// The most that is shown of what happened last.
  private static let linesMax = 16
  /// Length of the window on the clients' operations, in the viewer's seconds, and its limits in virtual time.
  private static let windowSeconds = 6.0
  private static let windowRangeNs: ClosedRange<Double> = 1_000_000...20_000_000_000

  /// How the day looks from here.
  func playback(_ name: String, _ news: DayPlayer.News) -> Playback {
    var playback = Playback(
      name: name, startNs: score.startNs, endNs: score.endNs, nowNs: news.position.nowNs)
    (playback.run, playback.isPlaying, playback.speed, playback.isBusy) = (
      news.run, cursor.isPlaying, cursor.speed, news.isBusy
    )
    playback.steps = .init(done: news.position.step, count: score.stepCount)
    playback.place = cursor.place(ofStep: news.position.step)
    playback.marks = marks
    playback.windowNs = UInt64(
      max(Self.windowRangeNs.lowerBound, min(Self.windowRangeNs.upperBound, cursor.speed * Self.windowSeconds * 1e9)))
    playback.lanes = lanes(news.position, windowNs: playback.windowNs)
    playback.flights = news.flights.map { .init($0, atNs: news.position.nowNs) }
    let said = score.lines.partitioningIndex { $0.step > news.position.step }
    playback.lines = score.lines[..<said].suffix(Self.linesMax).map(\.text)
    if let violation = score.violation, violation.step <= news.position.step { playback.proof = score.explanation }
    if let line = news.difference {
      playback.warning = "this run is not the first one over again, from here on: \(line)"
    }
    return playback
  }

  /// Operations of the clients in the window. All clients have a lane, so that lanes stay where they are.
  private func lanes(_ position: DayPlayer.Position, windowNs: UInt64) -> [Playback.Lane] {
    let now = position.nowNs
    let from = now - min(now, windowNs)
    var lanes = (0..<score.plan.clients).map { Playback.Lane(name: "client \($0)", calls: []) }
    for call in score.calls where call.fromNs <= now && (call.toNs ?? score.endNs) >= from {
      if call.client >= lanes.count {
        for client in lanes.count...call.client { lanes.append(Playback.Lane(name: "client \(client)", calls: [])) }
      }
      lanes[call.client].calls.append(Playback.Call(call, at: position))
    }
    return lanes.enumerated().filter { $0.offset < score.plan.clients || !$0.element.calls.isEmpty }.map(\.element)
  }
}

extension Playback.Call {
  /// As it stands at a moment: nobody knows its end before.
  init(_ call: DayCall, at position: DayPlayer.Position) {
    let nowNs = position.nowNs
    let isOver = call.answerStep.map { $0 <= position.step } ?? call.toNs.map { $0 <= nowNs } ?? false
    self.init(
      isWrite: call.kind == .write, text: isOver ? call.text : call.asked, fromNs: call.fromNs,
      toNs: isOver ? min(call.toNs ?? nowNs, nowNs) : nowNs, ending: isOver ? call.ending : .open,
      isOffending: isOver && call.isOffending)
  }
}

extension Playback.Flight {
  /// A message that is lost is shown to go half of the way that others take.
  private static let lostNs = 10_000_000.0

  init(_ flight: DayFlight, atNs nowNs: UInt64) {
    let gone = Double(nowNs - min(nowNs, flight.sentNs))
    let length = flight.arrivesNs.map { Double($0 - flight.sentNs) } ?? 2 * Self.lostNs
    self.init(
      from: flight.from, to: flight.to, kind: flight.kind, progress: length > 0 ? min(1, gone / length) : 1,
      isLost: flight.arrivesNs == nil)
  }
}
