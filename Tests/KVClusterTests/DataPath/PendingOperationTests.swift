import Testing

@testable import KVCluster

@Suite struct PendingOperationTests {
  private func write(needed: Int) -> WriteOperation {
    WriteOperation(tag: .none, rule: QuorumRule(owners: ParticipantSet(first: 3), needed: needed))
  }

  @Test("A direct write ends with the acknowledgement that completes its quorum, and stays so")
  func isDecidedOnce() async {
    let pending = PendingOperation(write(needed: 2))
    pending.acknowledge(0)
    async let outcome = pending.wait()
    pending.acknowledge(2)
    #expect(await outcome == .done)
    pending.lose(1)
    pending.timeOut()
    #expect(pending.waitBlocking() == .done)
  }

  @Test("Without a quorum it is undecided: owners are lost, or time is up", arguments: [false, true])
  func isUndecided(timesOut: Bool) async {
    let pending = PendingOperation(write(needed: 2))
    pending.acknowledge(0)
    if timesOut {
      pending.timeOut()
    } else {
      pending.lose(1)
      pending.lose(2)
    }
    #expect(await pending.wait() == .undecided)
  }

  @Test("A thread, a task and a callback hear of the same end")
  func wakesItsCaller() async {
    let byThread = PendingOperation()
    let thread = BackgroundThread("caller") { #expect(byThread.waitBlocking() == .found([1])) }
    byThread.decide(.found([1]))
    thread.join()
    let byCallback = PendingOperation()
    let heard = AsyncStream<ClientOperation.Outcome> { stream in
      byCallback.onDecision { outcome in
        stream.yield(outcome)
        stream.finish()
      }
    }
    byCallback.decide(.undecided)
    for await outcome in heard { #expect(outcome == .undecided) }
  }

  @Test("What cannot be is a trap: a second end, and an acknowledgement of an operation by message")
  func traps() async {
    await #expect(processExitsWith: .failure) {
      let pending = PendingOperation()
      pending.decide(.done)
      pending.decide(.done)
    }
    await #expect(processExitsWith: .failure) { PendingOperation().acknowledge(0) }
  }
}
