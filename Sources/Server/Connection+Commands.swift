import KVCluster
import RESP

/// From a request to its command.
extension Connection {
  /// An argument of the request, 0 for the command's name; valid while the command is carried out.
  @inline(__always)
  func argument(_ index: Int) -> UnsafeRawBufferPointer { parser.argument(index, of: input) }

  func text(_ index: Int) -> String { String(decoding: argument(index), as: UTF8.self) }

  /// The argument in capitals, for words of the protocol.
  func word(_ index: Int) -> String { text(index).uppercased() }

  /// The arguments from `index` on, as bytes of their own.
  func arguments(from index: Int) -> [[UInt8]] {
    index < parser.count ? (index..<parser.count).map { Array(argument($0)) } : []
  }

  func dispatch() {
    if parser.isLine, isOfABrowser { return cut() }
    guard let id = CommandTable.id(argument(0)) else { return unknown() }
    let entry = CommandTable.entries[id.rawValue]
    guard entry.takes(parser.count) else {
      shared.counters.calls[id.rawValue].rejected += 1
      transaction?.isBroken = true
      return fail(ErrorReply.wrongArguments(entry.name))
    }
    guard isAuthenticated || entry.isOpen else {
      shared.counters.calls[id.rawValue].rejected += 1
      return fail(ErrorReply.noAuthentication)
    }
    if queues(id) { return }
    shared.counters.calls[id.rawValue].calls += 1
    carryOut(id)
    if hasFailed { shared.counters.calls[id.rawValue].failed += 1 }
    lastCommand = id
  }

  private func unknown() {
    let name = text(0).uppercased()
    // A web page can make a browser send anything to a port of its own machine, behind these.
    if name == "POST" || name == "HOST:" { return cut() }
    transaction?.isBroken = true
    fail(
      isAuthenticated
        ? ErrorReply.unknownCommand(Array(argument(0)), arguments(from: 1)) : ErrorReply.noAuthentication)
  }

  private var isOfABrowser: Bool {
    parser.count == 3 && argument(2).starts(with: "HTTP/1.".utf8)
  }

  private func carryOut(_ id: CommandID) {
    switch id {
    case .get: get()
    case .set, .setex, .psetex: set(id)
    case .mget: mget()
    case .mset, .msetnx: setTogether(id)
    case .multi: multi()
    case .exec: exec()
    case .discard: discard()
    case .watch: watch()
    case .unwatch: unwatch()
    case .incr, .decr, .incrby, .decrby, .append, .setrange, .setnx, .getset, .getdel, .getex, .expire, .pexpire,
      .expireat, .pexpireat, .ttl, .pttl, .expiretime, .pexpiretime, .persist:
      update(id)
    case .del, .unlink: delete(id)
    case .exists, .touch: count(id)
    case .strlen, .type: look(id)
    case .getrange, .substr: getRange(id)
    case .keys, .randomkey, .dbsize: goSlow(id)
    case .scan: scan()
    case .ping: ping()
    case .echo: reply { $0.bulk(argument(1)) }
    case .hello: hello()
    case .auth: auth()
    case .quit:
      reply { $0.ok() }
      isClosing = true
    case .reset: reset()
    case .select: select()
    case .client: clientCommand()
    case .command: commandCommand()
    case .config: configCommand()
    case .info: reply { $0.verbatim(Info(core).text(arguments(from: 1))) }
    case .time: time()
    case .acl: aclCommand()
    case .slowlog: slowlogCommand()
    case .latency: latencyCommand()
    case .kvstore: kvstoreCommand()
    }
  }

  private func time() {
    let now = ServerClock.wallUs()
    reply {
      $0.array(2)
      $0.bulk(String(now / 1_000_000))
      $0.bulk(String(now % 1_000_000))
    }
  }
}
