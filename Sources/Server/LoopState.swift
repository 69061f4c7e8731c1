import NIOCore
import RESP

/// What the connections of one event loop share: the replies of the loop's turn behind one another, counters, and the mailbox.
///
/// Replies are written by one task at the end of the turn, when every connection that had something to say has been read:
/// the first write wakes a client, and those that follow need not wait for it.
final class LoopState {
  let core: ServerCore
  let loop: any EventLoop
  /// Of this turn, of all connections.
  var replies = ReplyBuffer(capacity: 64 << 10)
  /// The buffer of the turn before, which the next one uses.
  private var spare = ReplyBuffer(capacity: 64 << 10)
  /// Published at the end of each turn.
  var counters = ServerCounters()
  private(set) var connections: [Int: Connection] = [:]
  /// Whose replies they are, in their order, and where each one's end.
  private var waiting: [(connection: Connection, end: Int)] = []
  private var isDue = false
  private let board: CounterBoard
  private let isFirst: Bool
  private(set) var mailbox: Mailbox!
  private var tick: RepeatedTask?

  init(_ core: ServerCore, index: Int, _ loop: any EventLoop) {
    (self.core, self.loop) = (core, loop)
    board = core.boards[index]
    isFirst = index == 0
    let bound = NIOLoopBound(self, eventLoop: loop)
    mailbox = Mailbox(loop) { bound.value.deliver($0) }
    tick = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.everySecond() }
  }

  func add(_ connection: Connection) {
    connections[connection.client.id] = connection
    counters.connections += 1
    callWrite()
  }

  func remove(_ connection: Connection) {
    connections[connection.client.id] = nil
    core.clients.remove(connection.client.id)
  }

  /// Ends the loop's own work.
  func stop() {
    tick?.cancel()
    mailbox.close()
  }

  // MARK: - A turn

  /// What has been written since the last call belongs to `connection`; returns whether there is anything.
  func end(_ connection: Connection) -> Bool {
    guard replies.count > waiting.last?.end ?? 0 else { return false }
    callWrite()
    waiting.append((connection, replies.count))
    return true
  }

  private func callWrite() {
    if isDue { return }
    isDue = true
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.execute { bound.value.write() }
  }

  private func write() {
    isDue = false
    counters.bytesOut += replies.count
    // A write may end connections, and let others go on, whose replies are those of the next turn.
    swap(&replies, &spare)
    let turn = waiting
    waiting = []
    var start = 0
    for entry in turn {
      entry.connection.send(UnsafeRawBufferPointer(rebasing: spare.bytes[start..<entry.end]))
      start = entry.end
    }
    spare.clear(capacityMax: ServerLimits.repliesKeptBytes)
    board.publish(counters)
  }

  private func deliver(_ completions: [Mailbox.Completion]) {
    var touched: [Connection] = []
    for completion in completions {
      guard let connection = connections[completion.connection] else { continue }
      connection.complete(completion)
      if touched.last !== connection { touched.append(connection) }
    }
    for connection in touched { connection.goOn() }
  }

  private func everySecond() {
    let now = ServerClock.nowNs()
    for connection in connections.values { connection.everySecond(nowNs: now) }
    if isFirst { core.rate.note(commands: core.counters.commands, nowNs: now) }
  }
}
