import Glibc
import KVCluster
import NIOCore
import RESP
import Synchronization

/// One connection: the only handler of its channel.
///
/// What a read has brought is parsed in place and carried out at once, command by command, against the engine; replies go
/// into the loop's buffer, and to the socket at the end of the loop's turn. A reply that waits for disks, and all behind it,
/// wait in ``ReplyRing``. A command that would block its loop (it lists all keys, or links are faulty) runs as a task, and
/// the connection's next command waits for it. A connection is read from only while its next command may be carried out, so
/// a client that does not read its replies holds back nobody but itself.
final class Connection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let shared: LoopState
  var core: ServerCore { shared.core }
  private(set) var client: Client!
  private let isSocket: Bool
  private var context: ChannelHandlerContext?
  private var socket: NIOBSDSocket.Handle = -1
  private var isEntered = false

  // What has come.
  var parser: RequestParser
  /// The request that is carried out.
  var input = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Bytes that have not been carried out.
  private var unfinished = ByteBuffer()
  /// Bytes that the request at their beginning will have at least.
  private var announcedBytes = 0
  private var isReading = true
  private var isInputClosed = false
  /// The server stops: what has come is answered, and nothing more is read.
  private var isFinishing = false
  /// All has been sent, and the client has not closed its side yet.
  private var isLingering = false

  // The session.
  var version = RESPVersion.two
  var isAuthenticated = false
  var authenticationFailures = 0
  /// Nothing more is carried out; the connection ends after the replies that are due.
  var isClosing = false
  var lastCommand: CommandID?
  private var commandCount = 0

  /// Commands behind `MULTI`.
  var transaction: Transaction?
  var watched = WatchedKeys()

  // The command that is carried out.
  var calls: [DataPath.PendingCall] = []
  /// Work that the command needs, for which the next command waits.
  var work: SlowWork?
  var hasFailed = false
  /// Where its reply begins.
  var replyStart = 0

  // Replies on their way.
  private var ring = ReplyRing()
  /// A command runs as a task.
  private var isBarred = false
  /// Times that replies of this turn are in the loop's buffer.
  private var waitingCount = 0
  private var burstStart = 0
  private var backlog = Backlog()
  private var slowSinceNs: UInt64?

  init(_ shared: LoopState, isSocket: Bool) {
    (self.shared, self.isSocket) = (shared, isSocket)
    parser = RequestParser(limits: shared.core.options.limits.requestsUnauthenticated)
  }

  // MARK: - Coming and going

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    let channel = context.channel
    try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { socket = $0 }
    let bound = NIOLoopBound(self, eventLoop: shared.loop)
    client = Client(
      id: core.clients.nextID(), address: isSocket ? "unixsocket:0" : Self.text(channel.remoteAddress),
      localAddress: isSocket ? "unixsocket:0" : Self.text(channel.localAddress), isSocket: isSocket,
      nowNs: ServerClock.nowNs()
    ) { bound.eventLoop.execute { bound.value.cut() } }
    guard core.clients.enter(max: core.clientsMax) else {
      return refuse(ErrorReply.tooManyClients)
    }
    isEntered = true
    if !isSocket, core.options.password == nil, !Self.isLoopback(channel.remoteAddress) {
      return refuse(ErrorReply.denied)
    }
    if isSocket || core.options.password == nil { authenticate() }
    core.clients.add(client)
    shared.add(self)
  }

  func authenticate() {
    isAuthenticated = true
    parser.limits = core.options.limits.requests
    client.state.withLock { $0.isAuthenticated = true }
  }

  /// Whether the client may do what the user of the data folder may.
  var isTrusted: Bool { isSocket || core.options.password != nil && isAuthenticated }

  func unauthenticate() {
    isAuthenticated = isSocket || core.options.password == nil
    if !isAuthenticated { parser.limits = core.options.limits.requestsUnauthenticated }
  }

  private func refuse(_ error: String) {
    shared.counters.rejected += 1
    isClosing = true
    guard let context else { return }
    var reply = ReplyBuffer()
    reply.error(error)
    let bound = NIOLoopBound(self, eventLoop: shared.loop)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply.bytes))).whenComplete { _ in bound.value.cut() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    socket = -1
    isClosing = true
    if client != nil { shared.remove(self) }
    // It knows how to end this connection, so each would keep the other.
    client = nil
    if isEntered { core.clients.leave() }
    isEntered = false
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard let event = event as? ChannelEvent, event == .inputClosed else { return }
    isInputClosed = true
    if isLingering { cut() } else { closeIfDone() }
  }

  /// Ends the connection at once.
  func cut() { context?.close(promise: nil) }

  /// Answers what has come, and ends.
  func finish() {
    isFinishing = true
    updateReading()
    closeIfDone()
  }

  // MARK: - Reading

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    shared.counters.bytesIn += bytes.readableBytes
    if isClosing { return }
    beginBurst()
    if unfinished.readableBytes == 0 {
      execute(&bytes)
      // A copy, so that the channel gets its buffer back and reads into it again.
      if bytes.readableBytes > 0, !isClosing { unfinished.writeBuffer(&bytes) }
    } else {
      makeRoom(for: bytes.readableBytes)
      unfinished.writeBuffer(&bytes)
      executeUnfinished()
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { endBurst() }

  /// A large request's bytes get room in steps that double, the last of which is exact: never more than twice what came.
  private func makeRoom(for more: Int) {
    let needed = unfinished.readableBytes + more
    guard unfinished.writableBytes < more else { return }
    let wanted = max(needed, min(announcedBytes, 2 * needed))
    unfinished.reserveCapacity(unfinished.readerIndex + wanted)
  }

  private func executeUnfinished() {
    guard mayGoOn, unfinished.readableBytes > 0 else { return }
    execute(&unfinished)
    if unfinished.readableBytes == 0 || isClosing {
      if unfinished.capacity > 4 * ServerLimits.readBytes { unfinished = ByteBuffer() } else { unfinished.clear() }
    } else if unfinished.readerIndex > unfinished.readableBytes {
      unfinished.discardReadBytes()
    }
  }

  /// One pass through the buffer's checks for all commands in it.
  private func execute(_ bytes: inout ByteBuffer) {
    let consumed = bytes.withUnsafeReadableBytes { run($0) }
    bytes.moveReaderIndex(forwardBy: consumed)
  }

  /// Returns how many bytes were carried out.
  private func run(_ bytes: UnsafeRawBufferPointer) -> Int {
    var at = 0
    while at < bytes.count, mayGoOn {
      input = UnsafeRawBufferPointer(rebasing: bytes[at...])
      switch parser.parse(input) {
      case .request(let count):
        carryOut()
        at += count
      case .nothing(let count): at += count
      case .incomplete(let count):
        announcedBytes = count
        return at
      case .failed(let error):
        replyStart = shared.replies.count
        reply { $0.error(error.reply) }
        finishReply()
        isClosing = true
      }
    }
    return at
  }

  private func beginBurst() { burstStart = shared.replies.count }

  private func endBurst() {
    guard client != nil else { return }
    if shared.end(self) { waitingCount += 1 }
    burstStart = shared.replies.count
    client.state.withLock { state in
      state.lastNs = ServerClock.nowNs()
      state.commands = commandCount
      state.lastCommand = lastCommand
      state.pendingInput = unfinished.readableBytes
      state.pendingOutput = ring.byteCount + backlog.count
    }
    updateReading()
    closeIfDone()
  }

  /// Whether the next command may be carried out.
  private var mayGoOn: Bool {
    !isBarred && !isClosing && ring.count < core.options.limits.repliesPendingMax && outputBytes < outputPause
  }

  private var outputBytes: Int { backlog.count + ring.byteCount + (shared.replies.count - burstStart) }

  private var outputPause: Int {
    isAuthenticated ? core.options.limits.outputPauseBytes : core.options.limits.outputUnauthenticatedBytes
  }

  private func updateReading() {
    let wanted = isLingering || mayGoOn && !isInputClosed && !isFinishing
    guard wanted != isReading, let context else { return }
    isReading = wanted
    try? context.channel.syncOptions?.setOption(.autoRead, value: wanted)
  }

  /// Carries out what it can once something that was waited for has come.
  func goOn() {
    // Replies of a connection that has gone must not come between those of others.
    guard context != nil else { return }
    beginBurst()
    ring.take(into: &shared.replies)
    executeUnfinished()
    endBurst()
  }

  // MARK: - A command

  private func carryOut() {
    commandCount += 1
    shared.counters.commands += 1
    replyStart = shared.replies.count
    hasFailed = false
    shared.replies.version = version
    dispatch()
    finishReply()
  }

  /// Writes the reply of the command, or a part of it.
  @inline(__always)
  func reply(_ write: (inout ReplyBuffer) -> Void) { write(&shared.replies) }

  /// An error takes the place of what the command has written.
  func fail(_ error: String) {
    shared.replies.truncate(to: replyStart)
    shared.replies.error(error)
    hasFailed = true
    let code = error.prefix { $0 != " " }
    shared.counters.errors[String(code), default: 0] += 1
  }

  /// Lets the reply wait for what must come first.
  private func finishReply() {
    if ring.isEmpty, calls.isEmpty, work == nil { return }
    let bytes = UnsafeRawBufferPointer(rebasing: shared.replies.bytes[replyStart...])
    let number = ring.append(bytes, missing: calls.count + (work == nil ? 0 : 1))
    shared.replies.truncate(to: replyStart)
    let (mailbox, id) = (shared.mailbox!, client.id)
    for call in calls {
      call.onEnd { error in
        mailbox.post(.init(connection: id, reply: number, error: error.map(ErrorReply.text)))
      }
    }
    calls.removeAll(keepingCapacity: true)
    guard let work else { return }
    self.work = nil
    isBarred = true
    work.begin(on: shared.loop) { made in mailbox.post(.init(connection: id, reply: number, error: nil, made: made)) }
  }

  /// Something that a reply waits for has come.
  func complete(_ completion: Mailbox.Completion) {
    ring.complete(completion.reply, error: completion.error, more: completion.made ?? [])
    if completion.made != nil { isBarred = false }
    if let error = completion.error { shared.counters.errors[String(error.prefix { $0 != " " }), default: 0] += 1 }
  }

  // MARK: - Writing

  /// Replies of a turn go straight to the socket; what it does not take goes through the channel, which waits for it.
  func send(_ replies: UnsafeRawBufferPointer) {
    waitingCount -= 1
    guard let context else { return }
    var sent = 0
    // A channel that has closed tells it a little later, and its descriptor may be another connection's by now.
    if backlog.count == 0, socket >= 0, context.channel.isActive {
      sent = max(0, Glibc.send(socket, replies.baseAddress, replies.count, CInt(MSG_NOSIGNAL)))
    }
    if sent < replies.count {
      backlog.append(UnsafeRawBufferPointer(rebasing: replies[sent...]))
      if backlog.count > core.options.limits.outputBytesMax { return cut() }
      feed()
    }
    goOnIfHeldBack()
  }

  private func feed() {
    guard let context, let chunk = backlog.next() else { return }
    let bound = NIOLoopBound(self, eventLoop: shared.loop)
    context.writeAndFlush(wrapOutboundOut(chunk)).whenComplete { _ in
      let connection = bound.value
      connection.backlog.took()
      connection.feed()
      connection.goOnIfHeldBack()
    }
  }

  private func goOnIfHeldBack() {
    if !isReading || unfinished.readableBytes > 0 { goOn() } else { closeIfDone() }
  }

  /// Closes once all has been answered and sent, if nothing more is to come.
  ///
  /// The server's own side first: to close both while bytes of the client wait would reset the connection, and take replies
  /// with it that have not been read. The client has a second to close its side.
  private func closeIfDone() {
    let isOver = isClosing || (isInputClosed || isFinishing) && !isBarred
    guard isOver, !isLingering, ring.isEmpty, backlog.count == 0, waitingCount == 0, let context else { return }
    isClosing = true
    if isInputClosed { return cut() }
    isLingering = true
    updateReading()
    context.close(mode: .output, promise: nil)
    let bound = NIOLoopBound(self, eventLoop: shared.loop)
    shared.loop.scheduleTask(in: .seconds(1)) { bound.value.cut() }
  }

  func everySecond(nowNs: UInt64) {
    let limits = core.options.limits
    if backlog.count + ring.byteCount > limits.outputSlowBytes {
      let since = slowSinceNs ?? nowNs
      slowSinceNs = since
      if nowNs - since > UInt64(limits.outputSlowSeconds) * 1_000_000_000 { return cut() }
    } else {
      slowSinceNs = nil
    }
    let lastNs = client.state.withLock { $0.lastNs }
    let idle = nowNs - min(nowNs, lastNs)
    let allowed = core.idleSeconds.load(ordering: .relaxed)
    if allowed > 0, idle > UInt64(allowed) * 1_000_000_000, ring.isEmpty, backlog.count == 0, !isBarred {
      return cut()
    }
    if !isAuthenticated, nowNs - client.startedNs > UInt64(limits.unauthenticatedSeconds) * 1_000_000_000 { cut() }
  }

  // MARK: - Addresses

  private static func text(_ address: SocketAddress?) -> String {
    guard let address, let host = address.ipAddress, let port = address.port else { return "?:0" }
    return ServerOptions.Address(host: host, port: port).description
  }

  static func isLoopback(_ address: SocketAddress?) -> Bool {
    guard let host = address?.ipAddress else { return false }
    return host.hasPrefix("127.") || host == "::1" || host.hasPrefix("::ffff:127.")
  }
}
