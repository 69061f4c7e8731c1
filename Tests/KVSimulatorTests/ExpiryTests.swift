import KVCluster
import Testing

@testable import KVSimulator

/// Values that end, on days of exact steps.
@Suite struct ExpiryTests {
  private func run(
    _ carrier: Carrier = .direct, fsync: FsyncPolicy = .always, _ body: (Script) throws -> Void
  ) throws -> Verdict {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, fsync: fsync, carrier)
      try body(script)
      return script.verdict()
    }
  }

  @Test("A value is there until its end and not after", arguments: Carrier.allCases)
  func ends(carrier: Carrier) throws {
    let verdict = try run(carrier) { script in
      try script.put("value", endingAfterMs: 100)
      script.run(ms: 40)
      #expect(try script.get() == .some("value"))
      script.run(ms: 100)
      #expect(try script.get() == .some(nil))
      #expect(try script.update(.insert(Array("next".utf8))) == .some(nil), "an update finds nothing")
      #expect(try script.get() == .some("next"))
    }
    #expect(verdict == .linearizable)
  }

  @Test("Time goes on when the clock is set back, and jumps when it is set forward")
  func clockIsTurned() throws {
    let verdict = try run { script in
      try script.put("value", endingAfterMs: 1_000)
      script.turnClock(ms: -3_600_000)
      script.run(ms: 500)
      #expect(try script.get() == .some("value"))
      script.run(ms: 600)
      #expect(try script.get() == .some(nil))
      try script.put("next", endingAfterMs: 3_600_000)
      script.turnClock(ms: 3_600_000 * 3)
      #expect(try script.get() == .some(nil))
    }
    #expect(verdict == .linearizable)
  }

  @Test("What has ended stays so after a crash with the clock set back, whether or not somebody has seen it")
  func staysGone() throws {
    for isSeen in [true, false] {
      let verdict = try run { script in
        try script.put("value", endingAfterMs: 1_000)
        for _ in 0..<100 {
          script.run(ms: 20)
          script.cluster.tickNow()
        }
        if isSeen { #expect(try script.get() == .some(nil)) }
        try script.restartProgram(losingPower: true) { script.turnClock(ms: -3_600_000) }
        #expect(try script.get() == .some(nil))
      }
      #expect(verdict == .linearizable)
    }
  }

  @Test("An orderly end leaves a clock that is not early, however often")
  func orderlyEnds() throws {
    _ = try run { script in
      let startedMs = script.cluster.clock.now
      try script.put("value", endingAfterMs: 60_000)
      for _ in 0..<20 {
        script.run(ms: 10)
        script.cluster.tickNow()
        #expect(script.close())
        try script.reopen()
      }
      #expect(script.cluster.clock.now - startedMs < 2_000)
      #expect(try script.get() == .some("value"))
    }
  }

  @Test(
    "The expirer deletes at all owners, and a node that was away cannot bring the value back",
    arguments: Carrier.allCases)
  func isDeleted(carrier: Carrier) throws {
    let verdict = try run(carrier) { script in
      try script.put("value", endingAfterMs: 50)
      script.crash("node3")
      script.run(ms: 100)
      script.cluster.expire(at: "node1")
      script.run(ms: 50)
      let copies = script.cluster.copies(of: Array("key".utf8))
      #expect(copies.prefix(2).allSatisfy { $0?.isTombstone == true })
      try script.start("node3")
      #expect(try script.get() == .some(nil))
      script.crash("node1")
      #expect(try script.get() == .some(nil))
    }
    #expect(verdict == .linearizable)
  }

  @Test("An older copy without an end does not come back when a newer one has ended")
  func olderStaysHidden() throws {
    let verdict = try run { script in
      try script.put("old")
      script.crash("node3")
      try script.put("new", endingAfterMs: 50)
      script.run(ms: 100)
      try script.start("node3")
      script.crash("node1")
      #expect(try script.get() == .some(nil))
    }
    #expect(verdict == .linearizable)
  }
}
