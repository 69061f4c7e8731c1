/// How fast keys are moved: `MIGRATE` stops both servers for as long as it takes, so batches are counted in bytes, and get
/// smaller when a probe says that clients wait.
///
/// Additive increase, multiplicative decrease, as TCP does it.
struct MovePace: Sendable, Equatable {
  /// Bytes of the next batch.
  private(set) var batchBytes = 256 << 10
  /// Time without a batch before the next one.
  private(set) var pause = Duration.zero
  /// How long a command may have to wait because of a batch.
  let ceiling: Duration

  private static let batchRange = (16 << 10)...(1 << 20)
  private static let pauseMax = Duration.milliseconds(200)

  /// - Parameter ceiling: 10 ms is what a person does not notice, and a thousandth of Redis's usual node timeout.
  init(ceiling: Duration = .milliseconds(10)) { self.ceiling = ceiling }

  /// Takes how much longer a server needed to answer a `PING` that was sent with a batch than one that was sent before it.
  mutating func note(_ delay: Duration) {
    if delay > ceiling {
      if batchBytes == Self.batchRange.lowerBound { pause = min(Self.pauseMax, pause * 2 + .milliseconds(1)) }
      batchBytes = max(Self.batchRange.lowerBound, batchBytes / 2)
    } else {
      batchBytes = min(Self.batchRange.upperBound, batchBytes + (16 << 10))
      pause = pause > .milliseconds(1) ? pause / 2 : .zero
    }
  }

  /// As many of the first keys as go into one batch; at least one.
  func batch(_ sizes: [Int]) -> Int {
    var (count, bytes) = (0, 0)
    while count < sizes.count, count == 0 || bytes + sizes[count] <= batchBytes {
      bytes += sizes[count]
      count += 1
    }
    return count
  }
}
