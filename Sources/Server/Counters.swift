import Synchronization

/// What the server has done since it began, counted for each event loop and added up when somebody asks.
struct ServerCounters: Sendable {
  var connections = 0
  var rejected = 0
  var commands = 0
  var bytesIn = 0
  var bytesOut = 0
  var hits = 0
  var misses = 0
  var errors: [String: Int] = [:]
  /// By ``CommandID``: calls, calls refused before they were carried out, calls that ended in an error.
  var calls = InlineArray<64, CommandCounts>(repeating: CommandCounts())

  struct CommandCounts: Sendable {
    var calls = 0
    var rejected = 0
    var failed = 0
  }

  static func += (sum: inout ServerCounters, other: ServerCounters) {
    sum.connections += other.connections
    sum.rejected += other.rejected
    sum.commands += other.commands
    sum.bytesIn += other.bytesIn
    sum.bytesOut += other.bytesOut
    sum.hits += other.hits
    sum.misses += other.misses
    sum.errors.merge(other.errors, uniquingKeysWith: +)
    for i in sum.calls.indices {
      sum.calls[i].calls += other.calls[i].calls
      sum.calls[i].rejected += other.calls[i].rejected
      sum.calls[i].failed += other.calls[i].failed
    }
  }
}

/// The counters of one loop as others see them: as of the end of the loop's last turn.
final class CounterBoard: Sendable {
  private let counters = Mutex(ServerCounters())

  func publish(_ newest: ServerCounters) { counters.withLock { $0 = newest } }
  var now: ServerCounters { counters.withLock { $0 } }
}

/// Operations a second, as `INFO` has them: over the last second or so.
final class RateMeter: Sendable {
  private struct State {
    var atNs: UInt64 = 0
    var commands = 0
    var perSecond = 0
  }

  private let state = Mutex(State())

  /// Called about once a second.
  func note(commands: Int, nowNs: UInt64) {
    state.withLock { state in
      if nowNs > state.atNs, state.atNs > 0 {
        let seconds = Double(nowNs - state.atNs) / 1e9
        state.perSecond = Int((Double(commands - state.commands) / seconds).rounded())
      }
      (state.atNs, state.commands) = (nowNs, commands)
    }
  }

  var perSecond: Int { state.withLock { $0.perSecond } }
}
