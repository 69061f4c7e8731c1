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

  @Test("A segment has all its space before the first record goes into it, and does not grow while it is synced")
  func growsBeforeUse() throws {
    let segmentBytes = 8 << 20
    let fixture = try StoreFixture(segmentBytes: segmentBytes)
    let log = fixture.store.log
    let isShort = Taken()
    log.setRoomRequest { _ in isShort.flag.store(true, ordering: .relaxed) }
    let value = String(repeating: "v", count: 32 << 10)
    var counter: UInt64 = 0
    var largest = 0
    while log.end.segment < 4 {
      counter += 1
      try fixture.write("key\(counter % 8)", value, counter: counter)
      if isShort.flag.exchange(false, ordering: .relaxed) { log.prepare() }
      let segments = log.segmentsNow.segments
      guard segments.count > 1 else { continue }
      for segment in segments { #expect(segment.file.byteCount == segmentBytes, "segment \(segment.id)") }
      largest = max(largest, segments.count)
    }
    #expect(largest == 4)
    try log.sync()
    #expect(try fixture.reopened().read("key\(counter % 8)") == value)
  }
}
