import KVCluster
import RESP
import Testing

@testable import Server

/// What the commands answer, over a real socket.
@Suite struct CommandTests {
  @Test("Strings and keys, under each policy", arguments: FsyncPolicy.allCases)
  func stringsAndKeys(fsync: FsyncPolicy) async throws {
    try await TestServer.run(fsync: fsync) { server in
      let client = try server.client()
      #expect(try await client.ask("SET", "a", "hello") == .ok)
      #expect(try await client.ask("get", "a") == "hello")
      #expect(try await client.ask("GET", "b") == .null)
      #expect(try await client.ask("SET", "empty", "") == .ok)
      #expect(try await client.ask("MGET", "a", "b", "empty") == .array(["hello", .null, ""]))
      #expect(try await client.ask("EXISTS", "a", "a", "b", "empty") == 3)
      #expect(try await client.ask("TOUCH", "a", "b") == 1)
      #expect(try await client.ask("STRLEN", "a") == 5)
      #expect(try await client.ask("STRLEN", "b") == 0)
      #expect(try await client.ask("TYPE", "a") == .simple("string"))
      #expect(try await client.ask("TYPE", "b") == .simple("none"))
      #expect(try await client.ask("KEYS", "*") == .array(["a", "empty"]))
      #expect(try await client.ask("KEYS", "e[a-m]pt?") == .array(["empty"]))
      #expect(try await client.ask("DBSIZE") == 2)
      #expect(try await client.ask("DEL", "a", "b", "a") == 1)
      #expect(try await client.ask("UNLINK", "empty") == 1)
      #expect(try await client.ask("DBSIZE") == 0)
    }
  }

  @Test(
    "GETRANGE takes the parts that Redis takes",
    arguments: [
      ("0", "4", "hello"), ("0", "-1", "hello world"), ("-5", "-1", "world"), ("-5", "-7", ""), ("3", "2", ""),
      ("100", "200", ""), ("0", "-100", "h"), ("-100", "2", "hel"), ("-100", "-100", "h"), ("4", "100", "o world"),
    ])
  func ranges(start: String, end: String, part: String) {
    let value = Array("hello world".utf8)
    let range = ValueRange.clip(Int(start)!, Int(end)!, count: value.count)
    #expect(String(decoding: value[range], as: UTF8.self) == part)
    #expect(ValueRange.clip(Int(start)!, Int(end)!, count: 0).isEmpty)
    #expect(ValueRange.clip(.min, .max, count: 3) == 0..<3)
  }

  @Test(
    "Commands in one pipeline are answered in their order, and each sees those before it",
    arguments: FsyncPolicy.allCases)
  func pipelines(fsync: FsyncPolicy) async throws {
    try await TestServer.run(fsync: fsync) { server in
      let client = try server.client()
      var sent: [UInt8] = []
      for i in 0..<500 {
        sent += RequestWriter.bytes("SET", "k\(i % 7)", "\(i)") + RequestWriter.bytes("GET", "k\(i % 7)")
        if i % 50 == 0 { sent += RequestWriter.bytes("KEYS", "k0") + RequestWriter.bytes("LPUSH", "x") }
      }
      try await client.send(sent)
      for i in 0..<500 {
        #expect(try await client.reply() == .ok)
        #expect(try await client.reply() == .bulk(Array("\(i)".utf8)))
        guard i % 50 == 0 else { continue }
        #expect(try await client.reply() == .array(["k0"]))
        #expect(try await client.reply() == .error("ERR unknown command 'LPUSH', with args beginning with: 'x' "))
      }
    }
  }

  @Test("A scan finds each key once that exists throughout, whatever comes and goes meanwhile")
  func scans() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      var sent: [UInt8] = []
      for i in 0..<3_000 { sent += RequestWriter.bytes("SET", "k\(i)", "1") }
      try await client.send(sent)
      for _ in 0..<3_000 { _ = try await client.reply() }
      var (cursor, found, pages) = ("0", [ReplyValue](), 0)
      repeat {
        let page = try #require(try await client.ask("SCAN", cursor, "COUNT", "300").elements)
        cursor = try #require(page[0].text)
        found += try #require(page[1].elements)
        pages += 1
        _ = try await client.ask("SET", "new\(pages)", "1")
        _ = try await client.ask("DEL", "new\(pages - 1)")
      } while cursor != "0" && pages < 100
      #expect(pages > 5 && cursor == "0")
      let names = found.compactMap(\.text).filter { $0.hasPrefix("k") }
      #expect(names.count == 3_000 && Set(names).count == 3_000)
      let match = try await client.ask("SCAN", "0", "MATCH", "k77?", "COUNT", "100000")
      #expect(match.elements?[0] == "0" && match.elements?[1].elements?.count == 10)
      #expect(try await client.ask("SCAN", "0", "TYPE", "list", "COUNT", "100000").elements?[1] == .array([]))
      #expect(try await client.ask("SCAN", "x") == .error("ERR invalid cursor"))
      #expect(try await client.ask("SCAN", "4503599627370496") == .error("ERR invalid cursor"))
      #expect(try await client.ask("SCAN", "0", "COUNT", "0") == .error("ERR syntax error"))
      #expect(try await client.ask("RANDOMKEY").text?.isEmpty == false)
    }
  }

  @Test("A request that comes byte by byte is answered as one that comes whole")
  func bytes() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      for byte in RequestWriter.bytes("SET", "a", "1\r\n2") + RequestWriter.bytes("GET", "a") + Array("GET a\r\n".utf8)
      {
        try await client.send([byte])
      }
      #expect(try await client.reply() == .ok)
      #expect(try await client.reply() == "1\r\n2")
      #expect(try await client.reply() == "1\r\n2")
    }
  }

  @Test("A value of 64 MiB goes in and comes out, and one byte more is refused")
  func largestValue() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      let value = [UInt8](repeating: 0x61, count: 64 << 20)
      try await client.send(RequestWriter.bytes([Array("SET".utf8), [0x6B], value]))
      #expect(try await client.reply() == .ok)
      try await client.send(RequestWriter.bytes("GET", "k"))
      #expect(try await client.reply() == .bulk(value))
      try await client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$67108865\r\n")
      #expect(try await client.reply() == .error("ERR Protocol error: invalid bulk length"))
      #expect(try await client.isClosed())
    }
  }

  @Test("Both protocols: HELLO chooses, RESET goes back")
  func protocols() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      guard case .array(let two) = try await client.ask("HELLO") else {
        return #expect(Bool(false), "RESP2 has no maps")
      }
      #expect(two.prefix(6) == ["server", "kvstore", "version", "7.0.15", "proto", 2])
      guard case .map(let three) = try await client.ask("HELLO", "3", "SETNAME", "me") else {
        return #expect(Bool(false), "RESP3 has maps")
      }
      #expect(three.contains(.init("proto", 3)))
      #expect(try await client.ask("GET", "none") == .null)
      #expect(try await client.ask("CLIENT", "GETNAME") == "me")
      #expect(try await client.ask("HELLO", "4") == .error("NOPROTO unsupported protocol version"))
      #expect(try await client.ask("RESET") == .simple("RESET"))
      #expect(try await client.ask("CLIENT", "GETNAME") == .null)
      guard case .array = try await client.ask("HELLO") else { return #expect(Bool(false), "RESET goes back to RESP2") }
    }
  }

  @Test("Connections are listed with their names and libraries, and can be killed")
  func clients() async throws {
    try await TestServer.run(fsync: .never) { server in
      let (one, two) = (try server.client(), try TestClient(socket: server.socket))
      #expect(try await one.ask("CLIENT", "SETNAME", "one") == .ok)
      #expect(try await one.ask("CLIENT", "SETINFO", "LIB-NAME", "redis-py") == .ok)
      #expect(try await one.ask("CLIENT", "SETINFO", "lib-ver", "8.0") == .ok)
      #expect(try await one.ask("CLIENT", "SETNAME", "a b").text?.hasPrefix("ERR Client names cannot") == true)
      guard case .integer(let id) = try await two.ask("CLIENT", "ID") else { return #expect(Bool(false)) }
      let list = try #require(try await one.ask("CLIENT", "LIST").text)
      #expect(list.contains("name=one ") && list.contains("lib-name=redis-py lib-ver=8.0"))
      #expect(list.contains("id=\(id) addr=unixsocket:0") && list.split(separator: "\n").count == 2)
      #expect(try await one.ask("CLIENT", "KILL", "ID", "\(id)") == 1)
      #expect(try await two.isClosed())
      #expect(try await one.ask("CLIENT", "NONSENSE").text?.hasPrefix("ERR unknown subcommand 'NONSENSE'") == true)
    }
  }

  @Test("The table describes every command, and what it says of arguments is what is done")
  func table() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      #expect(try await client.ask("COMMAND", "COUNT") == .integer(CommandID.allCases.count))
      #expect(try await client.ask("COMMAND").elements?.count == CommandID.allCases.count)
      #expect(try await client.ask("COMMAND", "DOCS").elements?.count == 2 * CommandID.allCases.count)
      #expect(try await client.ask("COMMAND", "INFO", "get", "nonsense").elements?.last == .null)
      #expect(try await client.ask("COMMAND", "GETKEYS", "mget", "a", "b") == .array(["a", "b"]))
      for entry in CommandTable.entries where entry.arity > 1 || entry.arity < -1 {
        #expect(try await client.ask(entry.name) == .error("ERR wrong number of arguments for '\(entry.name)' command"))
      }
    }
  }

  @Test("INFO and CONFIG tell what is true")
  func info() async throws {
    try await TestServer.run(fsync: .everysec) { server in
      let client = try server.client()
      _ = try await client.ask("SET", "a", "1")
      _ = try await client.ask("GET", "a")
      _ = try await client.ask("GET", "b")
      _ = try await client.ask("NONSENSE")
      let info = try #require(try await client.ask("INFO", "everything").text)
      let lines = info.split(separator: "\r\n")
      for line in [
        "redis_version:7.0.15", "connected_clients:1", "keyspace_hits:1", "keyspace_misses:1",
        "db0:keys=1,expires=0,avg_ttl=0",
        "cmdstat_get:calls=2,rejected_calls=0,failed_calls=0", "errorstat_ERR:count=1", "role:master", "loading:0",
        "tcp_port:\(server.port)",
      ] { #expect(lines.contains { $0 == line }, "\(line) is missing") }
      #expect(try await client.ask("CONFIG", "GET", "appendf*") == .array(["appendfsync", "everysec"]))
      #expect(try await client.ask("CONFIG", "SET", "timeout", "7") == .ok)
      #expect(try await client.ask("CONFIG", "GET", "timeout") == .array(["timeout", "7"]))
      #expect(try await client.ask("CONFIG", "SET", "port", "1").text?.contains("immutable") == true)
    }
  }

  @Test("A line of the prompt is run for clients of the socket, and for nobody who needs no right to the folder")
  func runsLines() async throws {
    try await TestServer.run(fsync: .never) { server in
      let (local, remote) = (try TestClient(socket: server.socket), try server.client())
      #expect(
        try await local.ask("KVSTORE", "RUN", "put a 1")
          == .array([.simple("success"), .array([.simple("info"), "put a 1"])]))
      #expect(try await remote.ask("KVSTORE", "RUN", "put a 1").text?.hasPrefix("NOPERM") == true)
    }
  }

  @Test("Patterns match as in Redis")
  func patterns() {
    for (pattern, key, matches) in [
      ("*", "", true), ("a*c", "abbc", true), ("a*c", "abb", false), ("a?c", "abc", true), ("[a-c]x", "bx", true),
      ("[^a-c]x", "bx", false), ("[^a]x", "bx", true), ("\\*", "*", true), ("\\*", "a", false), ("a[", "a", false),
      ("**a**", "bab", true), ("[z-a]", "m", true), ("h*llo*", "heeello world", true), ("", "", true), ("", "a", false),
    ] { #expect(Glob(Array(pattern.utf8)).matches(Array(key.utf8)) == matches, "\(pattern) \(key)") }
    #expect(Glob(Array("user:*".utf8)).literalPrefix == Array("user:".utf8))
    let stars = Glob(Array(String(repeating: "*a", count: 30).utf8))
    #expect(!stars.matches([UInt8](repeating: 0x62, count: 5_000)))
  }
}
