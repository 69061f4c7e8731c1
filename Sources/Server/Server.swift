import Glibc
import KVCluster
import NIOCore
import NIOPosix
import Synchronization

/// A server that speaks the Redis protocol: listens, answers, and ends in order.
///
/// ```swift
/// let server = try await Server.start(cluster, options) { line in … }
/// print(server.addresses)
/// await server.stop()
/// ```
package final class Server: Sendable {
  private let core: ServerCore
  private let group: MultiThreadedEventLoopGroup
  private let states: [NIOLoopBound<LoopState>]
  private let channels: [any Channel]
  private let isStopped = Atomic<Bool>(false)

  private init(
    _ core: ServerCore, _ group: MultiThreadedEventLoopGroup, _ states: [NIOLoopBound<LoopState>],
    _ channels: [any Channel]
  ) {
    (self.core, self.group, self.states, self.channels) = (core, group, states, channels)
  }

  /// Addresses it listens on, with the ports that the system chose where 0 was asked for.
  package var addresses: [ServerOptions.Address] { core.addresses }

  /// Connections there are.
  package var clientCount: Int { core.clients.count }

  /// Listens and answers from here on. The cluster need not be ready: until it is, commands on keys answer `LOADING`.
  /// - Parameters:
  ///   - cluster: stays the caller's, who closes it after the server.
  ///   - options: where it listens, and who may come in.
  ///   - runLine: carries out what `KVSTORE RUN` is told.
  /// - Throws: ``ServerError`` if it cannot listen; nothing of it is left then.
  package static func start(
    _ cluster: Cluster, _ options: ServerOptions, runLine: @escaping LineRunner
  ) async throws(ServerError) -> Server {
    let core = ServerCore(cluster, options, runLine)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
    var states: [NIOLoopBound<LoopState>] = []
    var channels: [any Channel] = []
    var bound: [String] = []
    do {
      for (index, loop) in group.makeIterator().enumerated() {
        states.append(
          try await loop.submit { NIOLoopBound(LoopState(core, index: index, loop), eventLoop: loop) }.get())
      }
      for address in options.addresses {
        let channel = try await bootstrap(group, states, isSocket: false)
          .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .childChannelOption(.socketOption(.so_keepalive), value: 1)
          .bind(host: address.host, port: address.port).get()
        channels.append(channel)
        core.listens(
          on: ServerOptions.Address(host: address.host, port: channel.localAddress?.port ?? address.port))
      }
      for path in options.sockets {
        let descriptor = try UnixSocket.bind(path)
        bound.append(path)
        channels.append(try await bootstrap(group, states, isSocket: true).withBoundSocket(descriptor).get())
      }
    } catch {
      for channel in channels { try? await channel.close().get() }
      for path in bound { unlink(path) }
      for state in states { state.eventLoop.execute { state.value.stop() } }
      try? await group.shutdownGracefully()
      throw ServerError(description: "\(error)")
    }
    return Server(core, group, states, channels)
  }

  private static func bootstrap(
    _ group: MultiThreadedEventLoopGroup, _ states: [NIOLoopBound<LoopState>], isSocket: Bool
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 511)
      // Without files for another connection it rests a second before it accepts again.
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
        }
      }
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let state = states.first(where: { $0.eventLoop === channel.eventLoop })?.value else {
            preconditionFailure("a connection is on a loop of another server")
          }
          try channel.pipeline.syncOperations.addHandler(Connection(state, isSocket: isSocket))
        }
      }
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.maxMessagesPerRead, value: UInt(ServerLimits.readsPerTurn))
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: ServerLimits.readBytes))
  }

  /// Ends in order: accepts nobody any more, answers what has come, and closes; connections that do not take their replies
  /// in time are cut. A second call changes nothing.
  package func stop() async {
    guard !isStopped.exchange(true, ordering: .relaxed) else { return }
    for channel in channels { try? await channel.close().get() }
    for path in core.options.sockets { unlink(path) }
    for state in states {
      state.eventLoop.execute { for connection in state.value.connections.values { connection.finish() } }
    }
    let deadlineNs = ServerClock.nowNs() + UInt64(core.options.limits.stopSeconds) * 1_000_000_000
    while core.clients.count > 0, ServerClock.nowNs() < deadlineNs { try? await Task.sleep(for: .milliseconds(5)) }
    for state in states {
      state.eventLoop.execute {
        for connection in state.value.connections.values { connection.cut() }
        state.value.stop()
      }
    }
    try? await group.shutdownGracefully()
  }
}
