import ClusterModel
import Commands

/// Where a face gets its cluster from.
package struct ClusterSource: Sendable {
  /// Opens the cluster. A face calls it once.
  package let open: @Sendable () throws(ClusterError) -> OpenCluster

  package init(open: @escaping @Sendable () throws(ClusterError) -> OpenCluster) { self.open = open }

  /// The cluster, or `nil` if it cannot be opened, which is told.
  func opened(_ console: Console) -> OpenCluster? {
    do throws(ClusterError) {
      return try open()
    } catch {
      console.complain(error.words(on: nil))
      return nil
    }
  }
}

/// A cluster that a face has open.
package struct OpenCluster: Sendable {
  /// Runs commands on the cluster.
  package var runner: CommandRunner
  /// Waits until the nodes that must be compared before reads are answered have been compared, at most as long as an
  /// operation may take.
  package var untilCompared: @Sendable () async -> Void = {}
  /// Closes the cluster; a second call changes nothing. Returns a problem that the user must hear of, or `nil`.
  package var close: @Sendable () async -> String?

  package init(_ runner: CommandRunner, close: @escaping @Sendable () async -> String?) {
    (self.runner, self.close) = (runner, close)
  }

  /// Closes the cluster. Returns the face's exit status, or 1 if it was 0 and there was a problem.
  func close(_ status: Int32, _ console: Console) async -> Int32 {
    guard let problem = await close() else { return status }
    console.complain(problem)
    return max(1, status)
  }
}
