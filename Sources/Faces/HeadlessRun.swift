import CTerminal
import ClusterModel
import Commands
import Glibc
import Text
import Synchronization

/// The life of one run without a screen: opens the cluster, lets a face work, closes the cluster however that ends.
package enum HeadlessRun {
  /// How a face begins and ends.
  package struct Manner: Sendable {
    /// Whether the face begins only once reads and writes are served.
    var waitsUntilReady = true
    /// How long a face that was told to stop may take before the cluster is closed under it: `load` and `benchmark` end at
    /// once, a move of data does not, and it starts again at the next start anyway.
    var grace = Duration.seconds(1)
    /// The status after a signal.
    var statusOfSignal: @Sendable (Int32) -> Int32 = { 128 + $0 }

    package init() {}
  }

  /// Runs `face` on an open, recovered cluster and returns the program's exit status.
  ///
  /// SIGINT, SIGTERM and SIGHUP cancel the face's task, and the status is then 128 + signal, as a shell reports it; a
  /// second one ends the program at once.
  /// - Parameters:
  ///   - manner: how the face begins and ends.
  ///   - interrupt: is asked first when SIGINT comes; true if it has dealt with it.
  package static func run(
    _ source: ClusterSource, _ console: Console, _ manner: Manner = Manner(),
    interrupt: @escaping @Sendable () -> Bool = { false }, _ face: @escaping @Sendable (OpenCluster) async -> Int32
  ) async -> Int32 {
    let (endings, ending) = AsyncStream.makeStream(of: Int32.self)
    let running = RunningFace()
    // Before there is anything to be left behind.
    let signals = SignalWatch(console.signals, unless: { $0 == SIGINT && interrupt() }) { signal in
      running.cancel()
      Task {
        try? await Task.sleep(for: manner.grace)
        ending.yield(manner.statusOfSignal(signal))
      }
    }
    guard let cluster = source.opened(console) else { return 1 }
    let work = Task {
      do throws(ClusterError) {
        if manner.waitsUntilReady { try await cluster.runner.backend.ready() }
        ending.yield(await face(cluster))
      } catch {
        console.complain(error.words(on: cluster.runner.backend.capabilities))
        ending.yield(1)
      }
    }
    running.begin(work)
    let status = await endings.first { _ in true } ?? 1
    // A face that was cut short has not given its terminal back.
    ct_guard_restore()
    let end = await cluster.close(status, console)
    return signals.caught.map { max(manner.statusOfSignal($0), end) } ?? end
  }

  /// The exit status of a face, with the printer's failure taken into account.
  /// - Parameters:
  ///   - session: may have taken a value that could not be printed, which is said.
  static func status(
    _ status: Int32, _ printer: Printer, _ console: Console, after session: Session? = nil
  ) -> Int32 {
    if let key = session?.keyOfLostValue {
      console.complain("getdel has deleted \(Quoted.entry(key)), and its value could not be printed: it is gone")
    }
    switch printer.failure {
    case nil:
      return status
    case EPIPE:
      // The reader has seen enough, as in `kvstore keys | head -1`: end quietly, with what a shell shows for SIGPIPE.
      return 128 + SIGPIPE
    case .some(let code):
      console.complain("cannot write the answers: \(SystemRefusal.words(code))")
      return Console.lost
    }
  }
}

/// The task of a face, which may be told to stop before there is one.
private final class RunningFace: Sendable {
  private let state = Mutex<(task: Task<Void, Never>?, isCancelled: Bool)>((nil, false))

  func begin(_ task: Task<Void, Never>) {
    let isCancelled = state.withLock { state in
      state.task = task
      return state.isCancelled
    }
    if isCancelled { task.cancel() }
  }

  func cancel() {
    state.withLock { state in
      state.isCancelled = true
      return state.task
    }?.cancel()
  }
}
