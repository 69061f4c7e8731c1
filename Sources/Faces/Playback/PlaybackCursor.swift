import ClusterModel
import Dashboard

/// Where the viewer of a past is, and how fast it goes on: steps with the time after each, and the steps worth a stop.
/// Knows no clock: time is handed in.
struct PlaybackCursor {
  /// A number of steps done, and a time before the next one is due.
  struct Position: Equatable, Sendable {
    var step: Int
    var nowNs: UInt64
  }

  /// The time after each number of steps, never falling; the first is the beginning.
  let timesNs: [UInt64]
  /// The steps after which clients had their answers, and those of what happened, in their order.
  let answers: [Int]
  let marks: [Int]
  /// The step at whose end playing stops.
  let violation: Int?

  private(set) var position: Position
  private(set) var isPlaying = true
  /// Seconds of the past in one of the viewer's.
  private(set) var speed = 1.0

  static let speeds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]
  /// `PgDn` goes on by one of this many parts of the whole.
  private static let parts = 20

  /// - Precondition: there is a time.
  init(timesNs: [UInt64], answers: [Int] = [], marks: [Int] = [], violation: Int? = nil) {
    (self.timesNs, self.answers, self.marks, self.violation) = (timesNs, answers, marks, violation)
    position = Position(step: 0, nowNs: timesNs[0])
  }

  var stepCount: Int { timesNs.count - 1 }
  /// Where a step stands on the scrubber, from 0 to 1.
  func place(ofStep step: Int) -> Double { Double(step) / Double(max(1, stepCount)) }

  /// How many steps have been done at a time. O(log steps).
  func step(atNs nowNs: UInt64) -> Int {
    max(0, timesNs.partitioningIndex { $0 > nowNs } - 1)
  }

  /// Goes on from here, at any speed.
  mutating func play(at speed: Double) { (self.speed, isPlaying) = (speed, true) }

  /// Time passes for the viewer. Playing stops at the answer that no order explains, and at the end.
  mutating func pass(realNs: UInt64) {
    guard isPlaying else { return }
    let end = timesNs[stepCount]
    let wanted = min(Double(end), Double(position.nowNs) + Double(realNs) * speed)
    let (before, nowNs) = (position.step, UInt64(wanted))
    position = Position(step: step(atNs: nowNs), nowNs: nowNs)
    if let violation, before < violation, position.step >= violation { return stop(atStep: violation) }
    if nowNs >= end { stop(atStep: stepCount) }
  }

  mutating func take(_ key: PlaybackKey) {
    switch key {
    case .playOrPause:
      isPlaying.toggle()
      if isPlaying, position.step == stepCount { move(toStep: 0) }
    case .faster: speed = Self.speeds.first { $0 > speed } ?? speed
    case .slower: speed = Self.speeds.last { $0 < speed } ?? speed
    case .step(let count): stop(atStep: position.step + count)
    case .answer(let direction): stop(direction, among: answers)
    case .mark(let direction): stop(direction, among: marks)
    case .violation: if let violation { stop(atStep: violation) }
    case .move(let parts): move(toStep: position.step + parts * max(1, stepCount / Self.parts))
    case .seek(let place): move(toStep: Int((Double(stepCount) * max(0, min(1, place))).rounded()))
    case .quit: isPlaying = false
    }
  }

  /// To the answer of this number, from 0; the last one if there are fewer.
  mutating func stop(atAnswer number: Int) {
    if let last = answers.last { stop(atStep: number < answers.count ? answers[number] : last) }
  }

  /// Goes elsewhere, and on from there if the past is played.
  private mutating func move(toStep step: Int) {
    let step = max(0, min(step, stepCount))
    position = Position(step: step, nowNs: timesNs[step])
  }

  /// Goes to a moment and stops there: a moment that was chosen is to be looked at.
  private mutating func stop(atStep step: Int) {
    move(toStep: step)
    isPlaying = false
  }

  private mutating func stop(_ direction: Int, among steps: [Int]) {
    let found = direction > 0 ? steps.first { $0 > position.step } : steps.last { $0 < position.step }
    if let found { stop(atStep: found) }
  }
}
