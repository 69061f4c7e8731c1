import KVCluster
import RESP
import Testing

@testable import Server

/// Commands on several keys at once, over a real socket.
@Suite struct TransactionTests {
  @Test("Values are stored together, or none of them, under each policy", arguments: FsyncPolicy.allCases)
  func sets(fsync: FsyncPolicy) async throws {
    try await TestServer.run(fsync: fsync) { server in
      let client = try server.client()
      #expect(try await client.ask("MSET", "a", "1", "b", "2", "a", "3") == .ok)
      #expect(try await client.ask("MGET", "a", "b", "c") == .array(["3", "2", .null]))
      #expect(try await client.ask("MSETNX", "c", "1", "b", "9") == 0)
      #expect(try await client.ask("EXISTS", "c") == 0)
      #expect(try await client.ask("MSETNX", "c", "1", "d", "", "c", "2") == 1)
      #expect(try await client.ask("MGET", "c", "d") == .array(["2", ""]))
      #expect(
        try await client.ask("MSET", "a", "1", "b") == .error("ERR wrong number of arguments for 'mset' command"))
      var many = ["MSET"]
      for i in 0..<100 { many += ["k\(i)", "v\(i)"] }
      #expect(try await client.ask(many) == .ok)
      let values = try await client.ask(["MGET"] + (0..<101).map { "k\($0)" })
      #expect(values == .array((0..<100).map { ReplyValue(stringLiteral: "v\($0)") } + [.null]))
    }
  }

  @Test("What is queued is carried out in one step, and each command answers", arguments: FsyncPolicy.allCases)
  func executes(fsync: FsyncPolicy) async throws {
    try await TestServer.run(fsync: fsync) { server in
      let client = try server.client()
      #expect(try await client.ask("SET", "n", "1") == .ok)
      #expect(try await client.ask("MULTI") == .ok)
      let commands: [[String]] = [
        ["INCR", "n"], ["GET", "n"], ["APPEND", "n", "0"], ["SET", "m", "x", "EX", "100"], ["TTL", "m"],
        ["MSET", "o", "1", "p", "2"], ["DEL", "o", "none"], ["MGET", "n", "m", "o", "p"], ["INCR", "m"],
        ["SETNX", "m", "y"], ["GETDEL", "p"], ["EXISTS", "p", "n"], ["STRLEN", "n"], ["PERSIST", "m"], ["PTTL", "m"],
        ["GETRANGE", "n", "0", "0"], ["TYPE", "n"], ["PING"], ["ECHO", "e"], ["MSETNX", "n", "1", "q", "1"],
      ]
      for command in commands { #expect(try await client.ask(command) == .simple("QUEUED")) }
      let other = try server.client()
      #expect(try await other.ask("GET", "n") == "1")
      #expect(
        try await client.ask("EXEC")
          == .array([
            2, "2", 2, .ok, 100, .ok, 1, .array(["20", "x", .null, "2"]),
            .error("ERR value is not an integer or out of range"), 0, "2", 1, 2, 1, -1, "2", .simple("string"),
            .simple("PONG"), "e", 0,
          ]))
      #expect(try await other.ask("MGET", "n", "m", "o", "p", "q") == .array(["20", "x", .null, .null, .null]))
      #expect(try await other.ask("TTL", "m") == -1)
      #expect(try await client.ask("MULTI") == .ok)
      #expect(try await client.ask("EXEC") == .array([]))
      #expect(try await client.ask("MULTI") == .ok)
      #expect(try await client.ask("PING") == .simple("QUEUED"))
      #expect(try await client.ask("EXEC") == .array([.simple("PONG")]))
    }
  }

  @Test("A watched key that somebody wrote lets EXEC do nothing")
  func watches() async throws {
    try await TestServer.run { server in
      let (client, other) = (try server.client(), try server.client())
      #expect(try await client.ask("SET", "a", "1") == .ok)
      for (write, isSpoiled) in [
        (["SET", "a", "1"], true), (["DEL", "a"], true), (["SET", "b", "2"], true), (["GET", "a"], false),
        (["SET", "c", "3"], false), (["INCR", "a"], true),
      ] {
        #expect(try await client.ask("WATCH", "a", "b", "a") == .ok)
        _ = try await other.ask(write)
        #expect(try await client.ask("MULTI") == .ok)
        #expect(try await client.ask("SET", "d", write[0]) == .simple("QUEUED"))
        #expect(try await client.ask("EXEC") == (isSpoiled ? .null : .array([.ok])), "\(write)")
      }
      #expect(try await client.ask("WATCH", "a") == .ok)
      #expect(try await client.ask("UNWATCH") == .ok)
      #expect(try await other.ask("SET", "a", "9") == .ok)
      #expect(try await client.ask("MULTI") == .ok)
      #expect(try await client.ask("GET", "a") == .simple("QUEUED"))
      #expect(try await client.ask("EXEC") == .array(["9"]))
    }
  }

  @Test("What cannot be queued spoils the transaction, and nothing of it is done")
  func refuses() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      #expect(try await client.ask("EXEC") == .error("ERR EXEC without MULTI"))
      #expect(try await client.ask("DISCARD") == .error("ERR DISCARD without MULTI"))
      for wrong in [["LPUSH", "a", "1"], ["GET"], ["KEYS", "*"], ["SUBSCRIBE"]] {
        #expect(try await client.ask("MULTI") == .ok)
        #expect(try await client.ask("SET", "a", "1") == .simple("QUEUED"))
        guard case .error = try await client.ask(wrong) else {
          Issue.record("\(wrong) is queued")
          continue
        }
        #expect(
          try await client.ask("EXEC") == .error("EXECABORT Transaction discarded because of previous errors."))
      }
      #expect(try await client.ask("GET", "a") == .null)
      #expect(try await client.ask("MULTI") == .ok)
      #expect(try await client.ask("MULTI") == .error("ERR MULTI calls can not be nested"))
      #expect(try await client.ask("WATCH", "a") == .error("ERR WATCH inside MULTI is not allowed"))
      #expect(try await client.ask("SET", "a", "1") == .simple("QUEUED"))
      #expect(try await client.ask("DISCARD") == .ok)
      #expect(try await client.ask("GET", "a") == .null)
      #expect(try await client.ask("MULTI") == .ok)
      #expect(try await client.ask("SET", "a", "1") == .simple("QUEUED"))
      #expect(try await client.ask("RESET") == .simple("RESET"))
      #expect(try await client.ask("GET", "a") == .null)
    }
  }
}
