import NIOCore
import RESP

/// Commands about the connection itself.
extension Connection {
  func ping() {
    switch parser.count {
    case 1: reply { $0.append("+PONG\r\n") }
    case 2: reply { $0.bulk(argument(1)) }
    default: fail(ErrorReply.wrongArguments("ping"))
    }
  }

  func select() {
    guard let number = Integer.parse(argument(1)) else { return fail(ErrorReply.notAnInteger) }
    guard number == 0 else { return fail("ERR DB index is out of range") }
    reply { $0.ok() }
  }

  func reset() {
    version = .two
    endTransaction()
    unauthenticate()
    client.state.withLock { $0.name = [] }
    reply { $0.append("+RESET\r\n") }
  }

  // MARK: - Passwords

  func auth() {
    switch parser.count {
    case 2:
      guard core.options.password != nil else { return fail(ErrorReply.noPassword) }
      if check(user: nil, argument(1)) { reply { $0.ok() } }
    case 3: if check(user: argument(1), argument(2)) { reply { $0.ok() } }
    default: fail(ErrorReply.syntax)
    }
  }

  /// Authenticates the client, or fails the command. There is one user, `default`, who needs no password where none is set.
  private func check(user: UnsafeRawBufferPointer?, _ password: UnsafeRawBufferPointer) -> Bool {
    let isUser = user.map { $0.elementsEqual("default".utf8) } ?? true
    if isUser, core.options.password == nil || core.accepts(password) {
      authenticationFailures = 0
      authenticate()
      return true
    }
    authenticationFailures += 1
    fail(ErrorReply.wrongPassword)
    let error = Array(shared.replies.bytes[replyStart...])
    shared.replies.truncate(to: replyStart)
    // Whoever guesses has to wait, and everybody else does not.
    let delayMs = min(authenticationFailures, 10) * core.options.limits.authenticationDelayMs
    work = .delay(.milliseconds(Int64(delayMs)), error)
    return false
  }

  // MARK: - HELLO

  private struct Hello {
    var version: RESPVersion?
    var user: Int?
    var name: Int?
  }

  func hello() {
    guard let hello = parseHello() else { return }
    if let user = hello.user {
      guard check(user: argument(user), argument(user + 1)) else { return }
    }
    guard isAuthenticated else {
      return fail(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
          + "option can be used to authenticate the client and select the RESP protocol version at the same time")
    }
    if let name = hello.name, !takeName(argument(name)) { return }
    if let version = hello.version { self.version = version }
    let version = version
    client.state.withLock { $0.version = version.rawValue }
    shared.replies.version = version
    reply {
      $0.map(7)
      $0.bulk("server")
      $0.bulk("kvstore")
      $0.bulk("version")
      $0.bulk(Info.redisVersion)
      $0.bulk("proto")
      $0.integer(version.rawValue)
      $0.bulk("id")
      $0.integer(client.id)
      $0.bulk("mode")
      $0.bulk("standalone")
      $0.bulk("role")
      $0.bulk("master")
      $0.bulk("modules")
      $0.array(0)
    }
  }

  private func parseHello() -> Hello? {
    var hello = Hello()
    guard parser.count > 1 else { return hello }
    guard let number = Integer.parse(argument(1)) else {
      fail("ERR Protocol version is not an integer or out of range")
      return nil
    }
    guard let version = RESPVersion(rawValue: number) else {
      fail("NOPROTO unsupported protocol version")
      return nil
    }
    hello.version = version
    var i = 2
    while i < parser.count {
      switch word(i) {
      case "AUTH" where i + 2 < parser.count:
        hello.user = i + 1
        i += 3
      case "SETNAME" where i + 1 < parser.count:
        hello.name = i + 1
        i += 2
      default:
        fail("ERR Syntax error in HELLO option '\(text(i))'")
        return nil
      }
    }
    return hello
  }

  /// Names the connection, or fails the command.
  func takeName(_ name: UnsafeRawBufferPointer) -> Bool {
    guard name.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      fail("ERR Client names cannot contain spaces, newlines or special characters.")
      return false
    }
    client.state.withLock { $0.name = Array(name) }
    return true
  }
}
