import KVCluster

/// The events of a simulated day that are still to come, in the order of their time.
struct EventQueue {
  private var heap = DueHeap()
  /// By place; those that have come are kept until the place is used again.
  private var events: [Simulation.Event] = []
  private var free: [Int] = []

  /// When the first event is due.
  var nextDue: UInt64? { heap.nextDue }

  mutating func add(_ event: Simulation.Event, at time: UInt64) {
    if let place = free.popLast() {
      events[place] = event
      heap.add(place, at: time)
    } else {
      events.append(event)
      heap.add(events.count - 1, at: time)
    }
  }

  /// The first event, if it is due by `now`.
  mutating func pop(dueBy now: UInt64) -> Simulation.Event? {
    guard let place = heap.pop(dueBy: now) else { return nil }
    free.append(place)
    return events[place]
  }

  mutating func removeAll(where isGone: (Simulation.Event) -> Bool) {
    heap.removeAll { place in
      guard isGone(events[place]) else { return false }
      free.append(place)
      return true
    }
  }
}
