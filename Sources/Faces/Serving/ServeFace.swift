import Commands
import Glibc
import KVCluster
import Server
import Text

/// `kvstore serve`: a cluster without a screen, for programs that speak the Redis protocol.
///
/// It answers from the beginning, with `LOADING` until the logs have been read. SIGTERM and SIGINT end it in order: nobody is
/// accepted any more, what has come is answered, everything is put on the disk; within ten seconds, and with status 0.
package enum ServeFace {
  /// Returns the program's exit status.
  /// - Parameter server: sockets beside the one in the data folder, which is added.
  package static func run(_ cluster: ClusterOptions, _ server: ServerOptions, _ console: Console = .standard) async
    -> Int32
  {
    let notices = ServiceNotices()
    var manner = HeadlessRun.Manner()
    (manner.waitsUntilReady, manner.grace, manner.statusOfSignal) = (false, .seconds(8), { _ in 0 })
    return await HeadlessRun.run(.folder(cluster), console, manner) { open in
      guard let engine = open.runner.backend as? Cluster else {
        preconditionFailure("a folder's cluster is the engine")
      }
      var options = server
      if let path = FolderDoor.path(engine) {
        options.sockets.insert(path, at: 0)
      } else {
        console.complain("note: no socket in the data folder: its path is longer than the system takes, or no UTF-8")
      }
      let running: Server
      do throws(ServerError) {
        running = try await Server.start(engine, options, runLine: FolderDoor.lines(open.runner))
      } catch {
        console.complain(error.description)
        return 1
      }
      let status = await serve(engine, running, options, console, notices)
      notices.send("STOPPING=1")
      await running.stop()
      return status
    }
  }

  private static func serve(
    _ engine: Cluster, _ server: Server, _ options: ServerOptions, _ console: Console, _ notices: ServiceNotices
  ) async -> Int32 {
    let places = server.addresses.map(\.description) + options.sockets
    console.say("kvstore listens on \(places.joined(separator: ", "))")
    if options.password == nil, server.addresses.contains(where: { !$0.isLoopback }) {
      console.complain("note: no password is set, so only this machine may connect (KVSTORE_PASSWORD, --password-file)")
    }
    do throws(ClusterError) {
      try await engine.ready()
    } catch {
      console.complain(error.words(on: nil))
      return 1
    }
    let status = engine.status()
    let keys = status.keys.map { ", \(Figures.count($0, "key"))" } ?? ""
    let folder = status.dataFolder.map { " in \($0)" } ?? ""
    console.say("ready: \(Figures.count(status.nodes.count, "node"))\(keys)\(folder)")
    notices.send("READY=1\nSTATUS=serves \(places.joined(separator: ", "))")
    await untilCancelled()
    return 0
  }

  private static func untilCancelled() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in stream {}
    withExtendedLifetime(continuation) {}
  }
}

extension ServerOptions.Address {
  var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" }
}
