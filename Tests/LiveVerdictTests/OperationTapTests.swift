import KVSimulator
import Synchronization
import Testing

@testable import KVCluster
@testable import LiveVerdict

/// Recording and judging together, on registers of the test's own.
@Suite struct OperationTapTests {
  /// A register behind a lock that many threads use through a tap. Every so many gets it may tell an old value.
  private final class Subject: Sendable {
    let tap = OperationTap()
    let key: [UInt8]
    private let held = Mutex<(now: UInt64, before: UInt64)>((0, 0))
    let staleEvery: Int
    let staleReads = Atomic<Int>(0)

    init(_ key: String, staleEvery: Int = .max) {
      self.key = Array(key.utf8)
      self.staleEvery = staleEvery
      _ = tap.replace(.none, with: .all)
    }

    func put(_ number: UInt64) {
      let slot = key.withUnsafeBytes { tap.begin(.put, $0, Subject.value(number)) }
      held.withLock { $0 = (number, $0.now) }
      tap.end(slot, .done)
    }

    func get(_ number: Int) {
      let slot = key.withUnsafeBytes { tap.begin(.get, $0) }
      let found = held.withLock { held -> UInt64 in
        guard number % staleEvery == staleEvery - 1 else { return held.now }
        staleReads.wrappingAdd(1, ordering: .relaxed)
        return held.before
      }
      if let slot { tap.note(slot, found: Subject.value(found)) }
      tap.end(slot, .done)
    }

    private static func value(_ number: UInt64) -> ObservedValue {
      withUnsafeBytes(of: number) { ObservedValue($0) }
    }
  }

  private final class Counter: Sendable {
    let number: Atomic<Int>
    init(_ start: Int = 0) { number = Atomic(start) }
  }

  /// Lets `clients` threads use the subject and judges what they record, as the live checker does.
  private func judge(_ subject: Subject, clients: Int, operations: Int) -> (checked: Int, findings: [KeyWatch.Finding])
  {
    let (left, recorded, collected) = (Counter(clients), Counter(), Counter())
    let threads = (0..<clients).map { client in
      BackgroundThread("client") {
        var random = SeededRandom(seed: UInt64(client))
        for number in 0..<operations {
          if random.below(3) == 0 { subject.put(UInt64(client * operations + number + 1)) } else { subject.get(number) }
          // No faster than they are collected.
          recorded.number.wrappingAdd(1, ordering: .relaxed)
          while recorded.number.load(ordering: .relaxed) > collected.number.load(ordering: .relaxed) + 1_000 {
            Clock.sleep(ns: 100_000)
          }
        }
        left.number.wrappingSubtract(1, ordering: .releasing)
      }
    }
    let watch = KeyWatch(hash: 0, from: 0)
    var total = (checked: 0, findings: [KeyWatch.Finding]())
    var isOver = false
    while !isOver {
      isOver = left.number.load(ordering: .acquiring) == 0
      let frontier = subject.tap.collect { operation in
        watch.note(operation)
        if operation.outcome != .open { collected.number.wrappingAdd(1, ordering: .relaxed) }
      }
      let found = watch.advance(to: frontier.count)
      total.checked += found.checked
      total.findings += found.findings
      Clock.sleep(ns: 100_000)
    }
    for thread in threads { thread.join() }
    return total
  }

  @Test(
    "A correct register that threads share is never judged wrong, and its operations are judged", arguments: [1, 2, 4])
  func correctRegister(clients: Int) {
    let subject = Subject("key")
    let (checked, findings) = judge(subject, clients: clients, operations: 4_000)
    #expect(subject.tap.watch == .all)
    #expect(findings.isEmpty, "\(findings.map { Explanation.violation(of: $0).explanation })")
    // A get whose thread is stopped while hundreds of others come and go is left out, and nothing else.
    #expect(checked <= clients * 4_000 && checked >= clients * 4_000 * 99 / 100)
  }

  @Test("Old values are noticed among thousands of right answers, and shown beside the write they miss")
  func staleRegister() throws {
    let subject = Subject("key", staleEvery: 500)
    let (_, findings) = judge(subject, clients: 2, operations: 4_000)
    #expect(!findings.isEmpty)
    #expect(findings.count <= subject.staleReads.load(ordering: .relaxed))
    let violation = Explanation.violation(of: try #require(findings.first))
    #expect(violation.summary.hasPrefix(#"key "key": get → "#))
    let lines = violation.explanation
    #expect(
      lines.first
        == #"no order of these operations on key "key" explains the last answer (p1, p2: clients; time runs to the right):"#
    )
    #expect((3...6).contains(lines.count), "\(violation.explanation)")
  }

  @Test("An operation that finds no slot takes its key out of the watch, and leaves others in")
  func fullTap() {
    let tap = OperationTap()
    _ = tap.replace(.none, with: .all)
    let keys = (0..<100).map { Array("key\($0)".utf8) }
    var slots: [Int] = []
    while let slot = keys[0].withUnsafeBytes({ tap.begin(.get, $0) }) { slots.append(slot) }
    #expect(slots.count > OperationTap.slotCount / 2)
    #expect(!keys[0].withUnsafeBytes { tap.watches(Ring.hash($0)) })
    let left = keys.count { key in key.withUnsafeBytes { tap.watches(Ring.hash($0)) } }
    #expect((20...80).contains(left))
    var found = 0
    let frontier = tap.collect { found += $0.outcome == .open ? 1 : 0 }
    #expect(found == slots.count)
    #expect(frontier.watch == tap.watch && frontier.watch.bits == 1)
    for slot in slots { tap.end(slot, .done) }
    _ = tap.collect { _ in }
    #expect(keys[0].withUnsafeBytes { tap.begin(.get, $0) } != nil)
  }

  @Test("A sudden load narrows the watch to what can be judged, before slots run out")
  func suddenLoad() {
    // A million a second, however fast this machine is at the moment.
    Clock.runVirtually(from: 1_000_000_000) { suddenLoadNow() }
  }

  private func suddenLoadNow() {
    let tap = OperationTap()
    _ = tap.replace(.none, with: .all)
    _ = tap.collect { _ in }
    var random = SeededRandom(seed: 1)
    var recorded = 0
    for _ in 0..<50_000 {
      let hash = random.next()
      Clock.advance(toNs: Clock.nowNs() + 1_000)
      withUnsafeBytes(of: hash) { key in
        guard tap.watches(Ring.hash(key)) else { return }
        recorded += 1
        tap.end(tap.begin(.get, key), .done)
      }
    }
    #expect(recorded > OperationTap.slotCount / 2 && recorded <= OperationTap.slotCount)
    #expect((1..<12).contains(tap.watch.bits), "\(tap.watch.bits)")
    var found = 0
    _ = tap.collect { _ in found += 1 }
    #expect(found == recorded)
  }

  @Test("Excluding any key halves the watch, down to nothing")
  func excludes() {
    var random = SeededRandom(seed: 1)
    var watch = Watch.all
    var kept: [UInt64] = (0..<64).map { _ in random.next() }
    for bits in 1...Watch.bitsMax {
      let hash = kept.first { watch.includes($0) } ?? random.next()
      watch = watch.excluding(hash)
      #expect(!watch.includes(hash) && watch.bits == bits)
      kept.removeAll { !watch.includes($0) }
    }
    #expect(watch.excluding(random.next()) == .none)
    #expect(!Watch.none.includes(0))
  }
}
