/// The steps of a join or a leave, as a state machine: what was done in, what to do next out. Pure.
///
/// ```
/// write joint ─▶ adopt joint ─▶ drain ─▶ stream ─▶ sync ─▶ write settled ─▶ adopt settled ─▶ drain ─▶ drop ─▶ done
///                                          ▲        │
///                                          └────────┘ if a node came or went meanwhile
/// ```
///
/// Each arrow waits for the step before it on *every* partition. Why this order is safe: once every operation runs
/// under the joint configuration, whatever it returns is on a quorum of both rings' owners (*drain* waits for those that
/// began before); the stream then brings what was written before to a quorum of the new owners; so when the old owners
/// stop being asked, the new ones know it all. The old owners drop their copies last. A crash before *write settled* starts again at *adopt joint*: streaming twice
/// does no harm, since a record is applied only if its tag is newer. (Raft's joint consensus, Ongaro 2014, §4.3.)
package struct MembershipChange: Equatable, Sendable {
  package enum Step: Equatable, Sendable {
    /// Make the joint configuration durable.
    case writeJoint
    /// Let every partition's operations use both rings.
    case adoptJoint
    /// Wait until no operation under the old ring alone can still succeed.
    case drainOld
    /// Bring every key whose owners change to a write quorum of its new owners.
    case stream
    /// Make what was streamed durable.
    case sync
    /// Make the settled configuration durable: the point of no return.
    case writeSettled
    /// Let every partition's operations use the new ring alone.
    case adoptSettled
    /// Wait until no operation under both rings can still succeed.
    case drainJoint
    /// Let the losers give up their ranges, durably; close and remove a node that left.
    case drop
    case done
  }

  package let joint: Configuration
  package private(set) var step: Step

  /// A new change.
  package init(joint: Configuration) {
    precondition(joint.change != nil, "a change needs a joint configuration")
    self.joint = joint
    step = .writeJoint
  }

  /// A change found unfinished when the program started: its joint configuration is durable.
  package init(resuming joint: Configuration) {
    self.init(joint: joint)
    step = .adoptJoint
  }

  package var settled: Configuration { joint.settled }

  /// A node came or went while keys were copied or made durable: the copies must be gone over again.
  package mutating func streamAgain() {
    precondition(step == .sync, "only a stream that is over can be begun again")
    step = .stream
  }

  /// The current step has been carried out in full; returns the next one.
  package mutating func finishStep() -> Step {
    switch step {
    case .writeJoint: step = .adoptJoint
    case .adoptJoint: step = .drainOld
    case .drainOld: step = .stream
    case .stream: step = .sync
    case .sync: step = .writeSettled
    case .writeSettled: step = .adoptSettled
    case .adoptSettled: step = .drainJoint
    case .drainJoint: step = .drop
    case .drop: step = .done
    case .done: preconditionFailure("the change is done")
    }
    return step
  }
}
