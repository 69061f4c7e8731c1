import ClusterModel

extension DashboardState {
  /// Where a reader has gone back to from a frozen picture.
  struct Journey: Sendable {
    /// The picture as it was frozen.
    var frozen: Observations
    /// Oldest first; the last is the frozen one.
    var moments: [StatusHistory.Moment]
    /// The moment that is shown.
    var index: Int
  }

  /// Shows the moment that lies `steps` moments after the present one; a negative number goes back.
  mutating func travel(by steps: Int) {
    guard let held else { return }
    var journey =
      self.journey
      ?? Journey(frozen: held, moments: past.moments.filter { $0.atNs <= held.nowNs }, index: 0)
    if self.journey == nil { journey.index = journey.moments.count - 1 }
    guard !journey.moments.isEmpty else { return }
    let last = journey.moments.count - 1
    journey.index = Swift.max(0, Swift.min(last, journey.index + steps))
    show(&journey)
  }

  /// Goes back or on by a time.
  mutating func travel(byNs ns: Int64) {
    guard held != nil else { return }
    if journey == nil { travel(by: 0) }
    guard var journey else { return }
    let from = Int64(clamping: journey.moments[journey.index].atNs)
    let wanted = UInt64(Swift.max(0, from + ns))
    journey.index = Swift.max(0, journey.moments.partitioningIndex { $0.atNs > wanted } - 1)
    show(&journey)
  }

  /// To the oldest moment that is kept.
  mutating func travelToStart() { travel(by: -StatusHistory.momentsMax) }

  private mutating func show(_ journey: inout Journey) {
    let moment = journey.moments[journey.index]
    let before = journey.moments[..<journey.index].last { $0.atNs + RateMeter.windowNs <= moment.atNs }
    held = journey.index == journey.moments.count - 1 ? journey.frozen : journey.frozen.asOf(moment, before: before)
    self.journey = journey
  }

  /// How far back the picture is, and where that is between the oldest moment and the frozen one, from 0 to 1; `nil` unless
  /// the reader has gone back.
  var travelled: (backNs: UInt64, place: Double, marks: [Double])? {
    guard let journey, let first = journey.moments.first, let held, journey.frozen.nowNs > first.atNs else {
      return nil
    }
    let length = Double(journey.frozen.nowNs - first.atNs)
    func place(_ atNs: UInt64) -> Double { Double(atNs - Swift.min(atNs, first.atNs)) / length }
    let marks = journey.frozen.causes.marks.filter { $0.atNs >= first.atNs }
    return (
      journey.frozen.nowNs - Swift.min(journey.frozen.nowNs, held.nowNs), place(held.nowNs),
      marks.map { place($0.atNs) }
    )
  }
}
