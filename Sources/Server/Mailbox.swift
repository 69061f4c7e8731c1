import NIOCore
import RESP
import Synchronization

/// Ends of operations on their way from the threads that saw them to an event loop: however many come, the loop is woken
/// once.
final class Mailbox: Sendable {
  struct Completion: Sendable {
    var connection: Int
    var reply: Int
    var error: String?
    /// The reply's bytes, if it was made elsewhere; the connection goes on with its next command then.
    var made: [UInt8]?
  }

  private struct State {
    var completions: [Completion] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let loop: any EventLoop
  private let deliver: @Sendable ([Completion]) -> Void

  /// - Parameter deliver: is called on the loop.
  init(_ loop: any EventLoop, deliver: @escaping @Sendable ([Completion]) -> Void) {
    (self.loop, self.deliver) = (loop, deliver)
  }

  func post(_ completion: Completion) {
    let isFirst = state.withLock { state in
      guard !state.isClosed else { return false }
      state.completions.append(completion)
      return state.completions.count == 1
    }
    guard isFirst else { return }
    loop.execute { [self] in
      deliver(
        state.withLock { state in
          defer { state.completions.removeAll() }
          return state.completions
        })
    }
  }

  /// The loop ends; what comes from here on is for nobody.
  func close() { state.withLock { $0.isClosed = true } }
}
