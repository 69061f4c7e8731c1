import KVCluster

/// Values that end by themselves, and what may and must be seen of them.
///
/// From the moment at which the cluster's clock shows its end, a value may be gone: to the checker somebody deletes it, if it is
/// still there, then or at any time after. And from the moment at which that clock is durable, it must be: whoever asks later and
/// finds it has found what nobody wrote. Each value is written once, so it has one end; what keeps another's end has the same.
struct Endings {
  private struct Ending {
    let key: [UInt8]
    let value: [UInt8]
    /// Unix milliseconds.
    let end: UInt64
    /// The checker knows that it may be gone.
    var mayBeGone = false
    /// When it had ended for good, as a moment of the day.
    var goneAt: Int?
  }

  private var endings: [Ending] = []
  private var places: [[UInt8]: Int] = [:]

  mutating func add(_ value: [UInt8], of key: [UInt8], end: UInt64) {
    guard places[value] == nil else { return }
    places[value] = endings.count
    endings.append(Ending(key: key, value: value, end: end))
  }

  /// A value that keeps the end of another, if that has one.
  mutating func keep(_ value: [UInt8], of key: [UInt8], from old: [UInt8]) {
    if let place = places[old] { add(value, of: key, end: endings[place].end) }
  }

  /// A new part of the history begins, in which values of the one before may be gone.
  /// - Parameter forgets: and what had ended may be there again: time itself was restored.
  mutating func beginEra(forgets: Bool) {
    for i in endings.indices {
      endings[i].mayBeGone = false
      if forgets { endings[i].goneAt = nil }
    }
  }

  /// The clock has gone on.
  /// - Parameters:
  ///   - now: what it shows, in Unix milliseconds.
  ///   - durable: what it has shown, and will after any restart.
  ///   - moment: gives moments of the day.
  ///   - mayBeGone: hears of each value that may be gone from now on.
  mutating func take(
    now: UInt64, durable: UInt64, moment: () -> Int, mayBeGone: (_ key: [UInt8], _ value: [UInt8]) -> Void
  ) {
    for i in endings.indices {
      if !endings[i].mayBeGone, endings[i].end <= now {
        endings[i].mayBeGone = true
        mayBeGone(endings[i].key, endings[i].value)
      }
      if endings[i].goneAt == nil, endings[i].end <= durable { endings[i].goneAt = moment() }
    }
  }

  /// Whether a value must be gone for whoever asks at this moment.
  func isGone(_ value: [UInt8], at moment: Int) -> Bool {
    places[value].flatMap { endings[$0].goneAt }.map { $0 < moment } ?? false
  }
}
