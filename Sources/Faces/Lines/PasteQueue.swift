import Dashboard
import Synchronization

/// Pasted lines that wait for their turn. A signal may give them up from another thread.
final class PasteQueue: Sendable {
  private struct State {
    var lines = PastedLines()
    var dropped = 0
  }

  private let state = Mutex(State())

  /// The line that runs and how many there are, if they are several.
  var place: (number: Int, count: Int)? {
    state.withLock { state in
      state.lines.total > 1 && state.lines.isBusy ? (state.lines.begun, state.lines.total) : nil
    }
  }

  func add(_ lines: [String]) {
    state.withLock { state in
      for line in lines where !state.lines.add(line) { state.dropped += 1 }
    }
  }

  /// The next line; the one before it is over.
  func next() -> String? { state.withLock { $0.lines.nextInTurn() } }

  /// Gives up the lines that wait; returns whether there were any.
  func stop() -> Bool {
    state.withLock { state in
      let count = state.lines.drop()
      state.dropped += count
      return count > 0
    }
  }

  /// How many lines were given up since the last call.
  func takeDropped() -> Int {
    state.withLock { state in
      defer { state.dropped = 0 }
      return state.dropped
    }
  }
}
