import Dispatch
import Synchronization

/// A door that opens once; tasks wait in front of it without holding a thread.
final class Latch: Sendable {
  private struct State {
    var isDone = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func finish() {
    let waiters = state.withLock { state in
      state.isDone = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if !state.isDone { state.waiters.append(continuation) }
        return state.isDone
      }
      if isDone { continuation.resume() }
    }
  }
}

/// Lets one through at a time, in the order they came; tasks wait without holding a thread.
final class AsyncLock: Sendable {
  private struct State {
    var isHeld = false
    var waiters: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  func lock() async {
    await withCheckedContinuation { continuation in take { continuation.resume() } }
  }

  /// ``lock()`` for a thread that may block.
  func lockBlocking() {
    let semaphore = DispatchSemaphore(value: 0)
    take { semaphore.signal() }
    semaphore.wait()
  }

  private func take(_ go: @escaping @Sendable () -> Void) {
    let isFree = state.withLock { state in
      if state.isHeld {
        state.waiters.append(go)
        return false
      }
      state.isHeld = true
      return true
    }
    if isFree { go() }
  }

  func unlock() {
    let next = state.withLock { state -> (@Sendable () -> Void)? in
      guard !state.waiters.isEmpty else {
        state.isHeld = false
        return nil
      }
      return state.waiters.removeFirst()
    }
    next?()
  }
}
