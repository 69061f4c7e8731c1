import ClusterModel
import Glibc
import RESP
import Testing

@testable import RedisCluster

@Suite(.serialized, .enabled(if: RealServers.areInstalled, RealServers.missing))
struct RedisBackendTests {
  @Test("Keys of all slots are put, read, listed in pages and deleted, and the status is what the servers say")
  func operates() async throws {
    try await RealServers.cluster { demo, backend in
      for key in 0..<500 { try await backend.put("key\(key)", "value\(key)") }
      try await backend.put("other*[x]", "odd")
      for key in 0..<500 { #expect(try await backend.value("key\(key)") == "value\(key)") }
      #expect(try await backend.value("nothing") == nil)

      var keys: [[UInt8]] = []
      var cursor: ScanCursor?
      repeat {
        let page = try await backend.scan(prefix: Array("key".utf8), from: cursor, limit: 70)
        #expect(page.keys.count <= 70 && page.keys == page.keys.sorted { $0.lexicographicallyPrecedes($1) })
        keys += page.keys
        cursor = page.next
      } while cursor != nil
      #expect(keys.count == 500 && Set(keys).count == 500)
      #expect(try await backend.scan(prefix: Array("other*[".utf8), from: nil, limit: 9).keys.count == 1)

      #expect(try await backend.delete(Array("key7".utf8), WriteOptions()))
      #expect(try await !backend.delete(Array("key7".utf8), WriteOptions()))
      #expect(try await backend.value("key7") == nil)

      try await RealServers.eventually("the servers' keys are counted") { backend.status().keys == 500 }
      let status = backend.status()
      #expect(status.health == .healthy && status.nodes.count == 6 && status.guarantee == .eventual)
      #expect(status.nodes.count { $0.role == .master(replicas: 1) } == 3)
      #expect(status.fsync == .everysec && status.quorum == nil && status.hintsDropped == nil)
      #expect(status.nodes.allSatisfy { $0.wal?.bytes ?? 0 > 0 && $0.wal?.syncs == nil && $0.tombstones == nil })
      #expect(status.ring.slotCount == 16_384 && status.ring.arcs.count == 3)
      try await RealServers.eventually("operations are counted") {
        let status = backend.status()
        return status.operations?.writes == 503 && status.operations?.reads == 502
          && status.latencies?.writes.count == 503
      }
      for key in ["a", "key1", "{key1}x"] {
        let words = try await backend.tell(demo.seed, "CLUSTER", "KEYSLOT", key)
        let place = backend.place(of: Array(key.utf8))
        #expect(words == .integer(place.slot) && place.owners.count == 2)
      }
    }
  }

  @Test("Values are replaced, counted up, appended to and taken by the servers' own commands")
  func updates() async throws {
    let old = Array("-21".utf8)
    let steps: [(KeyUpdate, KeyUpdateResult)] = [
      (.increment(by: 5), .sum(5)), (.increment(by: -7), .sum(-2)), (.append([0x31]), .length(3)),
      (.compareAndSet(expected: [0x31], value: [9]), .differs(old)),
      (.compareAndSet(expected: nil, value: [9]), .differs(old)),
      (.compareAndSet(expected: old, value: [0, 0x0D, 0xFF]), .swapped), (.take, .taken([0, 0x0D, 0xFF])),
      (.take, .taken(nil)), (.compareAndSet(expected: old, value: [9]), .differs(nil)),
      (.compareAndSet(expected: nil, value: []), .swapped), (.timeToLive, .timeToLive(.unlimited)),
      (.persist, .timeToLive(.unlimited)), (.take, .taken([])), (.timeToLive, .timeToLive(.noKey)),
      (.persist, .timeToLive(.noKey)), (.expire(.after(milliseconds: 10)), .timeToLive(.noKey)),
    ]
    try await RealServers.cluster { _, backend in
      for number in 0..<20 {
        for (update, expected) in steps {
          let result = try await backend.update(Array("key\(number)".utf8), update)
          #expect(result == expected, "\(update)")
        }
      }
      try await backend.put("word", "ten")
      await #expect(throws: ClusterError.self) { try await backend.update(Array("word".utf8), .increment(by: 1)) }
    }
  }

  @Test("An operation finds its key with a map that is old, and while its slot is being moved")
  func follows() async throws {
    try await RealServers.cluster { demo, backend in
      let map = backend.watcher.view.map
      let key = "moving"
      let slot = KeySlot.of(Array(key.utf8))
      let source = try #require(map.owner(ofSlot: slot))
      let target = try #require(map.masters.first { $0.id != source.id })
      try await backend.put(key, "1")

      var wrong = map
      wrong.move(slot: slot, to: target.id)
      backend.router.take(wrong)
      #expect(try await backend.value(key) == "1")

      try await backend.tell(target.address, "CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", source.id)
      try await backend.tell(source.address, "CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", target.id)
      #expect(try await backend.value(key) == "1")
      let moved = try await backend.tell(
        source.address, "MIGRATE", target.address.host, "\(target.address.port)", key, "0", "5000")
      #expect(moved == .simple(Array("OK".utf8)))
      #expect(try await backend.value(key) == "1")
      try await backend.put(key, "2")
      try await backend.put("{moving}new", "3")
      try await RealServers.eventually("the open slot is seen") { !backend.status().ring.nextArcs.isEmpty }
      for node in [target, source] {
        try await backend.tell(node.address, "CLUSTER", "SETSLOT", "\(slot)", "NODE", target.id)
      }
      #expect(try await backend.value(key) == "2")
      #expect(try await backend.value("{moving}new") == "3")
      try await RealServers.eventually("the move is told") {
        backend.texts.contains("1 slot moved from \(source.name) to \(target.name)")
      }
    }
  }

  @Test("A master is killed: its slots are served again after the failover, and it comes back as a replica")
  func failsOver() async throws {
    try await RealServers.cluster { demo, backend in
      let before = backend.status()
      let master = try #require(backend.watcher.view.map.masters.first)
      // A key of the master that dies.
      let key = try #require(
        (0..<100).map { "k\($0)" }.first { key in
          backend.watcher.view.map.owner(ofSlot: KeySlot.of(Array(key.utf8)))?.id == master.id
        })
      try await backend.put(key, "before")
      try await backend.perform(.kill(master.name))
      try await RealServers.eventually("the failover is over") { (try? await backend.put(key, "after")) != nil }
      #expect(try await backend.value(key) == "after")
      try await RealServers.eventually("it is told") {
        backend.texts.contains { $0.contains("took over from \(master.name)") }
      }
      #expect(backend.status().nodes.first { $0.name == master.name }?.state.isDown == true)
      try await RealServers.eventually("the others serve") { backend.status().health == .degraded }
      try await backend.perform(.restart(master.name))
      try await RealServers.eventually("all is well") { backend.status().health == .healthy }
      try await RealServers.eventually("it copies the new master") {
        if case .replica(_, let lag)? = backend.status().nodes.first(where: { $0.name == master.name })?.role {
          return lag.isLinked == true
        }
        return false
      }
      #expect(backend.status().nodes.map(\.id) == before.nodes.map(\.id))
      await #expect(throws: ClusterError.self) { try await backend.perform(.restart(master.name)) }
      await #expect(throws: ClusterError.self) { try await backend.perform(.kill("node1")) }
    }
  }

  @Test("A server that holds still is told as such, and the others are watched on")
  func holdsStill() async throws {
    try await RealServers.cluster { demo, backend in
      let replica = try #require(backend.watcher.view.map.nodes.first { !$0.isMaster })
      demo.processes.signal(replica.address, SIGSTOP)
      try await RealServers.eventually("it is told") {
        backend.status().nodes.first { $0.name == replica.name }?.state.isDown == true
      }
      try await backend.put("a", "1")
      #expect(backend.status().nodes.count(where: \.state.isServing) == 5)
      demo.processes.signal(replica.address, SIGCONT)
      try await RealServers.eventually("it is back") { backend.status().health == .healthy }
    }
  }

  @Test("One Redis that is no cluster is watched as one node that owns everything")
  func single() async throws {
    try await RealServers.single([]) { address in
      let backend = try await RedisBackend.connect(.init(seed: address))
      defer { backend.breakOff() }
      try await backend.put("a", "1")
      #expect(try await backend.value("a") == "1")
      let status = backend.status()
      #expect(status.nodes.count == 1 && status.epoch == nil && status.health == .healthy)
      #expect(status.fsync == nil && status.nodes[0].wal == nil && status.engine?.hasPrefix("Redis ") == true)
      #expect(backend.place(of: [1]).owners == [status.nodes[0].id])
      #expect(try await backend.scan(prefix: [], from: nil, limit: 5).keys == [Array("a".utf8)])
      #expect(!backend.capabilities.has(.nodeControl))
      await #expect(throws: ClusterError.unsupported(.nodeControl)) { try await backend.perform(.kill("x")) }
    }
  }

  @Test("A password that is missing or wrong is told, and the right one lets in")
  func passwords() async throws {
    try await RealServers.single(["--requirepass", "secret"]) { address in
      func words(_ password: String?) async -> String {
        let credentials = password.map { Credentials(user: nil, password: Array($0.utf8)) }
        do throws(ClusterError) {
          try await RedisBackend.connect(.init(seed: address, credentials: credentials)).breakOff()
          return "in"
        } catch {
          return error.description
        }
      }
      #expect(await words(nil).contains("wants a password"))
      #expect(await words("wrong").contains("does not accept the password"))
      #expect(await words("secret") == "in")
    }
  }

  @Test("A user without rights gets a picture with empty panels, and the missing rights are named")
  func rights() async throws {
    let rights = ["--cluster-enabled", "yes", "--user", "few", "on", ">pw", "~*", "+cluster|nodes", "+get", "+ping"]
    try await RealServers.single(rights) { address in
      let credentials = Credentials(user: "few", password: Array("pw".utf8))
      let backend = try await RedisBackend.connect(.init(seed: address, credentials: credentials))
      defer { backend.breakOff() }
      let status = backend.status()
      #expect(status.nodes.count == 1 && status.nodes[0].keys == nil && status.nodes[0].cache == nil)
      #expect(status.operations == nil && status.latencies == nil && status.fsync == nil)
      for right in ["+info", "+command", "+config|get", "+cluster|info"] {
        #expect(backend.texts.contains { $0.hasSuffix("the right is \(right)") }, "\(backend.texts)")
      }
      await #expect(throws: ClusterError.self) { try await backend.put("a", "1") }
    }
  }

  @Test("Nodes behind other addresses are reached through the addresses that are given for them")
  func detours() async throws {
    try await RealServers.single([]) { address in
      let outside = Address("redis.example", 1_234)
      let backend = try await RedisBackend.connect(.init(seed: outside, detours: [outside: address]))
      defer { backend.breakOff() }
      try await backend.put("a", "1")
      #expect(backend.status().nodes.map(\.name) == ["redis.example:1234"])
    }
  }

  @Test("Where nobody listens, that is said at once")
  func unreachable() async {
    let start = ContinuousClock.now
    let error = await #expect(throws: ClusterError.self) {
      try await RedisBackend.connect(.init(seed: Address("127.0.0.1", 6_991)))
    }
    #expect(error?.description == "cannot connect to 127.0.0.1:6991: Connection refused")
    #expect(ContinuousClock.now - start < .seconds(3))
  }
}
