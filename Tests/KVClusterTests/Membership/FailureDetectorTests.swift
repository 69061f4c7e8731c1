import Testing

@testable import KVCluster

struct FailureDetectorTests {
  private let second: UInt64 = 1_000_000_000

  @Test("Who has not been heard for a second is suspected by those who do not hear it, and no longer once it is heard")
  func suspects() {
    var detector = FailureDetector()
    detector.adopt([1, 2, 3], nowNs: 0)
    detector.hearAll(atNs: 5 * second)
    #expect(detector.suspicions(nowNs: 6 * second - 1).isEmpty)
    detector.hear(1, by: 2, atNs: 6 * second)
    detector.hear(2, by: 1, atNs: 6 * second)
    detector.hear(2, by: 3, atNs: 6 * second)
    #expect(
      detector.suspicions(nowNs: 6 * second + second / 2)
        == [
          FailureDetector.Suspicion(node: 1, by: [3]), FailureDetector.Suspicion(node: 3, by: [1, 2]),
        ])
    #expect(
      detector.suspicions(nowNs: 6 * second + second / 2, besides: [1, 3])
        == [FailureDetector.Suspicion(node: 3, by: [2])])
    detector.hearAll(atNs: 7 * second)
    #expect(detector.suspicions(nowNs: 7 * second + 1).isEmpty)
  }

  @Test(
    "A node that has just come is not suspected for what was before, nor suspects for it; one that left is forgotten")
  func adopts() {
    var detector = FailureDetector()
    detector.adopt([1, 2], nowNs: 0)
    detector.adopt([1, 2, 7], nowNs: 9 * second)
    #expect(
      detector.suspicions(nowNs: 9 * second) == [
        FailureDetector.Suspicion(node: 1, by: [2]), FailureDetector.Suspicion(node: 2, by: [1]),
      ])
    #expect(detector.suspicions(nowNs: 10 * second).count == 3)
    detector.adopt([1], nowNs: 10 * second)
    #expect(detector.suspicions(nowNs: 20 * second).isEmpty)
  }

  @Test("A heartbeat that arrives late does not undo a later one")
  func ignoresOlder() {
    var detector = FailureDetector()
    detector.adopt([1, 2], nowNs: 0)
    detector.hear(1, by: 2, atNs: 9 * second)
    detector.hear(1, by: 2, atNs: 3 * second)
    #expect(detector.suspicions(nowNs: 9 * second + 1) == [FailureDetector.Suspicion(node: 2, by: [1])])
  }

  @Test("Heartbeats take the links: a partition, a pause and a loss of all show, a slow link does not")
  func takesLinks() {
    let links = Links(seed: 1)
    let heartbeats = Heartbeats(seed: 2)
    var now: UInt64 = 0
    func run(seconds: UInt64) {
      let end = now + seconds * second
      while now < end {
        now += Limits.heartbeatNs
        _ = heartbeats.beat([1, 2, 3], over: links, nowNs: now)
      }
    }
    run(seconds: 2)
    links.set(1, 2) { $0.delayNs = 30 * second }
    links.set(2, 3) { $0.lossPerMille = 300 }
    run(seconds: 31)
    links.set(1, 3) { $0.isCut = true }
    run(seconds: 2)
    #expect(heartbeats.suspicions == [FailureDetector.Suspicion(node: 1, by: [3])])
    links.pause(2)
    run(seconds: 2)
    #expect(heartbeats.suspicions.first { $0.node == 2 }?.by == [1, 3])
    #expect(!heartbeats.suspicions.contains { $0.by.contains(2) })
    links.heal()
    run(seconds: 1)
    #expect(heartbeats.suspicions.isEmpty)
  }
}
