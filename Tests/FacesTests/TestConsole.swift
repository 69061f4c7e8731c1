import Commands
import Faces
import Foundation
import Glibc
import KVCluster
import Synchronization

/// A face's streams as pipes, its signals as calls, and the terminal under line mode's prompt as a record.
final class TestConsole: Sendable {
  let console: Console
  let signals = TestSignals()
  let terminal: TestLineTerminal?
  private let typing: Int32
  private let isInputOpen = Mutex(true)
  private let out: Collected
  private let err: Collected

  /// - Parameters:
  ///   - isTyped: whether a person types at a terminal, whose lines can be edited.
  ///   - isRead: false if the reader of the output has gone before anything is written.
  init(isTyped: Bool = false, isEdited: Bool = true, isRead: Bool = true, showsProgress: Bool = false) {
    // A reader that has gone is an error of `write`, as in the program.
    signal(SIGPIPE, SIG_IGN)
    let (input, output, errors) = (Self.pipe(), Self.pipe(), Self.pipe())
    typing = input.write
    out = Collected(output.read, isRead: isRead)
    err = Collected(errors.read, isRead: true)
    let terminal = isTyped && isEdited ? TestLineTerminal(signals) : nil
    self.terminal = terminal
    console = Console(
      input: input.read, output: output.write, errors: errors.write, isTyped: isTyped, isOutputTerminal: isTyped,
      showsProgress: showsProgress, signals: signals.source, lineTerminal: { terminal })
  }

  deinit {
    endInput()
    close(console.input)
  }

  private static func pipe() -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    precondition(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  /// Types, or writes into the pipe that is read.
  func type(_ text: String) { type(Array(text.utf8)) }

  func type(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(typing, $0.baseAddress, $0.count) }
      precondition(count > 0)
      rest = rest.dropFirst(count)
    }
  }

  func endInput() {
    let wasOpen = isInputOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if wasOpen { close(typing) }
  }

  /// What has been printed so far.
  var printed: String { out.text }
  var complained: String { err.text }

  /// Returns once these words have been printed since the last call.
  func prints(_ words: String) async throws { try await out.contains(words, console: self) }
  func complains(_ words: String) async throws { try await err.contains(words, console: self) }

  /// All that was printed, once nothing more can be.
  func finish() -> (out: String, err: String) {
    close(console.output)
    close(console.errors)
    return (out.finish(), err.finish())
  }
}

/// What comes out of a pipe, read by a thread of its own.
private final class Collected: Sendable {
  private struct Inside {
    var bytes: [UInt8] = []
    var seen = 0
    var isOver = false
  }

  private let inside = Mutex(Inside())

  init(_ descriptor: Int32, isRead: Bool) {
    guard isRead else {
      close(descriptor)
      inside.withLock { $0.isOver = true }
      return
    }
    Thread.detachNewThread { [self] in
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while case let count = read(descriptor, &piece, piece.count), count > 0 {
        inside.withLock { $0.bytes += piece[..<count] }
      }
      close(descriptor)
      inside.withLock { $0.isOver = true }
    }
  }

  var text: String { inside.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

  func contains(_ words: String, console: TestConsole) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      let isThere = inside.withLock { inside in
        guard let place = String(decoding: inside.bytes[inside.seen...], as: UTF8.self).range(of: words) else {
          return false
        }
        let rest = String(decoding: inside.bytes[inside.seen...], as: UTF8.self)
        inside.seen += rest[..<place.upperBound].utf8.count
        return true
      }
      if isThere { return }
      guard ContinuousClock.now < deadline else {
        throw TestFailure("not printed: “\(words)”\n\(console.printed)\n--\n\(console.complained)")
      }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  func finish() -> String {
    while !inside.withLock({ $0.isOver }) { usleep(500) }
    return text
  }
}

/// Signals that a test sends, on a clock that it sets.
final class TestSignals: Sendable {
  private struct Inside {
    var handlers: [Int: @Sendable (Int32) -> Void] = [:]
    var next = 0
    var ended: [Int32] = []
    var nowNs: UInt64 = 1_000_000_000
  }

  private let inside = Mutex(Inside())

  /// Stops the calls when it is released.
  private final class Subscription: Sendable {
    let end: @Sendable () -> Void
    init(_ end: @escaping @Sendable () -> Void) { self.end = end }
    deinit { end() }
  }

  var source: SignalSource {
    SignalSource(
      watch: { [self] handle in
        let number = inside.withLock { inside in
          inside.next += 1
          inside.handlers[inside.next] = handle
          return inside.next
        }
        return Subscription { [self] in inside.withLock { _ = $0.handlers.removeValue(forKey: number) } }
      }, endNow: { [self] signal in inside.withLock { $0.ended.append(signal) } },
      nowNs: { [self] in inside.withLock { $0.nowNs } })
  }

  func send(_ signal: Int32) { for handle in inside.withLock({ Array($0.handlers.values) }) { handle(signal) } }

  func pass(ms: UInt64) { inside.withLock { $0.nowNs += ms * 1_000_000 } }

  /// With which signals the program would have ended at once.
  var ended: [Int32] { inside.withLock { $0.ended } }
}

/// Who had the terminal under the prompt, and when.
final class TestLineTerminal: LineTerminal, Sendable {
  enum Step: Equatable, Sendable {
    case taken(LineTerminalUse)
    case givenBack, suspended
  }

  private struct Inside {
    var steps: [Step] = []
    var isOurs = false
    var nowNs: UInt64 = 1_000_000_000
  }

  private let inside = Mutex(Inside())
  private let signals: TestSignals

  init(_ signals: TestSignals) { self.signals = signals }

  var steps: [Step] { inside.withLock { $0.steps } }
  var isOurs: Bool { inside.withLock { $0.isOurs } }

  var columns: Int { 80 }

  /// Time passes with every look, so that what is said once in a while is said each time.
  var nowNs: UInt64 {
    inside.withLock { inside in
      inside.nowNs += 200_000_000
      return inside.nowNs
    }
  }

  func take(for use: LineTerminalUse) -> Bool {
    inside.withLock { inside in
      inside.steps.append(.taken(use))
      defer { inside.isOurs = true }
      return !inside.isOurs
    }
  }

  func giveBack() {
    inside.withLock { inside in
      if inside.isOurs { inside.steps.append(.givenBack) }
      inside.isOurs = false
    }
  }

  func interrupt() { signals.send(SIGINT) }

  func suspend() { inside.withLock { $0.steps.append(.suspended) } }
}

extension ClusterOptions {
  /// Three nodes in a temporary folder.
  static func temporary() throws -> ClusterOptions {
    ClusterOptions(dataFolder: try TemporaryFolder.make(), isEphemeral: true, fsync: .never, cacheBytes: 1 << 20)
  }

  /// Three nodes in a folder that stays.
  static func kept(_ folder: TestFolder) -> ClusterOptions {
    ClusterOptions(dataFolder: folder.path("data"), fsync: .never, cacheBytes: 1 << 20)
  }
}
