import ClusterModel
import Commands
import LiveVerdict
import RedisCluster

extension ClusterSource {
  /// A running Redis Cluster, which goes on when the face is left.
  /// - Throws: ``Refusal`` if it cannot be reached, or lets nobody in.
  package static func redis(_ options: RedisBackend.Options) async throws(Refusal) -> ClusterSource {
    source(try await connect(options, nil))
  }

  /// Redis servers of this program's own, which end with the face.
  /// - Throws: ``Refusal`` if no server's program is installed, or it does not start.
  package static func redisDemo(_ console: Console = .standard) async throws(Refusal) -> ClusterSource {
    let folder: String
    do { folder = try TemporaryFolder.make() } catch { throw Refusal("\(error)") }
    if console.isTyped { console.note("starting six Redis servers in \(folder)\n") }
    let demo: DemoCluster
    do throws(ClusterError) { demo = try await DemoCluster.start(folder: folder) } catch {
      throw Refusal(error.words(on: nil))
    }
    do throws(Refusal) {
      return source(try await connect(RedisBackend.Options(seed: demo.seed), demo), demo)
    } catch {
      demo.close()
      throw error
    }
  }

  private static func connect(
    _ options: RedisBackend.Options, _ servers: (any ServerControl)?
  ) async throws(Refusal) -> RedisBackend {
    do throws(ClusterError) {
      return try await RedisBackend.connect(options, servers: servers)
    } catch {
      throw Refusal(error.words(on: nil))
    }
  }

  private static func source(_ backend: RedisBackend, _ demo: DemoCluster? = nil) -> ClusterSource {
    ClusterSource { () throws(ClusterError) in
      let judged = JudgedBackend(backend, keysBeginning: Array(PlainBenchmark.keyPrefix.utf8)) { backend.tell($0) }
      return OpenCluster(CommandRunner(backend: judged)) {
        judged.stop()
        await backend.close()
        demo?.close()
        return nil
      }
    }
  }
}
