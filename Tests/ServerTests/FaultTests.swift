import KVCluster
import RESP
import Testing

@testable import Server

/// What clients are told while the cluster cannot do what it should.
@Suite struct FaultTests {
  @Test("Without a quorum writes and reads are refused by name, and served again once there is one")
  func noQuorum() async throws {
    try await TestServer.run { server in
      let client = try server.client()
      #expect(try await client.ask("SET", "a", "1") == .ok)
      try await server.cluster.kill("node1")
      #expect(try await client.ask("GET", "a") == "1")
      try await server.cluster.kill("node2")
      let refused = try #require(try await client.ask("SET", "a", "2").text)
      #expect(refused.hasPrefix("NOQUORUM unavailable: 2 of the key's 3 owners must answer, 1 can"))
      #expect(try await client.ask("GET", "a").text?.hasPrefix("NOQUORUM") == true)
      #expect(try await client.ask("MGET", "a", "b").text?.hasPrefix("NOQUORUM") == true)
      #expect(try await client.ask("PING") == .simple("PONG"))
      try await server.cluster.restart("node1")
      #expect(try await client.ask("GET", "a") == "1")
    }
  }

  @Test("While links are faulty, commands of a pipeline still come one after another, and every kind works")
  func faultyLinks() async throws {
    try await TestServer.run(fsync: .everysec) { server in
      let client = try server.client()
      try server.cluster.slow("node1", byNs: 3_000_000)
      var sent: [UInt8] = []
      for i in 0..<20 { sent += RequestWriter.bytes("SET", "a", "\(i)") + RequestWriter.bytes("GET", "a") }
      try await client.send(sent)
      for i in 0..<20 {
        #expect(try await client.reply() == .ok)
        #expect(try await client.reply() == .bulk(Array("\(i)".utf8)))
      }
      #expect(try await client.ask("MGET", "a", "b") == .array(["19", .null]))
      #expect(try await client.ask("EXISTS", "a", "b", "a") == 2)
      #expect(try await client.ask("GETRANGE", "a", "0", "0") == "1")
      #expect(try await client.ask("STRLEN", "a") == 2)
      #expect(try await client.ask("TYPE", "a") == .simple("string"))
      #expect(try await client.ask("DEL", "a", "b", "a") == 1)
      server.cluster.heal()
      #expect(try await client.ask("EXISTS", "a") == 0)
    }
  }

  @Test("A write that too few owners confirm in time is indeterminate, and other clients do not wait for it")
  func indeterminate() async throws {
    try await TestServer.run(fsync: .everysec) { server in
      let (client, other) = (try server.client(), try server.client())
      try server.cluster.pause("node1")
      try server.cluster.pause("node2")
      try await client.send(RequestWriter.bytes("SET", "a", "1"))
      #expect(try await other.ask("PING") == .simple("PONG"))
      #expect(try await client.reply().text?.hasPrefix("INDETERMINATE") == true)
      try server.cluster.resume("node1")
      try server.cluster.resume("node2")
      #expect(try await client.ask("SET", "a", "2") == .ok)
      #expect(try await client.ask("GET", "a") == "2")
    }
  }

  @Test("A closed cluster is told, not a lost connection")
  func closed() async throws {
    try await TestServer.run(fsync: .never) { server in
      let client = try server.client()
      await server.cluster.close()
      #expect(try await client.ask("GET", "a").text?.hasPrefix("LOADING") == true)
      #expect(try await client.ask("SET", "a", "1").text?.hasPrefix("LOADING") == true)
    }
  }
}
