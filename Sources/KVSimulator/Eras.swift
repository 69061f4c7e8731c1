import KVCluster

/// The history of a day in parts: each time the whole machine loses its power while writes need not be on the disk, every
/// key may be rolled back, and a new part begins.
///
/// What policies other than `always` promise is: no key gets older than its newest version that a write quorum of owners
/// had on the disk, and whatever it is rolled back to, all replicas agree on it. So each part is linearizable by itself,
/// and a key may begin it with any one of the contents that the promise allows; anything else is a violation.
struct Eras {
  /// One part: from this operation on, and what keys may hold at its beginning; absent where it does not say.
  private struct Era {
    var first: Int
    var initial: [[UInt8]: [History.Contents]] = [:]
    /// Registers of which nothing is promised any more: their members were rolled back each by itself.
    var torn: Set<[UInt8]> = []
    /// What went before it instead of the part before: the operations that had begun when the folder was copied, as they
    /// stood then. More than one range if the folder had been restored before.
    var copied: [(operations: Range<Int>, moment: Int)] = []

    /// Its operations, and those of the copy; what was answered later than at that moment was not answered here.
    func spans(upTo end: Int) -> [(operations: Range<Int>, moment: Int)] { copied + [(first..<end, .max)] }

    func calls(_ operations: [SimulatedCall], upTo end: Int? = nil) -> [(number: Int, call: SimulatedCall)] {
      spans(upTo: end ?? operations.count).flatMap { span in
        span.operations.map { ($0, operations[$0].cut(at: span.moment)) }
      }
    }
  }

  /// Of one key in the current part: the newest version known to be safe.
  private struct Floor {
    var stamp: Stamp
    /// The operation that wrote it is one of these.
    var operations: [Int]
  }

  private var eras = [Era(first: 0)]
  private var floors: [[UInt8]: Floor] = [:]

  /// Looks which versions no loss of power can take back.
  mutating func noteDurable(_ operations: [SimulatedCall], _ cluster: Cluster, _ keys: [[UInt8]]) {
    for key in keys {
      guard let version = cluster.durableVersion(of: key) else { continue }
      note(version, of: key, operations)
    }
  }

  /// A version that a write quorum of owners has on its disks.
  mutating func note(_ version: (stamp: Stamp, value: [UInt8]?), of key: [UInt8], _ operations: [SimulatedCall]) {
    guard version.stamp.isNewer(than: floors[key]?.stamp ?? .none) else { return }
    let era = eras.last!
    if let value = version.value {
      guard let writer = Int(String(decoding: value.dropFirst(), as: UTF8.self)),
        era.spans(upTo: operations.count).contains(where: { $0.operations.contains(writer) })
      else { return }
      floors[key] = Floor(stamp: version.stamp, operations: [writer])
    } else if let before = floors[key] {
      // A delete after what was safe before; which of them, nobody can see. Tags go up with time.
      let deletes = era.spans(upTo: operations.count).flatMap { span in
        span.operations.filter { i in
          guard operations[i].key == key else { return false }
          let call = operations[i].cut(at: span.moment)
          return call.written == .some(nil) && !before.operations.allSatisfy { call.isBefore(operations[$0]) }
        }
      }
      if !deletes.isEmpty { floors[key] = Floor(stamp: version.stamp, operations: deletes) }
    }
  }

  /// The part that goes on now.
  var current: Int { eras.count - 1 }

  /// The machine has lost its power, and all that was under way is undecided.
  /// - Parameter mayBeAbsent: what all owners of a key have lost was given up: it may be as if never written, or any older
  ///   version that is left in a log takes its place.
  mutating func begin(_ operations: [SimulatedCall], mayBeAbsent: Bool = false) {
    if mayBeAbsent { floors = [:] }
    let last = eras.last!
    var initial = last.initial
    let calls =
      mayBeAbsent ? operations.enumerated().map { (number: $0.offset, call: $0.element) } : last.calls(operations)
    for (_, call) in calls {
      if initial[call.key] == nil { initial[call.key] = [nil] }
    }
    // Also keys that nobody asked for in the last part.
    if mayBeAbsent {
      for (key, contents) in initial where !contents.contains(nil) { initial[key] = contents + [nil] }
    }
    for (key, floor) in floors where !floor.operations.isEmpty { initial[key] = [] }
    for (_, call) in calls {
      guard let contents = call.written, call.outcome != nil else { continue }
      if let floor = floors[call.key], floor.operations.allSatisfy({ call.isBefore(operations[$0]) }) { continue }
      if !initial[call.key]!.contains(contents) { initial[call.key]!.append(contents) }
    }
    eras.append(Era(first: operations.count, initial: initial, torn: last.torn))
    floors = [:]
  }

  /// What batches have written need not be whole from here on.
  mutating func tearGroups(_ groups: [SimulatedGroup]) {
    eras[eras.count - 1].torn.formUnion(groups.map(\.name))
  }

  /// The folder is again what it was when it was copied; what was under way then is undecided.
  mutating func restore(_ operations: [SimulatedCall], _ backup: Backup) {
    let copied = eras[backup.era]
    var era = Era(first: operations.count, initial: copied.initial, torn: copied.torn)
    era.copied = copied.copied + [(copied.first..<backup.operations, backup.moment)]
    eras.append(era)
    floors = [:]
  }

  /// The first part that no order explains, or that the checker gave up on.
  func verdict(_ operations: [SimulatedCall]) -> Verdict {
    for (i, era) in eras.enumerated() {
      let end = i + 1 < eras.count ? eras[i + 1].first : operations.count
      let history = History(
        era.calls(operations, upTo: end).filter { !era.torn.contains($0.call.key) }.compactMap(\.call.recorded),
        initialContentsByKey: era.initial)
      let verdict = LinearizabilityChecker.check(history)
      if verdict != .linearizable { return verdict }
    }
    return .linearizable
  }
}

extension SimulatedCall {
  /// As it stood at a moment.
  func cut(at moment: Int) -> SimulatedCall {
    guard let returnedAt, returnedAt > moment, outcome != nil else { return self }
    var cut = self
    cut.outcome = .undecided
    return cut
  }

  /// What it leaves behind; `.none` for a get, and for an update that changes nothing.
  var written: History.Contents? {
    switch call {
    case .get: return .none
    case .put(let value, _): return .some(value)
    case .delete: return .some(nil)
    case .update(let update):
      guard let base else { return .none }
      switch update.change(of: base) {
      case .keep: return .none
      case .put(let value, _): return .some(value)
      case .delete: return .some(nil)
      }
    }
  }

  /// Whether it had certainly taken effect before the other began.
  func isBefore(_ other: SimulatedCall) -> Bool {
    guard let outcome, outcome != .undecided, let returnedAt else { return false }
    return returnedAt < other.invokedAt
  }
}
