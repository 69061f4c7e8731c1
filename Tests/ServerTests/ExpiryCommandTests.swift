import KVCluster
import RESP
import Testing

@testable import Server

@Suite struct ExpiryCommandTests {
  @Test("Keys end when they were told to, and SET, PERSIST and GETEX change when")
  func ends() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      #expect(try await client.ask("SET", "a", "1", "PX", "60000") == .ok)
      #expect(try await client.ask("TTL", "a") == .integer(60))
      guard case .integer(let left) = try await client.ask("PTTL", "a") else {
        Issue.record("no time")
        return
      }
      #expect((50_000...60_000).contains(left))
      #expect(try await client.ask("INCR", "a") == .integer(2))
      #expect(try await client.ask("TTL", "a") == .integer(60), "INCR keeps it")
      #expect(try await client.ask("SET", "a", "7", "KEEPTTL") == .ok)
      #expect(try await client.ask("TTL", "a") == .integer(60))
      #expect(try await client.ask("SET", "a", "8") == .ok)
      #expect(try await client.ask("TTL", "a") == .integer(-1), "SET takes it away")
      #expect(try await client.ask("EXPIRE", "a", "100") == .integer(1))
      #expect(try await client.ask("PERSIST", "a") == .integer(1))
      #expect(try await client.ask("PERSIST", "a") == .integer(0))
      #expect(try await client.ask("GETEX", "a", "EX", "50") == "8")
      #expect(try await client.ask("GETEX", "a") == "8")
      #expect(try await client.ask("TTL", "a") == .integer(50))
      #expect(try await client.ask("GETEX", "a", "PERSIST") == "8")
      #expect(try await client.ask("TTL", "a") == .integer(-1))
      #expect(try await client.ask("TTL", "nothing") == .integer(-2))
      #expect(try await client.ask("EXPIRE", "nothing", "10") == .integer(0))
      #expect(try await client.ask("GETEX", "nothing", "EX", "10") == .null)
    }
  }

  @Test("A key that has ended is absent to every command")
  func isGone() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      #expect(try await client.ask("PSETEX", "a", "1", "x") == .ok)
      #expect(try await client.ask("SETEX", "b", "100", "x") == .ok)
      #expect(try await client.ask("EXPIRE", "b", "-1") == .integer(1), "a time that has passed deletes")
      #expect(try await client.ask("SET", "c", "x", "EXAT", "1") == .ok)
      #expect(try await client.ask("SET", "d", "x") == .ok)
      #expect(try await client.ask("EXPIREAT", "d", "1") == .integer(1))
      while try await client.ask("GET", "a") != .null {}
      for key in ["a", "b", "c", "d"] {
        #expect(try await client.ask("GET", key) == .null)
        #expect(try await client.ask("EXISTS", key) == .integer(0))
        #expect(try await client.ask("STRLEN", key) == .integer(0))
        #expect(try await client.ask("TYPE", key) == .simple("none"))
        #expect(try await client.ask("TTL", key) == .integer(-2))
        #expect(try await client.ask("DEL", key) == .integer(0))
        #expect(try await client.ask("SET", key, "y", "XX") == .null)
      }
      #expect(try await client.ask("KEYS", "*") == .array([]))
      #expect(try await client.ask("SET", "a", "y", "NX", "EX", "10") == .ok)
      #expect(try await client.ask("APPEND", "b", "12") == .integer(2))
      #expect(try await client.ask("TTL", "b") == .integer(-1))
    }
  }

  @Test("NX, XX, GT and LT; a key that does not end counts as one that does so last")
  func conditions() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      _ = try await client.ask("SET", "a", "1")
      #expect(try await client.ask("EXPIRE", "a", "100", "XX") == .integer(0))
      #expect(try await client.ask("EXPIRE", "a", "100", "GT") == .integer(0))
      #expect(try await client.ask("EXPIRE", "a", "100", "LT") == .integer(1))
      #expect(try await client.ask("EXPIRE", "a", "200", "NX") == .integer(0))
      #expect(try await client.ask("EXPIRE", "a", "200", "LT") == .integer(0))
      #expect(try await client.ask("PEXPIRE", "a", "200000", "gt") == .integer(1))
      #expect(try await client.ask("EXPIRE", "a", "50", "XX", "LT") == .integer(1))
      #expect(try await client.ask("TTL", "a") == .integer(50))
      #expect(try await client.ask("PEXPIREAT", "a", "4102444800000") == .integer(1))
      #expect(try await client.ask("EXPIRETIME", "a") == .integer(4_102_444_800))
      #expect(try await client.ask("PEXPIRETIME", "a") == .integer(4_102_444_800_000))
    }
  }

  @Test(
    "Wrong times are refused as Redis refuses them",
    arguments: [
      ("SET a 1 EX 0", "ERR invalid expire time in 'set' command"),
      ("SET a 1 PX -5", "ERR invalid expire time in 'set' command"),
      ("SET a 1 EX 9223372036854775807", "ERR invalid expire time in 'set' command"),
      ("SET a 1 EX ten", "ERR value is not an integer or out of range"),
      ("SET a 1 EX", "ERR syntax error"), ("SET a 1 EX 10 PX 10", "ERR syntax error"),
      ("SET a 1 EX 10 KEEPTTL", "ERR syntax error"), ("SETEX a 0 1", "ERR invalid expire time in 'setex' command"),
      ("PSETEX a x 1", "ERR value is not an integer or out of range"),
      ("GETEX a EX 0", "ERR invalid expire time in 'getex' command"), ("GETEX a EX", "ERR syntax error"),
      ("GETEX a PERSIST EX 1", "ERR syntax error"), ("EXPIRE a 1.5", "ERR value is not an integer or out of range"),
      ("EXPIRE a 9223372036854775807", "ERR invalid expire time in 'expire' command"),
      ("EXPIRE a 10 NX GT", "ERR NX and XX, GT or LT options at the same time are not compatible"),
      ("EXPIRE a 10 GT LT", "ERR GT and LT options at the same time are not compatible"),
      ("EXPIRE a 10 ZZ", "ERR Unsupported option ZZ"),
      ("TTL", "ERR wrong number of arguments for 'ttl' command"),
    ])
  func refuses(line: String, text: String) async throws {
    try await TestServer.run { server in
      let client = try server.client()
      _ = try await client.ask("SET", "a", "old")
      try await client.send(RequestWriter.bytes(line.split(separator: " ").map { Array($0.utf8) }))
      #expect(try await client.reply() == .error(Array(text.utf8)))
      #expect(try await client.ask("GET", "a") == "old", "nothing was changed")
    }
  }
}
