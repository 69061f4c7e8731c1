import Foundation
import Glibc
import KVCluster
import NIOCore
import RESP
import Testing

@testable import Server

/// What no client may do to the server, each over a real socket.
@Suite struct SafetyTests {
  private static let usesPassword: @Sendable (inout ServerOptions) -> Void = { options in
    options.password = Array("secret".utf8)
    options.limits.authenticationDelayMs = 1
  }

  private func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return Int(text.split(separator: " ")[1])! * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  // MARK: - What comes

  @Test("Announced sizes cost nothing before their bytes come")
  func announcedSizes() async throws {
    try await TestServer.run(fsync: .never) { server in
      let before = try residentBytes()
      var clients: [TestClient] = []
      for _ in 0..<50 {
        let client = try server.client()
        try await client.send("*1000000\r\n$3\r\nSET\r\n$1\r\na\r\n$67000000\r\nabc")
        clients.append(client)
      }
      #expect(try await server.client().ask("PING") == .simple("PONG"))
      #expect(try residentBytes() - before < 50 << 20)
    }
  }

  @Test(
    "What is no request is answered with an error, and ends the connection; what came before it is answered",
    arguments: [
      ("*2000000000\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*1\r\n$536870912\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length"),
      ("*+1\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*01\r\n", "ERR Protocol error: invalid multibulk length"),
      ("*1\r\n$ 4\r\n", "ERR Protocol error: invalid bulk length"),
      ("*1\r\n*1\r\n$4\r\nPING\r\n", "ERR Protocol error: expected '$', got '*'"),
      ("*1\r\n$4\r\nPINGPING\r\n", "ERR Protocol error: an argument is longer than its length says"),
      ("SET \"a\r\n", "ERR Protocol error: unbalanced quotes in request"),
    ])
  func rubbish(text: String, error: String) async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      try await client.send("PING\r\n*0\r\n*-1\r\n\r\n" + text + "PING\r\n")
      #expect(try await client.reply() == .simple("PONG"))
      #expect(try await client.reply() == .error(error))
      #expect(try await client.rest().isEmpty)
    }
  }

  @Test(
    "A browser's request ends the connection without an answer, and none of it is carried out",
    arguments: [
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nSET evil 1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\nSET evil 1\r\n",
      "Host: x\r\nSET evil 1\r\n", "PUT /a HTTP/1.0\r\n\r\nSET evil 1\r\n",
    ])
  func browsers(request: String) async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      try await client.send(request)
      #expect(try await client.rest().isEmpty)
      #expect(try await server.client().ask("EXISTS", "evil") == 0)
    }
  }

  @Test("Commands behind QUIT are not carried out")
  func quit() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      try await client.send("SET a 1\r\nQUIT\r\nSET b 1\r\n")
      #expect(try await client.rest() == Array("+OK\r\n+OK\r\n".utf8))
      #expect(try await server.client().ask("EXISTS", "a", "b") == 1)
    }
  }

  @Test("A client that has said all it says gets its answers, and then the end", arguments: FsyncPolicy.allCases)
  func halfClose(fsync: FsyncPolicy) async throws {
    try await TestServer.run(fsync: fsync) { server in
      let client = try server.client()
      try await client.send("SET a 1\r\nKEYS *\r\nGET a\r\nGET")
      try await client.finishSending()
      #expect(String(decoding: try await client.rest(), as: UTF8.self) == "+OK\r\n*1\r\n$1\r\na\r\n$1\r\n1\r\n")
    }
  }

  // MARK: - Passwords

  @Test("Without the password nothing but saying it is done; with it all is")
  func passwords() async throws {
    try await TestServer.run(fsync: .never, Self.usesPassword) { server in
      let client = try server.client()
      #expect(try await client.ask("GET", "a") == .error("NOAUTH Authentication required."))
      #expect(try await client.ask("NONSENSE") == .error("NOAUTH Authentication required."))
      #expect(try await client.ask("PING") == .error("NOAUTH Authentication required."))
      #expect(try await client.ask("HELLO", "3").text?.hasPrefix("NOAUTH HELLO") == true)
      for wrong in ["", "secre", "secrets", "Secret"] {
        #expect(try await client.ask("AUTH", wrong).text?.hasPrefix("WRONGPASS") == true)
      }
      #expect(try await client.ask("AUTH", "other", "secret").text?.hasPrefix("WRONGPASS") == true)
      #expect(try await client.ask("HELLO", "3", "AUTH", "default", "wrong").text?.hasPrefix("WRONGPASS") == true)
      guard case .map = try await client.ask("HELLO", "3", "AUTH", "default", "secret") else {
        return #expect(Bool(false), "HELLO takes the password")
      }
      #expect(try await client.ask("SET", "a", "1") == .ok)
      guard case .array = try await client.ask("KVSTORE", "RUN", "nodes") else {
        return #expect(Bool(false), "the password gives all rights")
      }
      #expect(try await client.ask("RESET") == .simple("RESET"))
      #expect(try await client.ask("GET", "a") == .error("NOAUTH Authentication required."))
      #expect(try await TestClient(socket: server.socket).ask("GET", "a") == "1")
    }
  }

  @Test("Wrong passwords are answered later and later, and nobody else waits for that")
  func delays() async throws {
    try await TestServer.run(
      fsync: .never,
      { options in
        options.password = [0x61]
        options.limits.authenticationDelayMs = 100
      }
    ) { server in
      let (client, other) = (try server.client(), try server.client())
      let clock = ContinuousClock()
      let begin = clock.now
      try await client.send("AUTH x\r\nAUTH y\r\nAUTH a\r\n")
      #expect(try await other.ask("AUTH", "a") == .ok)
      #expect(try await client.reply().text?.hasPrefix("WRONGPASS") == true)
      #expect(clock.now - begin >= .milliseconds(100))
      #expect(try await client.reply().text?.hasPrefix("WRONGPASS") == true)
      #expect(clock.now - begin >= .milliseconds(300))
      #expect(try await client.reply() == .ok)
    }
  }

  @Test("Before the password requests are small, and unread answers few")
  func unauthenticated() async throws {
    try await TestServer.run(fsync: .never, Self.usesPassword) { server in
      let many = try server.client()
      #expect(
        try await many.ask("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k").text
          == "ERR Protocol error: unauthenticated multibulk length")
      let large = try server.client()
      try await large.send("*2\r\n$4\r\nAUTH\r\n$16385\r\n")
      #expect(try await large.reply() == .error("ERR Protocol error: unauthenticated bulk length"))
      // Answers that nobody reads: the server stops reading, and the system's buffers are all that fills.
      let before = try residentBytes()
      let silent = try server.client()
      let sent = try await silent.flood(Array(String(repeating: "GET a\r\n", count: 1_000).utf8))
      #expect(sent < 32 << 20, "the server takes requests though nobody reads its answers")
      #expect(try residentBytes() - before < 16 << 20)
      #expect(try await server.client().ask("AUTH", "secret") == .ok)
    }
  }

  @Test("Without a password only the own machine may come in")
  func protectedMode() async throws {
    #expect(Connection.isLoopback(try SocketAddress(ipAddress: "127.0.0.1", port: 1)))
    #expect(Connection.isLoopback(try SocketAddress(ipAddress: "::1", port: 1)))
    #expect(!Connection.isLoopback(try SocketAddress(ipAddress: "192.168.1.2", port: 1)))
    #expect(!Connection.isLoopback(try SocketAddress(ipAddress: "fe80::1", port: 1)))
    #expect(!Connection.isLoopback(nil))
    #expect(ErrorReply.denied.contains("1)") && ErrorReply.denied.contains("4)"))
  }

  // MARK: - Numbers

  @Test("One client too many is told so, and a place that becomes free is taken")
  func maxClients() async throws {
    try await TestServer.run(fsync: .never, { $0.limits.clientsMax = 2 }) { server in
      let (one, two) = (try server.client(), try server.client())
      #expect(try await one.ask("PING") == .simple("PONG"))
      #expect(try await two.ask("PING") == .simple("PONG"))
      let three = try server.client()
      #expect(try await three.reply() == .error("ERR max number of clients reached"))
      #expect(try await three.isClosed())
      try await one.close()
      var isServed = false
      for _ in 0..<200 where !isServed {
        let next = try server.client()
        isServed = (try? await next.ask("PING")) == .simple("PONG")
      }
      #expect(isServed)
    }
  }

  @Test("A client that reads nothing is not read from, costs a bounded amount, and gets all its answers once it reads")
  func backpressure() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      let value = [UInt8](repeating: 0x61, count: 1 << 20)
      try await client.send(RequestWriter.bytes([Array("SET".utf8), [0x6B], value]))
      #expect(try await client.reply() == .ok)
      let before = try residentBytes()
      var sent: [UInt8] = []
      for _ in 0..<200 { sent += RequestWriter.bytes("GET", "k") }
      try await client.send(sent)
      #expect(try await server.client().ask("PING") == .simple("PONG"))
      #expect(try residentBytes() - before < 40 << 20)
      for _ in 0..<200 { #expect(try await client.reply() == .bulk(value)) }
      #expect(try await client.ask("PING") == .simple("PONG"))
    }
  }

  @Test("A connection that must hold more than the limit is cut")
  func outputLimit() async throws {
    try await TestServer.run(fsync: .never, { $0.limits.outputBytesMax = 8 << 20 }) { server in
      let client = try server.client()
      let value = [UInt8](repeating: 0x61, count: 4 << 20)
      try await client.send(RequestWriter.bytes([Array("SET".utf8), [0x6B], value]))
      #expect(try await client.reply() == .ok)
      #expect(try await client.ask("MGET", "k", "k", "k").text?.hasPrefix("ERR the values have more than") == true)
      #expect(try await client.ask("GET", "k") == .bulk(value))
    }
  }

  @Test("An idle connection is closed after the timeout, a busy one is not")
  func idle() async throws {
    try await TestServer.run(fsync: .never, { $0.idleSeconds = 1 }) { server in
      let (idle, busy) = (try server.client(), try server.client())
      _ = try await idle.ask("PING")
      let closed = Task { try await idle.isClosed() }
      for _ in 0..<8 {
        #expect(try await busy.ask("PING") == .simple("PONG"))
        try await Task.sleep(for: .milliseconds(300))
      }
      #expect(try await closed.value)
      #expect(try await busy.ask("PING") == .simple("PONG"))
    }
  }

  @Test("The socket's file is its owner's alone; one that a dead server left is replaced, one in use is not")
  func socketFile() async throws {
    try await TestServer.run(fsync: .never) { server in
      var info = stat()
      #expect(stat(server.socket, &info) == 0 && info.st_mode & 0o777 == 0o600)
      #expect(throws: ServerError.self) { try UnixSocket.bind(server.socket) }
      let path = server.folder + "-left.sock"
      close(try UnixSocket.bind(path))
      let again = try UnixSocket.bind(path)
      close(again)
      unlink(path)
      #expect(throws: ServerError.self) { try UnixSocket.bind(String(repeating: "x", count: 200)) }
      // A start that fails leaves nothing behind.
      let options = ServerOptions(addresses: [], sockets: [path, "/no/such/folder.sock"], loops: 1)
      await #expect(throws: ServerError.self) {
        try await Server.start(server.cluster, options) { _ in RunAnswer(outcome: "success", lines: []) }
      }
      #expect(stat(path, &info) != 0)
    }
  }

  // MARK: - The end

  @Test("An orderly end answers what has come, and cuts those who do not take their answers")
  func orderlyEnd() async throws {
    try await TestServer.run({ $0.limits.stopSeconds = 1 }) { server in
      let (busy, stuck) = (try server.client(), try server.client())
      let value = [UInt8](repeating: 0x61, count: 16 << 20)
      try await stuck.send(RequestWriter.bytes([Array("SET".utf8), [0x6B], value]))
      #expect(try await stuck.reply() == .ok)
      try await stuck.send(RequestWriter.bytes("GET", "k"))
      #expect(try await busy.ask("PING") == .simple("PONG"))
      try await busy.send("SET a 1\r\nGET a\r\n")
      #expect(try await busy.reply() == .ok)
      #expect(try await busy.reply() == "1")
      let clock = ContinuousClock()
      let begin = clock.now
      await server.server.stop()
      #expect(clock.now - begin < .seconds(5))
      #expect(try await busy.rest().isEmpty)
      #expect(try await stuck.rest().count < value.count)
      #expect(throws: (any Error).self) { try server.client() }
    }
  }

  @Test("Connections that end at random moments leave nothing behind")
  func disconnects() async throws {
    try await TestServer.run { server in
      let value = String(repeating: "x", count: 3_000)
      for round in 0..<150 {
        let client = try server.client()
        let request = RequestWriter.bytes("SET", "k\(round)", value) + RequestWriter.bytes("KEYS", "*")
        try await client.send(Array(request.prefix(1 + round * 37 % request.count)))
        try await client.close()
      }
      for _ in 0..<400 where server.server.clientCount > 0 { try await Task.sleep(for: .milliseconds(10)) }
      #expect(server.server.clientCount == 0)
      #expect(try await server.client().ask("PING") == .simple("PONG"))
    }
  }

  @Test("A connection that has ended gives its memory back")
  func memoryOfConnections() async throws {
    try await TestServer.run(fsync: .never) { server in
      func round() async throws {
        for _ in 0..<300 {
          let client = try server.client()
          // A request that never ends, most of which has come.
          try await client.send(Array("*2\r\n$3\r\nGET\r\n$300000\r\n".utf8) + [UInt8](repeating: 0x61, count: 250_000))
          #expect(try await server.client().ask("PING") == .simple("PONG"))
          try await client.close()
        }
        for _ in 0..<400 where server.server.clientCount > 0 { try await Task.sleep(for: .milliseconds(10)) }
      }
      try await round()
      let before = try residentBytes()
      try await round()
      #expect(try residentBytes() - before < 30 << 20, "300 connections keep their 75 MB")
    }
  }

  @Test("Commands that run on while the server stops do no harm")
  func stopsWhileBusy() async throws {
    try await TestServer.run(fsync: .never, { $0.limits.stopSeconds = 0 }) { server in
      try server.cluster.pause("node1")
      try server.cluster.pause("node2")
      var clients: [TestClient] = []
      for _ in 0..<4 {
        let client = try server.client()
        try await client.send("SET a 1\r\n")
        clients.append(client)
      }
      #expect(try await server.client().ask("PING") == .simple("PONG"))
      await server.server.stop()
      for client in clients { #expect(try await client.rest().isEmpty) }
    }
  }
}
