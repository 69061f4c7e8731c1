import NIOCore
import RESP

/// `CLIENT` and its subcommands.
extension Connection {
  func clientCommand() {
    let count = parser.count
    switch (word(1), count) {
    case ("ID", 2): reply { $0.integer(client.id) }
    case ("GETNAME", 2):
      let name = client.state.withLock { $0.name }
      reply { if name.isEmpty { $0.null() } else { $0.bulk(name) } }
    case ("SETNAME", 3): if takeName(argument(2)) { reply { $0.ok() } }
    case ("SETINFO", 4): setInfo()
    case ("INFO", 2): reply { $0.verbatim(client.line(nowNs: ServerClock.nowNs()) + "\n") }
    case ("LIST", _): list()
    case ("KILL", 3...): kill()
    case ("NO-EVICT", 3), ("NO-TOUCH", 3):
      guard ["ON", "OFF"].contains(word(2)) else { return fail(ErrorReply.syntax) }
      // Nothing is ever evicted, and a look at a key leaves no trace.
      reply { $0.ok() }
    case ("HELP", 2):
      help(
        [
          "ID", "GETNAME", "SETNAME name", "SETINFO lib-name|lib-ver text", "INFO", "LIST [ID id...]",
          "KILL address | ID id | ADDR address", "NO-EVICT on|off", "NO-TOUCH on|off",
        ], of: "CLIENT")
    case ("ID", _), ("GETNAME", _), ("SETNAME", _), ("SETINFO", _), ("INFO", _), ("KILL", _), ("NO-EVICT", _),
      ("NO-TOUCH", _), ("HELP", _):
      fail(ErrorReply.wrongArguments("client|\(text(1).lowercased())"))
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "CLIENT"))
    }
  }

  func help(_ lines: [String], of command: String) {
    reply {
      $0.array(lines.count + 1)
      $0.simple("\(command) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
      for line in lines { $0.simple(line) }
    }
  }

  private func setInfo() {
    let value = Array(argument(3))
    guard value.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return fail("ERR \(text(2)) cannot contain spaces, newlines or special characters.")
    }
    switch text(2).lowercased() {
    case "lib-name": client.state.withLock { $0.library = value }
    case "lib-ver": client.state.withLock { $0.libraryVersion = value }
    default: return fail("ERR Unrecognized option '\(text(2))'")
    }
    reply { $0.ok() }
  }

  private func list() {
    var clients = core.clients.all
    if parser.count > 2 {
      switch word(2) {
      case "ID":
        let ids = (3..<parser.count).compactMap { Integer.parse(argument($0)) }
        guard !ids.isEmpty, ids.count == parser.count - 3 else { return fail("ERR Invalid client ID") }
        clients = clients.filter { ids.contains($0.id) }
      case "TYPE" where parser.count == 4:
        guard ["NORMAL", "MASTER", "REPLICA", "SLAVE", "PUBSUB"].contains(word(3)) else {
          return fail("ERR Unknown client type '\(text(3))'")
        }
        if word(3) != "NORMAL" { clients = [] }
      default: return fail(ErrorReply.syntax)
      }
    }
    let now = ServerClock.nowNs()
    reply { $0.verbatim(clients.map { $0.line(nowNs: now) + "\n" }.joined()) }
  }

  private func kill() {
    var (victims, skipsSelf) = (core.clients.all, true)
    let isOld = parser.count == 3
    if isOld {
      let address = text(2)
      (victims, skipsSelf) = (victims.filter { $0.address == address }, false)
    } else {
      guard parser.count % 2 == 0 else { return fail(ErrorReply.syntax) }
      for i in stride(from: 2, to: parser.count, by: 2) {
        let value = text(i + 1)
        switch word(i) {
        case "ID":
          guard let id = Integer.parse(argument(i + 1)), id > 0 else {
            return fail("ERR client-id should be greater than 0")
          }
          victims.removeAll { $0.id != id }
        case "ADDR": victims.removeAll { $0.address != value }
        case "LADDR": victims.removeAll { $0.localAddress != value }
        case "SKIPME" where ["yes", "no"].contains(value.lowercased()): skipsSelf = value.lowercased() == "yes"
        default: return fail(ErrorReply.syntax)
        }
      }
    }
    if skipsSelf { victims.removeAll { $0 === client } }
    if isOld, victims.isEmpty { return fail("ERR No such client") }
    for victim in victims {
      // Who ends itself hears of it first.
      if victim === client { isClosing = true } else { victim.kill() }
    }
    reply { if isOld { $0.ok() } else { $0.integer(victims.count) } }
  }
}
