/// The thread that has room made in logs ahead of their writers. One for all logs of a cluster: allocating and syncing
/// zeros takes tens of milliseconds, for which neither a writer nor a thread that commits should wait.
final class Provisioner: @unchecked Sendable {
  private let requests = Requests()
  private let thread: BackgroundThread

  /// `nil` if the executor has no threads: writers then make room themselves.
  init?(_ executor: any Executor) {
    // The thread has the requests and not this object: a cluster that could not recover may be dropped without being
    // closed, at any moment of its thread's.
    let loop = executor.startOwnedLoop("provisioner") { [requests] in
      while let log = requests.next() { log.prepare() }
    }
    guard let loop else { return nil }
    thread = loop
  }

  deinit { requests.stop() }

  /// Asks for room in a log, soon. Each log is asked for once until it has been served.
  func request(_ log: Log) { requests.add(log) }

  func stop() {
    requests.stop()
    thread.join()
  }

  /// Logs that are short of room.
  private final class Requests: @unchecked Sendable {
    private let monitor = Monitor()
    // Guarded by the monitor.
    private var short: [Log] = []
    private var isStopped = false

    func add(_ log: Log) {
      monitor.withLock {
        if isStopped || short.contains(where: { $0 === log }) { return }
        short.append(log)
        monitor.notifyAll()
      }
    }

    func stop() {
      monitor.withLock {
        isStopped = true
        monitor.notifyAll()
      }
    }

    /// Waits for the next one; `nil` once stopped.
    func next() -> Log? {
      monitor.withLock {
        while !isStopped, short.isEmpty { monitor.wait() }
        return isStopped ? nil : short.removeFirst()
      }
    }
  }
}
