import KVCluster

/// A simulated day that a viewer moves through, forwards and back.
///
/// A thread of its own lives the day up to wherever the viewer wants to be, and waits there. To go back it lives the day
/// again from its beginning: equal seeds give equal days, and a day takes less than a second. Nothing that the viewer does
/// changes the day.
package final class DayPlayer: Sendable {
  /// A moment of the day: the state after `step` steps, seen at a time before the next one is due.
  package struct Position: Sendable, Equatable {
    package var step: Int
    package var nowNs: UInt64

    package init(step: Int, nowNs: UInt64) { (self.step, self.nowNs) = (step, nowNs) }
  }

  /// The cluster's status at one moment, and what happened since the frame before it. Times count from the beginning of the
  /// day, also after the program was started again in it.
  package struct Frame: Sendable {
    package var nowNs: UInt64
    package var status: ClusterStatus
    package var events: [ClusterEvent]
  }

  /// What has been seen since it was last asked for.
  package struct News: Sendable {
    /// Counts how often the day was begun anew: with a new number all frames before are void.
    package var run: Int
    package var position: Position
    /// Whether the day is still on its way to where the viewer wants to be.
    package var isBusy: Bool
    package var frames: [Frame]
    package var flights: [DayFlight]
    /// The first line of the day that was another one when it was lived first; `nil`, unless equal seeds do not give equal
    /// days.
    package var difference: String?
  }

  let seed: UInt64
  private let mistake: PlantedMistake?
  private let carrier: Carrier?
  private let desk = Desk()

  /// What the viewer's threads and the day's share.
  private final class Desk: @unchecked Sendable {
    let monitor = Monitor()
    // All below is guarded by `monitor`.
    var score: DayScore?
    var goal: Position?
    var isStopped = false
    var news = News(run: 0, position: Position(step: 0, nowNs: 0), isBusy: true, frames: [], flights: [])
    var thread: BackgroundThread?
  }

  /// Begins to live the day for the first time, on a thread of its own.
  package init(seed: UInt64, mistake: PlantedMistake? = nil, carrier: Carrier? = nil) {
    (self.seed, self.mistake, self.carrier) = (seed, mistake, carrier)
    desk.thread = BackgroundThread("simulated day") { [self] in live() }
  }

  /// What is known of the day; `nil` while it is lived for the first time.
  package var score: DayScore? { desk.monitor.withLock { desk.score } }

  /// Waits until the day has been lived once; `nil` if it was stopped before.
  package func waitForScore() -> DayScore? {
    desk.monitor.withLock {
      while desk.score == nil, !desk.isStopped { desk.monitor.wait() }
      return desk.score
    }
  }

  /// Says where the viewer wants to be. Returns at once.
  package func go(to goal: Position) {
    desk.monitor.withLock {
      guard desk.goal != goal else { return }
      desk.goal = goal
      desk.news.isBusy = true
      desk.monitor.notifyAll()
    }
  }

  /// What has been seen since the last call. Returns at once.
  package func take() -> News {
    desk.monitor.withLock {
      defer { desk.news.frames = [] }
      return desk.news
    }
  }

  /// Waits until the viewer is where it wanted to be, and returns what has been seen since it was last asked.
  package func arrive() -> News {
    desk.monitor.withLock {
      while desk.news.isBusy, !desk.isStopped { desk.monitor.wait() }
      defer { desk.news.frames = [] }
      return desk.news
    }
  }

  /// Ends the day; returns when its thread has ended.
  package func stop() {
    let thread = desk.monitor.withLock {
      desk.isStopped = true
      desk.monitor.notifyAll()
      defer { desk.thread = nil }
      return desk.thread
    }
    thread?.join()
  }

  private var isStopped: Bool { desk.monitor.withLock { desk.isStopped } }

  private func simulation() -> Simulation { Simulation(seed: seed, mistake: mistake, carrier: carrier) }

  private func live() {
    guard let score = DayScore(simulation(), isStopped: { [desk] in desk.monitor.withLock { desk.isStopped } }) else {
      return
    }
    desk.monitor.withLock {
      desk.score = score
      desk.goal = desk.goal ?? Position(step: 0, nowNs: score.startNs)
      desk.monitor.notifyAll()
    }
    while !isStopped {
      desk.monitor.withLock {
        desk.news = News(
          run: desk.news.run + 1, position: Position(step: 0, nowNs: score.startNs), isBusy: true, frames: [],
          flights: [])
      }
      DayPass(simulation(), score, goOn: goOn).run()
    }
  }

  /// What a run has to do after a step: go on, or begin anew from the start. Waits while it is where the viewer wants to be.
  private func goOn(_ pass: DayPass) -> Bool {
    desk.monitor.withLock {
      while true {
        guard !desk.isStopped, let goal = desk.goal, goal.step >= pass.step, goal.nowNs >= pass.shownNs else {
          return false
        }
        if goal.step > pass.step {
          if let frame = pass.frame(onTheWayTo: goal) { desk.news.frames.append(frame) }
          return true
        }
        desk.news.difference = desk.news.difference ?? pass.difference
        if desk.news.isBusy {
          desk.news.frames.append(pass.frame(at: goal.nowNs))
          desk.news.flights = pass.flights(at: goal.nowNs)
          desk.news.position = goal
          desk.news.isBusy = false
          desk.monitor.notifyAll()
        }
        desk.monitor.wait()
      }
    }
  }
}
