import KVSimulator
import Synchronization
import Testing

@testable import KVCluster

@Suite struct RollingTests {
  /// Whether the log's lock can be taken within a moment.
  private func isFree(_ log: Log) -> Bool {
    let taken = Taken()
    let thread = BackgroundThread("writer") {
      _ = log.end
      taken.flag.store(true, ordering: .releasing)
    }
    let deadlineNs = Clock.nowNs() + 500_000_000
    while !taken.flag.load(ordering: .acquiring), Clock.nowNs() < deadlineNs { Clock.sleep(ns: 100_000) }
    guard taken.flag.load(ordering: .acquiring) else { return false }
    thread.join()
    return true
  }

  private final class Taken: Sendable {
    let flag = Atomic<Bool>(false)
  }

  @Test("Nobody waits for the disk with the log's lock held when a segment is sealed or a range dropped")
  func sealsWithoutWaiting() throws {
    let fixture = try StoreFixture()
    for i in 0..<10 { try fixture.write("key\(i)", "value", counter: UInt64(i + 1)) }
    let log = fixture.store.log
    var steps = 0
    var held = 0
    fixture.disk.onMoment = { _, moment in
      guard moment == .during || moment == .before else { return }
      steps += 1
      if !isFree(log) { held += 1 }
    }
    try log.sealTail()
    try log.appendRangeDrop(RingRanges { $0 < 16 }, effect: nil)
    fixture.disk.onMoment = nil
    #expect(steps > 4, "a segment is made on the disk")
    #expect(held == 0, "with the lock held: \(held) of \(steps)")
  }
}
