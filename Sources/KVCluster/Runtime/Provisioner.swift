/// The thread that has room made in logs ahead of their writers. One for all logs of a cluster: allocating and syncing
/// zeros takes tens of milliseconds, for which neither a writer nor a thread that commits should wait.
final class Provisioner: @unchecked Sendable {
  private let monitor = Monitor()
  // Guarded by the monitor.
  private var short: [Log] = []
  private var isStopped = false
  private var thread: BackgroundThread?

  init() {
    thread = BackgroundThread("provisioner") { [unowned self] in run() }
  }

  /// Asks for room in a log, soon. Each log is asked for once until it has been served.
  func request(_ log: Log) {
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
    thread?.join()
    thread = nil
  }

  private func run() {
    while let log = next() { log.prepare() }
  }

  private func next() -> Log? {
    monitor.withLock {
      while !isStopped, short.isEmpty { monitor.wait() }
      return isStopped ? nil : short.removeFirst()
    }
  }
}
