import Commands
import KVCluster
import LiveVerdict

extension ClusterSource {
  /// A cluster in this process, on a folder of this machine.
  /// - Parameter isWatched: whether a live checker judges what clients are told.
  package static func folder(_ options: ClusterOptions, isWatched: Bool = true) -> ClusterSource {
    ClusterSource { () throws(ClusterError) in
      let cluster: Cluster
      do throws(ClusterError) {
        cluster = try Cluster.open(options)
      } catch {
        // The temporary folder is ours until the engine has it; a folder with data in it stays.
        if options.isEphemeral { TemporaryFolder.removeAll() }
        throw error
      }
      let checker = isWatched ? LiveChecker(cluster) : nil
      var opened = OpenCluster(CommandRunner(cluster: cluster)) {
        checker?.stop()
        await cluster.close()
        return cluster.deletion.map { "\($0) was deleted while it was open: what was stored there is gone" }
      }
      opened.untilCompared = { await cluster.untilCompared() }
      return opened
    }
  }
}
