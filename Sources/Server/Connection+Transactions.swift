import KVCluster
import RESP

/// `MULTI`, `EXEC` and what belongs to them; `MSET` and `MSETNX`, which are batches of one command.
extension Connection {
  /// Queues a command behind `MULTI`; false if it is to be carried out now.
  func queues(_ id: CommandID) -> Bool {
    guard transaction != nil else { return false }
    switch id {
    case .multi, .exec, .discard, .watch, .reset, .quit: return false
    default: break
    }
    guard Transaction.takes(id), transaction?.queue(id, arguments(from: 1)) ?? false else {
      transaction?.isBroken = true
      let name = CommandTable.entries[id.rawValue].name
      fail(
        Transaction.takes(id)
          ? "ERR the transaction is too long" : "ERR \(name) cannot be used between MULTI and EXEC")
      return true
    }
    reply { $0.append("+QUEUED\r\n") }
    return true
  }

  func multi() {
    guard transaction == nil else { return fail("ERR MULTI calls can not be nested") }
    transaction = Transaction()
    reply { $0.ok() }
  }

  func discard() {
    guard transaction != nil else { return fail("ERR DISCARD without MULTI") }
    endTransaction()
    reply { $0.ok() }
  }

  func endTransaction() { (transaction, watched) = (nil, WatchedKeys()) }

  func exec() {
    guard let transaction else { return fail("ERR EXEC without MULTI") }
    let run = TransactionRun(entries: transaction.entries, watched: watched, version: version, cluster: core.cluster)
    endTransaction()
    if transaction.isBroken { return fail("EXECABORT Transaction discarded because of previous errors.") }
    work = .task { await run.run() }
  }

  func watch() {
    guard transaction == nil else { return fail("ERR WATCH inside MULTI is not allowed") }
    let (keys, watched, data) = (arguments(from: 1), watched, core.cluster.dataPath)
    work = .task {
      var reply = ReplyBuffer()
      do throws(ClusterError) {
        try await watched.add(keys, data)
        reply.ok()
      } catch {
        reply.error(ErrorReply.text(error))
      }
      return Array(reply.bytes)
    }
  }

  func unwatch() {
    watched = WatchedKeys()
    reply { $0.ok() }
  }

  func setTogether(_ id: CommandID) {
    guard parser.count.isMultiple(of: 2) == false else {
      return fail(ErrorReply.wrongArguments(CommandTable.entries[id.rawValue].name))
    }
    goSlow(id)
  }
}
