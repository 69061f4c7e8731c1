import KVCluster
import RESP
import Testing

@testable import Server

/// Commands that read a key and write it in one step, over a real socket.
@Suite struct UpdateTests {
  @Test("Counters, appends and conditional writes, under each policy", arguments: FsyncPolicy.allCases)
  func answers(fsync: FsyncPolicy) async throws {
    try await TestServer.run(fsync: fsync) { server in
      let client = try server.client()
      #expect(try await client.ask("INCR", "n") == 1)
      #expect(try await client.ask("INCRBY", "n", "41") == 42)
      #expect(try await client.ask("DECR", "n") == 41)
      #expect(try await client.ask("DECRBY", "n", "-9") == 50)
      #expect(try await client.ask("GET", "n") == "50")
      #expect(try await client.ask("APPEND", "n", "0") == 3)
      #expect(try await client.ask("APPEND", "new", "") == 0)
      #expect(try await client.ask("EXISTS", "new") == 1)
      #expect(try await client.ask("SETRANGE", "n", "5", "x") == 6)
      #expect(try await client.ask("GET", "n") == "500\0\0x")
      #expect(try await client.ask("SETRANGE", "none", "5", "") == 0)
      #expect(try await client.ask("SETRANGE", "none", "\(Int.max)", "") == 0)
      #expect(try await client.ask("EXISTS", "none") == 0)
      #expect(try await client.ask("SETNX", "lock", "a") == 1)
      #expect(try await client.ask("SETNX", "lock", "b") == 0)
      #expect(try await client.ask("SET", "lock", "c", "NX") == .null)
      #expect(try await client.ask("SET", "lock", "d", "xx") == .ok)
      #expect(try await client.ask("SET", "lock", "e", "GET") == "d")
      #expect(try await client.ask("SET", "none", "e", "XX", "GET") == .null)
      #expect(try await client.ask("SET", "lock2", "e", "NX", "GET") == .null)
      #expect(try await client.ask("GETSET", "lock2", "f") == "e")
      #expect(try await client.ask("GETDEL", "lock2") == "f")
      #expect(try await client.ask("GETDEL", "lock2") == .null)
      #expect(try await client.ask("DEL", "lock", "lock", "lock2", "n") == 2)
      #expect(try await client.ask("INCR", "lock") == 1)
    }
  }

  @Test("Every command is counted")
  func countsFit() { #expect(CommandID.allCases.count <= ServerCounters().calls.count) }

  @Test("What is no number, too large or a word out of place is refused, and nothing is changed")
  func refusals() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      #expect(try await client.ask("SET", "text", "abc") == .ok)
      #expect(try await client.ask("INCR", "text") == .error("ERR value is not an integer or out of range"))
      #expect(try await client.ask("INCRBY", "text", "1.5") == .error("ERR value is not an integer or out of range"))
      #expect(try await client.ask("SET", "max", "\(Int.max)") == .ok)
      #expect(try await client.ask("INCR", "max") == .error("ERR increment or decrement would overflow"))
      #expect(try await client.ask("DECRBY", "max", "\(Int.min)") == .error("ERR decrement would overflow"))
      #expect(try await client.ask("SET", "text", "x", "NX", "XX") == .error("ERR syntax error"))
      guard case .error = try await client.ask("SETRANGE", "text", "\(Int.max)", "x") else {
        Issue.record("a value has no room for that")
        return
      }
      #expect(try await client.ask("SETRANGE", "text", "-1", "x") == .error("ERR offset is out of range"))
      #expect(try await client.ask("GET", "text") == "abc")
      #expect(try await client.ask("GET", "max") == .bulk(Array("\(Int.max)".utf8)))
    }
  }

  @Test("Increments of many clients add up, while links lose messages as well", arguments: [false, true])
  func increments(isLossy: Bool) async throws {
    try await TestServer.run { server in
      if isLossy { try server.cluster.drop("node2", perMille: 200) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let client = try server.client()
            for _ in 0..<25 {
              guard case .integer = try await client.ask("INCR", "n") else { throw ClusterError.refused("not added") }
            }
          }
        }
        try await group.waitForAll()
      }
      server.cluster.heal()
      #expect(try await server.client().ask("GET", "n") == "200")
    }
  }
}
