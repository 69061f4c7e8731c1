import Commands
import KVCluster
import LiveVerdict
import Server

extension ClusterSource {
  /// A cluster in this process, on a folder of this machine.
  /// - Parameters:
  ///   - isWatched: whether a live checker judges what clients are told.
  ///   - isServed: whether it listens on the socket in the folder, so that another kvstore can attach.
  package static func folder(
    _ options: ClusterOptions, isWatched: Bool = true, isServed: Bool = false
  ) -> ClusterSource {
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
      let runner = CommandRunner(cluster: cluster)
      let door = isServed ? FolderDoor(cluster, runner) : nil
      var opened = OpenCluster(runner) {
        await door?.close()
        checker?.stop()
        await cluster.close()
        return cluster.parts.nodes.deletion.map { "\($0) was deleted while it was open: what was stored there is gone" }
      }
      opened.untilCompared = { await cluster.untilCompared() }
      return opened
    }
  }

  /// The cluster of a folder: that of the kvstore which has the folder open and lets others attach, else one in this process.
  /// - Parameter isServed: whether one in this process lets others attach.
  /// - Throws: ``Refusal`` if the other kvstore is of another version.
  package static func reaching(
    _ options: ClusterOptions, isWatched: Bool = true, isServed: Bool = false
  ) async throws(Refusal) -> ClusterSource {
    guard !options.isEphemeral else { return folder(options, isWatched: isWatched, isServed: isServed) }
    do throws(ClusterError) {
      if let remote = try await RemoteBackend.attach(socket: "\(options.dataFolder)/\(FolderDoor.name)") {
        return attached(to: remote)
      }
    } catch {
      throw Refusal(error.words(on: nil))
    }
    return folder(options, isWatched: isWatched, isServed: isServed)
  }

  /// A cluster that another kvstore has open; it goes on when the face is left.
  package static func attached(to remote: RemoteBackend) -> ClusterSource {
    ClusterSource { () throws(ClusterError) in
      OpenCluster(CommandRunner(backend: remote)) {
        remote.close()
        return nil
      }
    }
  }
}
