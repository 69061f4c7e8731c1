import Synchronization

/// The time by which values expire: one clock for the whole process, which never goes back.
///
/// It shows the system's time. When somebody sets that back, this clock goes on with the monotonic clock: times to live stay.
/// What has ended stays so: while there are values that will, a bound of the time is kept durable that is ahead of it, beside the
/// one of tags (``TagLease``), and a start begins there at the earliest. So neither a restart nor a clock that was set back
/// meanwhile brings a value back. After a crash the clock may be early by as much as the bound is ahead, two seconds at most.
package final class ExpiryClock: Sendable {
  /// How far ahead of the clock the bound is made durable.
  private static let leaseMs: UInt64 = 2_000

  /// How far it is ahead of the monotonic clock, in milliseconds; it only grows.
  private let lead = Atomic<Int64>(0)
  private let bound = Atomic<UInt64>(0)
  /// When the last value ends that is known.
  private let latestEnd = Atomic<UInt64>(0)
  private let extending = Mutex<Void>(())
  private let writeLease: @Sendable (UInt64) throws(StorageError) -> Void
  /// A mistake, for a test: the bound is not kept.
  private let forgetsBound: Bool

  init(_ mistake: PlantedMistake? = nil, writeLease: @escaping @Sendable (UInt64) throws(StorageError) -> Void) {
    self.writeLease = writeLease
    forgetsBound = mistake == .forgetsTime
  }

  /// Begins no earlier than at a bound that an earlier life has left.
  func start(at bound: UInt64) {
    if forgetsBound { return }
    self.bound.store(bound, ordering: .releasing)
    lead.max(Int64(bound) - Int64(Clock.nowNs() / 1_000_000), ordering: .relaxed)
  }

  /// Unix milliseconds.
  package var now: UInt64 {
    let running = Int64(Clock.nowNs() / 1_000_000)
    let wanted = Int64(Clock.unixMilliseconds()) - running
    if wanted > lead.load(ordering: .relaxed) { lead.max(wanted, ordering: .relaxed) }
    return UInt64(running + lead.load(ordering: .relaxed))
  }

  /// Whether a value that expires at this time is gone.
  /// - Parameter asked: when the operation was asked for, if it has not read the value just now.
  /// - Throws: it is, and that cannot be noted.
  func hasPassed(_ time: UInt64, asked: UInt64? = nil) throws(StorageError) -> Bool {
    guard time <= asked ?? now else { return false }
    if time > bound.load(ordering: .acquiring) { try extend(beyond: time) }
    return true
  }

  /// Keeps the bound ahead of the clock while there are values that will end; call now and then from a background thread.
  func extendEarly() throws(StorageError) {
    guard latestEnd.load(ordering: .relaxed) > bound.load(ordering: .relaxed) else { return }
    try extend(beyond: now + ExpiryClock.leaseMs / 2)
  }

  /// There is a value that ends at this time.
  func note(end: UInt64) {
    if end > latestEnd.load(ordering: .relaxed) { latestEnd.max(end, ordering: .relaxed) }
  }

  /// The orderly end: nobody asks any more, so the next start need not begin ahead of time.
  func finish() {
    extending.withLock { _ in
      let now = now
      guard now < bound.load(ordering: .relaxed) else { return }
      try? writeLease(now)
    }
  }

  /// What no restart takes back.
  package var durable: UInt64 { min(now, bound.load(ordering: .acquiring)) }

  private func extend(beyond time: UInt64) throws(StorageError) {
    try extending.withLock { _ throws(StorageError) in
      guard time > bound.load(ordering: .relaxed) else { return }
      let wanted = now + ExpiryClock.leaseMs
      try writeLease(wanted)
      bound.store(wanted, ordering: .releasing)
    }
  }

  /// - Throws: `ClusterError.invalidArgument`.
  package func time(_ end: ExpiryTime) throws(ClusterError) -> UInt64 {
    let (time, isTooLarge) =
      switch end {
      case .after(let milliseconds): UInt64(clamping: milliseconds).addingReportingOverflow(now)
      case .at(let unixMilliseconds): (UInt64(clamping: unixMilliseconds), false)
      }
    if case .after(..<1) = end { throw .invalidArgument("a time to live is at least one millisecond") }
    guard !isTooLarge, time <= Expiry.timeMax else { throw .invalidArgument("no clock will show so late a time") }
    note(end: time)
    return time
  }
}

/// Decides what of a version clients see.
final class Visibility: Sendable {
  let clock: ExpiryClock
  private let tap: OperationTap
  /// The tag of the version that was last noted as expired.
  private let noted = Atomic<UInt64>(0)

  init(_ clock: ExpiryClock, _ tap: OperationTap) { (self.clock, self.tap) = (clock, tap) }

  /// The value in a body; `nil` once it has expired.
  @inline(__always)
  func value(
    _ body: UnsafeRawBufferPointer, _ tag: Tag, _ hash: UInt64, _ key: UnsafeRawBufferPointer
  ) throws(StorageError) -> UnsafeRawBufferPointer? {
    tag.expires ? try value(ofExpiring: body, tag, hash, key) : body
  }

  /// The same of one that expires.
  /// - Parameter asked: see ``ExpiryClock/hasPassed(_:asked:)``.
  @inline(never)
  func value(
    ofExpiring body: UnsafeRawBufferPointer, _ tag: Tag, _ hash: UInt64, _ key: UnsafeRawBufferPointer,
    asked: UInt64? = nil
  ) throws(StorageError) -> UnsafeRawBufferPointer? {
    let value = UnsafeRawBufferPointer(rebasing: body.dropFirst(Expiry.byteCount))
    guard try clock.hasPassed(Expiry.time(in: body), asked: asked) else { return value }
    if tap.watches(hash), noted.load(ordering: .acquiring) != tag.rawValue {
      // To the live verdict somebody may have deleted it, now or later.
      tap.end(tap.begin(.expiry, key, .absent, base: ObservedValue(value)), .unknown)
      noted.store(tag.rawValue, ordering: .releasing)
    }
    return nil
  }
}
