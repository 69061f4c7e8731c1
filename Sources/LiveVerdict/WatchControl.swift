import KVCluster

/// Decides which keys are watched, so that it costs no more than it may: as many as give some ten thousand operations a
/// second, all of them while the load is light, and others from time to time.
///
/// A key that comes into the watch is *judged* only after ``warmUpNs``, when all operations that began before it was
/// watched, and were not recorded, have ended: they are bounded by the cluster's time limit. Time is counted in passes,
/// each for a moment at most, so that it stands still while the program does. Keys that leave are forgotten.
struct WatchControl {
  /// An operation that is recorded and judged costs about a microsecond of a processor, all told: 20,000 a second are a
  /// fiftieth of one. Between the two bounds nothing is changed.
  static let recordedWanted = 16_000.0
  static let recordedMin = 6_000.0
  static let recordedMax = 40_000.0
  /// The same in the consumer's own time.
  static let busyMax = 0.03
  /// About 2 KB each at most.
  static let keysMax = 8_192
  static let turnNs: UInt64 = 60_000_000_000
  /// Over how long rates are measured.
  static let windowNs: UInt64 = 250_000_000
  private static let passNsMax: UInt64 = 200_000_000

  /// What one pass saw.
  struct Pass {
    var elapsedNs: UInt64
    var busyNs: UInt64
    var recorded: Int
    var keys: Int
  }

  let warmUpNs: UInt64
  /// What is asked to be recorded.
  private(set) var watch: Watch
  /// Of those, the keys whose operations are all known.
  private(set) var judged: Watch
  /// What the watch is to become when it is warm, if that is less.
  private var afterWarmUp: Watch?
  private var warmsForNs: UInt64 = 0
  private var turnedAgoNs: UInt64 = 0
  private var turns: UInt32 = 0
  private var window = Pass(elapsedNs: 0, busyNs: 0, recorded: 0, keys: 0)

  /// - Parameter isFromStart: nobody can have begun an operation yet.
  init(warmUpNs: UInt64, isFromStart: Bool) {
    self.warmUpNs = warmUpNs
    watch = .all
    judged = isFromStart ? .all : .none
    warmsForNs = isFromStart ? 0 : warmUpNs
  }

  func isJudged(_ hash: UInt64) -> Bool { watch.includes(hash) && judged.includes(hash) }

  var isWarm: Bool { warmsForNs == 0 }

  /// Operations have narrowed the watch, see ``OperationTap``.
  mutating func found(_ narrowed: Watch) {
    guard narrowed != watch else { return }
    watch = narrowed
    afterWarmUp = nil
    if isWarm { judged = narrowed }
  }

  enum Step: Equatable {
    case stay
    /// The watch is changed to ``watch``; judged keys outside are forgotten.
    case change
    /// All watched keys are judged from now on.
    case warm
  }

  mutating func step(_ pass: Pass) -> Step {
    let elapsedNs = min(pass.elapsedNs, WatchControl.passNsMax)
    turnedAgoNs += elapsedNs
    window.elapsedNs += pass.elapsedNs
    window.busyNs += pass.busyNs
    window.recorded += pass.recorded
    if !isWarm {
      warmsForNs -= min(warmsForNs, elapsedNs)
      if isWarm { return warm() }
    }
    guard window.elapsedNs >= WatchControl.windowNs else { return .stay }
    defer { window = Pass(elapsedNs: 0, busyNs: 0, recorded: 0, keys: 0) }
    let seconds = Double(window.elapsedNs) / 1e9
    let rate = Double(window.recorded) / seconds
    let excess = max(
      rate / WatchControl.recordedMax, Double(window.busyNs) / 1e9 / seconds / WatchControl.busyMax,
      Double(pass.keys) / Double(WatchControl.keysMax))
    if watch == .none { return widen(to: Watch(mask: 1 << 12 - 1, pattern: turns &* 0x9e37_79b9)) }
    if excess > 1 { return narrow(by: bits(max(excess, rate / WatchControl.recordedWanted))) }
    guard isWarm, watch.bits > 0 else { return .stay }
    let room = min(WatchControl.recordedWanted / max(rate, 1), Double(WatchControl.keysMax) / Double(max(1, pass.keys)))
    if rate < WatchControl.recordedMin, room >= 2 { return widen(by: bits(room) - 1) }
    return turnedAgoNs >= WatchControl.turnNs ? turn() : .stay
  }

  // MARK: - Changes

  private mutating func warm() -> Step {
    guard let next = afterWarmUp else {
      judged = watch
      return .warm
    }
    afterWarmUp = nil
    watch = next
    judged = next
    return .warm
  }

  /// Within the judged keys as far as those differ.
  private mutating func narrow(by count: Int) -> Step {
    var (mask, pattern) = (watch.mask, watch.pattern)
    for _ in 0..<count {
      let missing = judged.mask & ~mask
      let bit = UInt32(1) << UInt32((missing != 0 ? missing : ~mask).trailingZeroBitCount)
      guard mask.nonzeroBitCount < Watch.bitsMax else { break }
      mask |= bit
      pattern |= judged.mask & bit != 0 ? judged.pattern & bit : (turns << 7) & bit
    }
    afterWarmUp = nil
    watch = Watch(mask: mask, pattern: pattern)
    if isWarm { judged = watch }
    return .change
  }

  private mutating func widen(by count: Int) -> Step {
    var mask = watch.mask
    for _ in 0..<min(max(1, count), watch.bits) { mask &= mask - 1 }
    return widen(to: Watch(mask: mask, pattern: watch.pattern & mask))
  }

  private mutating func widen(to next: Watch) -> Step {
    watch = next
    warmsForNs = warmUpNs
    return .change
  }

  /// Exchanges the watched keys for as many others, which warm up beside them. One bit is turned at a time, in the order
  /// of a Gray code, which goes through all patterns.
  private mutating func turn() -> Step {
    turns &+= 1
    turnedAgoNs = 0
    var mask = watch.mask
    for _ in 0..<(turns.trailingZeroBitCount % watch.bits) { mask &= mask - 1 }
    let bit = UInt32(1) << UInt32(mask.trailingZeroBitCount)
    afterWarmUp = Watch(mask: watch.mask, pattern: watch.pattern ^ bit)
    return widen(to: Watch(mask: watch.mask & ~bit, pattern: watch.pattern & ~bit))
  }

  /// Halvings that divide by at least `factor`.
  private func bits(_ factor: Double) -> Int {
    var bits = 0
    while Double(1 << bits) < factor, bits < Watch.bitsMax { bits += 1 }
    return max(1, bits)
  }
}
