/// Which lines of a file are on their way, and up to which line all are settled. Pure.
///
/// Puts finish in any order, but "12,000 lines stored" must mean the first 12,000: a reader after a crash has no
/// other way to know which. So lines settle out of order and count in order. Two lines with one key are never on their
/// way together, because only then does the later one win.
struct LoadWindow {
  /// Puts on their way at once: enough for a group commit to pay, and the bound.
  static let linesInFlightMax = 64
  /// Bytes of keys and values on their way at once; one line alone may exceed it. Bounds memory with large values.
  static let bytesInFlightMax = 64 << 20
  /// Lines from the oldest unsettled one to the newest: a put that hangs must not let what lies behind it grow for ever.
  static let span = 16_384

  /// Lines stored, of the first ``linesSettled``.
  private(set) var linesStored = 0
  /// Lines that are bad or could not be stored, of the first ``linesSettled``.
  private(set) var linesFailed = 0
  /// How many lines of the file, from the first, are settled without a gap.
  var linesSettled: Int { linesStored + linesFailed }

  /// Lines settled beyond the gap, and whether they are stored.
  private var settledAhead: [Int: Bool] = [:]
  private var keysInFlight: Set<[UInt8]> = []
  private var bytesInFlight = 0

  /// Whether line `number`, good or bad, is near enough to the oldest unsettled one.
  func reaches(_ number: Int) -> Bool {
    number - linesSettled <= Self.span
  }

  /// Whether `line` may start now. If not, it may after some line in flight has settled.
  func admits(_ line: LoadLine) -> Bool {
    if keysInFlight.isEmpty { return true }
    return keysInFlight.count < Self.linesInFlightMax
      && bytesInFlight + line.key.count + line.value.count <= Self.bytesInFlightMax
      && !keysInFlight.contains(line.key)
  }

  mutating func start(_ line: LoadLine) {
    let isNew = keysInFlight.insert(line.key).inserted
    precondition(isNew, "two lines with one key in flight")
    bytesInFlight += line.key.count + line.value.count
  }

  /// Line `number`, which was started, is stored or has failed.
  mutating func finish(_ number: Int, _ line: LoadLine, isStored: Bool) {
    let removed = keysInFlight.remove(line.key)
    precondition(removed != nil, "line \(number) finished without having started")
    bytesInFlight -= line.key.count + line.value.count
    settle(number, isStored: isStored)
  }

  /// Line `number` was bad and never started.
  mutating func reject(_ number: Int) {
    settle(number, isStored: false)
  }

  private mutating func settle(_ number: Int, isStored: Bool) {
    precondition(number > linesSettled && settledAhead[number] == nil, "line \(number) settled twice")
    settledAhead[number] = isStored
    while let isStored = settledAhead.removeValue(forKey: linesSettled + 1) {
      if isStored { linesStored += 1 } else { linesFailed += 1 }
    }
  }
}
