import ClusterModel

/// A past that is played on the dashboard, as a simulated day is: where its viewer is in it, and what stands beside the
/// panels.
///
/// The screen neither plays it nor knows where it comes from; it shows this, and hands the viewer's keys on.
package struct Playback: Equatable, Sendable {
  /// Something that happened, as a sign on the scrubber.
  package struct Mark: Equatable, Sendable {
    package var kind: PastKinds.Mark
    package var atNs: UInt64
    /// Where it stands on the scrubber, from 0 to 1.
    package var place: Double
    package var text: String

    package init(_ kind: PastKinds.Mark, atNs: UInt64, place: Double, text: String) {
      (self.kind, self.atNs, self.place, self.text) = (kind, atNs, place, text)
    }
  }

  /// An operation of a client, as a bar over time.
  package struct Call: Equatable, Sendable {
    package var isWrite: Bool
    package var text: String
    package var fromNs: UInt64
    package var toNs: UInt64
    package var ending: PastKinds.Ending
    /// Whether it belongs to the operations that no order explains.
    package var isOffending: Bool

    package init(
      isWrite: Bool, text: String, fromNs: UInt64, toNs: UInt64, ending: PastKinds.Ending, isOffending: Bool = false
    ) {
      (self.isWrite, self.text, self.fromNs, self.toNs) = (isWrite, text, fromNs, toNs)
      (self.ending, self.isOffending) = (ending, isOffending)
    }
  }

  /// The operations of one client, oldest first.
  package struct Lane: Equatable, Sendable {
    package var name: String
    package var calls: [Call]

    package init(name: String, calls: [Call]) { (self.name, self.calls) = (name, calls) }
  }

  /// A message between two nodes.
  package struct Flight: Equatable, Sendable {
    /// Ids of the nodes.
    package var from: Int
    package var to: Int
    package var kind: PastKinds.Flight
    /// How much of its way it has gone, from 0 to 1. One that is lost breaks off halfway.
    package var progress: Double
    package var isLost: Bool

    package init(from: Int, to: Int, kind: PastKinds.Flight, progress: Double, isLost: Bool) {
      (self.from, self.to, self.kind, self.progress, self.isLost) = (from, to, kind, progress, isLost)
    }
  }

  /// Steps done and all steps.
  package struct Steps: Equatable, Sendable {
    package var done: Int
    package var count: Int

    package init(done: Int, count: Int) { (self.done, self.count) = (done, count) }
  }

  /// A status of that past, and the events since the one before.
  package struct Frame: Sendable {
    package var nowNs: UInt64
    package var status: ClusterStatus
    package var events: [ClusterEvent]

    package init(nowNs: UInt64, status: ClusterStatus, events: [ClusterEvent]) {
      (self.nowNs, self.status, self.events) = (nowNs, status, events)
    }
  }

  /// The title of the strip, as in `seed 42, mistake noWriteBack`.
  package var name: String
  /// How often the playback has started from its beginning. When this number changes, the dashboard drops all frames that it
  /// has taken.
  package var run = 0
  /// Where it begins and ends, and where the viewer is. All times are on its own clock.
  package var startNs: UInt64
  package var endNs: UInt64
  package var nowNs: UInt64
  /// Where the viewer is on the scrubber, from 0 to 1: by steps if there are any, because most of a day's time nothing
  /// happens.
  package var place = 0.0
  package var isPlaying = false
  /// Its seconds in one of the viewer's.
  package var speed = 1.0
  /// It is on its way to where the viewer wants to be.
  package var isBusy = false
  /// `nil` if it has none.
  package var steps: Steps?
  package var marks: [Mark] = []
  package var lanes: [Lane] = []
  /// How much time the lanes show.
  package var windowNs: UInt64 = 1_000_000_000
  package var flights: [Flight] = []
  /// The last lines of the journal, oldest first.
  package var lines: [String] = []
  /// The operations that contradict one another, once the viewer is there; empty before.
  package var proof: [String] = []
  /// A warning that the strip shows in the place of the next mark; empty if there is none.
  package var warning = ""

  /// The strip beside the panels.
  package enum Strip: Equatable, Sendable {
    case scrubber
    /// Operations as bars too, which want rows.
    case bars
  }

  var strip: Strip { steps == nil ? .scrubber : .bars }

  package init(name: String, startNs: UInt64, endNs: UInt64, nowNs: UInt64) {
    (self.name, self.startNs, self.endNs, self.nowNs) = (name, startNs, endNs, nowNs)
  }
}

/// A key of a playback's viewer.
package enum PlaybackKey: Equatable, Sendable {
  case playOrPause
  case faster, slower
  /// One step on or back.
  case step(Int)
  /// To the next or former answer of a client.
  case answer(Int)
  /// To the next or former mark.
  case mark(Int)
  /// By parts of the whole.
  case move(parts: Int)
  /// To the answer that no order explains.
  case violation
  /// To a place, from 0 to 1.
  case seek(Double)
  case quit
}
