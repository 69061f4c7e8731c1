import NIOCore
import NIOPosix
import RESP
import Synchronization

/// A connection to one server, pipelined: every caller's commands go out at once, answers come in their order.
///
/// It is made when the first caller needs it, and anew when it is lost. After a failure it is not tried again before a pause,
/// which grows; until then callers hear the reason at once. Nothing is ever sent twice.
final class Connection: Sendable {
  /// Why there is no answer.
  enum Failure: Error, Equatable, CustomStringConvertible {
    /// Nothing was sent.
    case unreachable(String)
    /// It was sent, and may have been done.
    case lost(String)
    /// The server does not let us in. Nothing was sent.
    case refused(String)

    var description: String {
      switch self {
      case .unreachable(let reason), .lost(let reason), .refused(let reason): reason
      }
    }
  }

  private struct State {
    var opening: Task<Result<Pipeline, Failure>, Never>?
    var pause = RedisLimits.firstPause
    /// The last failure, and when to try again.
    var failure: (reason: Failure, until: ContinuousClock.Instant)?
    var isClosed = false
  }

  let address: Address
  private let credentials: Credentials?
  private let state = Mutex(State())

  init(_ address: Address, _ credentials: Credentials?) { (self.address, self.credentials) = (address, credentials) }

  /// Sends commands one behind another, with nothing of other callers between them, and returns their answers.
  func ask(_ commands: [[UInt8]]..., within time: Duration = RedisLimits.answerTime) async throws(Failure)
    -> [ReplyValue]
  {
    try await ask(all: commands, within: time)
  }

  /// The same of a list of commands.
  func ask(
    all commands: [[[UInt8]]], within time: Duration = RedisLimits.answerTime
  ) async throws(Failure) -> [ReplyValue] {
    let pipeline = try await pipeline()
    return try await pipeline.ask(commands, within: time)
  }

  /// Sends one command of words.
  func ask(_ words: String..., within time: Duration = RedisLimits.answerTime) async throws(Failure) -> ReplyValue {
    try await ask(words.map { Array($0.utf8) }, within: time)[0]
  }

  /// Closes it; callers hear that it is lost. It cannot be opened again.
  func close() {
    let opening = state.withLock { state in
      state.isClosed = true
      defer { state.opening = nil }
      return state.opening
    }
    guard let opening else { return }
    Task { if case .success(let pipeline) = await opening.value { pipeline.close() } }
  }

  // MARK: - Opening

  private func pipeline() async throws(Failure) -> Pipeline {
    let opening: Result<Task<Result<Pipeline, Failure>, Never>, Failure> = state.withLock { state in
      if state.isClosed { return .failure(.unreachable("the connection to \(address) is closed")) }
      if let opening = state.opening { return .success(opening) }
      if let failure = state.failure, ContinuousClock.now < failure.until { return .failure(failure.reason) }
      let opening = Task { await open() }
      state.opening = opening
      return .success(opening)
    }
    return try await opening.get().value.get()
  }

  private func open() async -> Result<Pipeline, Failure> {
    let result: Result<Pipeline, Failure>
    do throws(Failure) {
      let pipeline = try await Pipeline.connect(address) { [weak self] in self?.forget() }
      try await introduce(pipeline)
      result = .success(pipeline)
    } catch {
      result = .failure(error)
    }
    state.withLock { state in
      switch result {
      case .success:
        (state.failure, state.pause) = (nil, RedisLimits.firstPause)
      case .failure(let reason):
        state.opening = nil
        state.failure = (reason, .now + state.pause)
        state.pause = min(state.pause * 2, RedisLimits.longestPause)
      }
    }
    return result
  }

  private func introduce(_ pipeline: Pipeline) async throws(Failure) {
    guard let credentials else { return }
    let reply = try await pipeline.ask([credentials.command], within: RedisLimits.connectTime)[0]
    guard case .error(let text) = reply else { return }
    pipeline.close()
    throw .refused("\(address) does not accept the password: \(String(decoding: text, as: UTF8.self))")
  }

  private func forget() { state.withLock { $0.opening = nil } }
}

/// What a server is told before anything else.
package struct Credentials: Sendable, Equatable {
  package var user: String?
  package var password: [UInt8]

  package init(user: String?, password: [UInt8]) { (self.user, self.password) = (user, password) }

  var command: [[UInt8]] { [Array("AUTH".utf8)] + (user.map { [Array($0.utf8)] } ?? []) + [password] }
}
