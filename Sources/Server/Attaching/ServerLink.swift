import NIOCore
import NIOPosix
import RESP

/// A connection to a server, for one caller: asks, and waits for the answer.
package final class ServerLink: Sendable {
  /// The server closed the connection before it answered. What was asked may have been done.
  package struct Failure: Error, Sendable {}

  private let channel: any Channel
  private let replies: Replies

  private init(_ channel: any Channel, _ replies: Replies) { (self.channel, self.replies) = (channel, replies) }

  /// Connects to a server's socket; `nil` if nobody listens there.
  package static func open(socket path: String) async -> ServerLink? {
    // Asked first, because event loops have threads and files of their own.
    guard UnixSocket.isListenedOn(path) else { return nil }
    let replies = Replies()
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ReplyHandler(replies))
        }
      }
    guard let channel = try? await bootstrap.connect(unixDomainSocketPath: path).get() else { return nil }
    return ServerLink(channel, replies)
  }

  /// Sends a command and returns its reply. One at a time.
  package func ask(_ arguments: [[UInt8]]) async throws(Failure) -> ReplyValue {
    do {
      try await channel.writeAndFlush(ByteBuffer(bytes: RequestWriter.bytes(arguments))).get()
    } catch {
      throw Failure()
    }
    guard let reply = await replies.next() else { throw Failure() }
    return reply
  }

  package func close() async { try? await channel.close().get() }
}

/// Replies on their way from the channel to the caller.
private final class Replies: Sendable {
  private let stream: AsyncStream<ReplyValue>
  private let continuation: AsyncStream<ReplyValue>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func add(_ reply: ReplyValue) { continuation.yield(reply) }
  func finish() { continuation.finish() }

  func next() async -> ReplyValue? {
    for await reply in stream { return reply }
    return nil
  }
}

private final class ReplyHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let replies: Replies
  private var reader = ReplyReader()

  init(_ replies: Replies) { self.replies = replies }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    reader.feed(unwrapInboundIn(data).readableBytesView)
    do throws(ReplyReader.Failure) {
      while let reply = try reader.next() { replies.add(reply) }
    } catch {
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { replies.finish() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
