import ClusterModel
import Commands

/// Where a face gets its cluster from.
package struct ClusterSource: Sendable {
  /// Opens the cluster; once a face.
  package let open: @Sendable () throws(ClusterError) -> OpenCluster

  package init(open: @escaping @Sendable () throws(ClusterError) -> OpenCluster) { self.open = open }

  /// The cluster, or `nil` if it cannot be opened, which is told.
  func opened(_ console: Console) -> OpenCluster? {
    do throws(ClusterError) {
      return try open()
    } catch {
      console.complain(error.words)
      return nil
    }
  }
}

/// A cluster that a face has open.
package struct OpenCluster: Sendable {
  /// Carries commands out on it.
  package var runner: CommandRunner
  /// Returns when reads can be answered that wait for nodes to be compared, or have waited long enough.
  package var untilCompared: @Sendable () async -> Void = {}
  /// Closes it. Returns what a person must know of how it ended, which no status of a face hides.
  package var close: @Sendable () async -> String?

  package init(_ runner: CommandRunner, close: @escaping @Sendable () async -> String?) {
    (self.runner, self.close) = (runner, close)
  }

  /// Closes it, and returns what that makes of a face's exit status.
  func close(_ status: Int32, _ console: Console) async -> Int32 {
    guard let problem = await close() else { return status }
    console.complain(problem)
    return max(1, status)
  }
}
