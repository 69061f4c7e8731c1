import Glibc
import KVCluster
import Synchronization

/// What all connections share.
final class ServerCore: Sendable {
  let cluster: Cluster
  let options: ServerOptions
  let clients = Clients()
  let boards: [CounterBoard]
  let rate = RateMeter()
  let runLine: LineRunner
  /// Forty hexadecimal digits that name this run of the server.
  let runID: String
  let startedNs = ServerClock.nowNs()
  /// What may be changed while the server runs.
  let idleSeconds: Atomic<Int>
  /// Clients at a time, as the limit of open files allows.
  let clientsMax: Int
  private let bound = Mutex<[ServerOptions.Address]>([])

  init(_ cluster: Cluster, _ options: ServerOptions, _ runLine: @escaping LineRunner) {
    self.cluster = cluster
    self.options = options
    self.runLine = runLine
    idleSeconds = Atomic(options.idleSeconds)
    var files = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    let nodes = cluster.status().nodes.count
    let allowed = Int(min(files.rlim_cur, 1 << 30)) - ServerLimits.filesBeside - 4 * nodes
    clientsMax = max(1, min(options.limits.clientsMax, allowed))
    boards = (0..<options.loops).map { _ in CounterBoard() }
    var random = SystemRandomNumberGenerator()
    runID = (0..<5).map { _ in
      let digits = String(UInt32.random(in: 0 ... .max, using: &random), radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// The addresses it listens on, as the system gave them.
  var addresses: [ServerOptions.Address] { bound.withLock { $0 } }
  func listens(on address: ServerOptions.Address) { bound.withLock { $0.append(address) } }

  var counters: ServerCounters {
    var sum = ServerCounters()
    for board in boards { sum += board.now }
    return sum
  }

  /// Whether the password is right. Takes as long for each wrong one, whatever of it is right.
  func accepts(_ password: UnsafeRawBufferPointer) -> Bool {
    guard let right = options.password else { return false }
    var difference = UInt8(right.count == password.count ? 0 : 1)
    for i in password.indices { difference |= password[i] ^ right[i % max(1, right.count)] }
    return difference == 0
  }
}

/// Carries out one line as kvstore's prompt does.
package typealias LineRunner = @Sendable (_ line: [UInt8]) async -> RunAnswer

/// What a line of the prompt's language has answered.
package struct RunAnswer: Sendable {
  /// A line of an answer, and what it is: `success`, `failure`, `info` or `note`.
  package struct Line: Sendable {
    package var kind: String
    package var text: [UInt8]

    package init(kind: String, text: [UInt8]) { (self.kind, self.text) = (kind, text) }
  }

  /// `success`, `failure` or `exit`.
  package var outcome: String
  package var lines: [Line]

  package init(outcome: String, lines: [Line]) { (self.outcome, self.lines) = (outcome, lines) }
}

enum ServerClock {
  /// The monotonic clock.
  static func nowNs() -> UInt64 { read(CLOCK_MONOTONIC) }

  /// Microseconds since 1970.
  static func wallUs() -> UInt64 { read(CLOCK_REALTIME) / 1_000 }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
