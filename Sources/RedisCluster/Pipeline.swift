import DequeModule
import Glibc
import NIOCore
import NIOPosix
import RESP

/// The open channel of a ``Connection``.
final class Pipeline: Sendable {
  private let channel: any Channel
  private let exchange: NIOLoopBound<Exchange>

  private init(_ channel: any Channel, _ exchange: NIOLoopBound<Exchange>) {
    (self.channel, self.exchange) = (channel, exchange)
  }

  /// - Parameter onEnd: is called when it is closed, from the event loop.
  static func connect(
    _ address: Address, onEnd: @escaping @Sendable () -> Void
  ) async throws(Connection.Failure) -> Pipeline {
    do {
      let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.nanoseconds(Int64(RedisLimits.connectTime / .nanoseconds(1))))
      let (channel, exchange) = try await bootstrap.connect(host: address.host, port: address.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          let exchange = Exchange("\(address)", onEnd)
          try channel.pipeline.syncOperations.addHandler(exchange)
          return (channel, NIOLoopBound(exchange, eventLoop: channel.eventLoop))
        }
      }
      return Pipeline(channel, exchange)
    } catch {
      throw .unreachable("cannot connect to \(address): \(Self.words(error))")
    }
  }

  /// NIO's own error lists an error for each address that the name stands for; they mostly are the same.
  private static func words(_ error: any Error) -> String {
    guard let connection = error as? NIOConnectionError else { return words(ofOne: error) }
    if let lookup = connection.dnsAError ?? connection.dnsAAAAError, connection.connectionErrors.isEmpty {
      return "\(connection.host) is no known host (\(lookup))"
    }
    return connection.connectionErrors.first.map { words(ofOne: $0.error) } ?? "\(connection)"
  }

  private static func words(ofOne error: any Error) -> String {
    if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
    if case .connectTimeout? = error as? ChannelError { return "no answer" }
    return "\(error)"
  }

  func ask(_ commands: [[[UInt8]]], within time: Duration) async throws(Connection.Failure) -> [ReplyValue] {
    var bytes: [UInt8] = []
    for command in commands { bytes += RequestWriter.bytes(command) }
    let buffer = ByteBuffer(bytes: bytes)
    let result = await withCheckedContinuation { continuation in
      channel.eventLoop.execute { [exchange] in
        let pending = Exchange.Pending(
          missing: commands.count, deadline: .now() + .nanoseconds(Int64(time / .nanoseconds(1))), continuation)
        exchange.value.send(buffer, pending)
      }
    }
    return try result.get()
  }

  func close() { channel.close(promise: nil) }
}

/// Commands under way on one channel. Lives on the channel's event loop.
private final class Exchange: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias Result = Swift.Result<[ReplyValue], Connection.Failure>

  /// A caller's commands.
  struct Pending {
    var missing: Int
    var replies: [ReplyValue] = []
    var deadline: NIODeadline
    var continuation: CheckedContinuation<Result, Never>

    init(missing: Int, deadline: NIODeadline, _ continuation: CheckedContinuation<Result, Never>) {
      (self.missing, self.deadline, self.continuation) = (missing, deadline, continuation)
    }
  }

  private let name: String
  private let onEnd: @Sendable () -> Void
  private var reader = ReplyReader(bytesMax: RedisLimits.answerBytesMax)
  private var pending: Deque<Pending> = []
  private var context: ChannelHandlerContext?
  private var timer: Scheduled<Void>?
  private var end: String?

  init(_ name: String, _ onEnd: @escaping @Sendable () -> Void) { (self.name, self.onEnd) = (name, onEnd) }

  func send(_ buffer: ByteBuffer, _ new: Pending) {
    guard let context, end == nil else {
      return new.continuation.resume(returning: .failure(.unreachable(end ?? "\(name) has closed the connection")))
    }
    guard pending.count < RedisLimits.pendingMax else {
      return new.continuation.resume(
        returning: .failure(.unreachable("\(pending.count) commands wait for an answer of \(name) already")))
    }
    pending.append(new)
    context.writeAndFlush(NIOAny(buffer), promise: nil)
    if timer == nil { schedule(context) }
  }

  /// One timer for all: answers come in order, so the first that waits is the one that may be late.
  private func schedule(_ context: ChannelHandlerContext) {
    guard let first = pending.first else { return }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(deadline: first.deadline) {
      let (exchange, context) = bound.value
      exchange.timer = nil
      exchange.checkDeadline(context)
    }
  }

  private func checkDeadline(_ context: ChannelHandlerContext) {
    guard let first = pending.first else { return }
    guard first.deadline <= .now() else { return schedule(context) }
    close(context, "\(name) does not answer")
  }

  private func close(_ context: ChannelHandlerContext, _ reason: String) {
    end = end ?? reason
    context.close(promise: nil)
  }

  // MARK: - Channel

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    reader.feed(unwrapInboundIn(data).readableBytesView)
    do throws(ReplyReader.Failure) {
      while let reply = try reader.next() { take(reply) }
    } catch {
      close(context, "\(name) speaks no Redis protocol (\(error))")
    }
  }

  private func take(_ reply: ReplyValue) {
    // What nobody asked for is for nobody.
    if case .push = reply { return }
    guard !pending.isEmpty else { return }
    pending[0].replies.append(reply)
    pending[0].missing -= 1
    guard pending[0].missing == 0 else { return }
    let done = pending.removeFirst()
    done.continuation.resume(returning: .success(done.replies))
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    onEnd()
    let reason = end ?? "\(name) has closed the connection"
    end = reason
    while let lost = pending.popFirst() { lost.continuation.resume(returning: .failure(.lost(reason))) }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    close(context, "the connection to \(name) broke: \(error)")
  }
}
