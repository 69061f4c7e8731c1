import Synchronization

/// Where the tour waits for its reader: until it is opened, or until the time to read is over.
final class Gate: Sendable {
  private struct State {
    var waiter: CheckedContinuation<Bool, Never>?
    /// Which wait the waiter's is, so that an older one's clock does not end it.
    var number = 0
    /// Opened while nobody waited: the next one does not wait.
    var isOpen = false
  }

  private let state = Mutex(State())

  /// Lets who waits go on, or who comes next.
  func open() {
    let waiter = state.withLock { state in
      defer { state.waiter = nil }
      if state.waiter == nil { state.isOpen = true }
      return state.waiter
    }
    waiter?.resume(returning: true)
  }

  /// Forgets that it was opened before anyone came.
  func reset() { state.withLock { $0.isOpen = false } }

  /// Returns once it is opened or `time` is over; `nil` waits for as long as it takes. One at a time.
  /// - Returns: whether it was opened, also by the task's being cancelled.
  func wait(_ time: Duration?) async -> Bool {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    let timer = time.map { time in
      Task { if (try? await Task.sleep(for: time)) != nil { expire(number) } }
    }
    defer { timer?.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLock { state in
          defer { state.isOpen = false }
          if !state.isOpen { state.waiter = continuation }
          return state.isOpen
        }
        if isOpen { continuation.resume(returning: true) }
      }
    } onCancel: {
      open()
    }
  }

  private func expire(_ number: Int) {
    let waiter = state.withLock { state in
      guard state.number == number else { return nil as CheckedContinuation<Bool, Never>? }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: false)
  }
}
