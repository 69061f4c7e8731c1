import Synchronization

/// The last events of a cluster, and whoever listens for the next.
final class EventLog: Sendable {
  private struct State {
    var events: [ClusterEvent] = []
    var sequence: UInt64 = 0
    var listeners: [(id: Int, continuation: AsyncStream<ClusterEvent>.Continuation)] = []
    var nextListener = 0
  }

  private let openedNs: UInt64
  private let state = Mutex(State())

  /// - Parameter openedNs: when the cluster was opened; the events' times count from then.
  init(openedNs: UInt64) { self.openedNs = openedNs }

  func add(_ what: ClusterEvent.What) {
    let (event, listeners) = state.withLock { state in
      state.sequence += 1
      let event = ClusterEvent(sequence: state.sequence, uptimeNs: Clock.nowNs() - openedNs, what)
      state.events.append(event)
      if state.events.count > Limits.eventsMax { state.events.removeFirst(state.events.count - Limits.eventsMax) }
      return (event, state.listeners)
    }
    for listener in listeners { listener.continuation.yield(event) }
  }

  func after(_ sequence: UInt64) -> [ClusterEvent] {
    state.withLock { state in
      guard state.sequence > sequence else { return [] }
      return state.events.filter { $0.sequence > sequence }
    }
  }

  /// A slow listener misses the oldest events once ``Limits/eventsMax`` wait for it.
  func stream() -> AsyncStream<ClusterEvent> {
    AsyncStream(bufferingPolicy: .bufferingNewest(Limits.eventsMax)) { continuation in
      let id = state.withLock { state in
        state.nextListener += 1
        state.listeners.append((state.nextListener, continuation))
        return state.nextListener
      }
      continuation.onTermination = { [weak self] _ in
        self?.state.withLock { $0.listeners.removeAll { $0.id == id } }
      }
    }
  }

  func finish() {
    let listeners = state.withLock { state in
      defer { state.listeners = [] }
      return state.listeners
    }
    for listener in listeners { listener.continuation.finish() }
  }
}
