import KVBench
import KVCluster

extension CommandRunner {
  /// Commands on a cluster in this process: workloads drive the engine itself, and a new node needs room for its files.
  package init(cluster: Cluster) {
    let local = Local(
      makeRunner: { BenchmarkRunner($0, cluster) }, checkRoom: { () throws(ClusterError) in try FileRoom.check() })
    self.init(backend: cluster, local: local)
  }
}
