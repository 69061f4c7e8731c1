import ClusterModel
import Testing

@testable import RedisCluster

@Suite struct KeySlotTests {
  @Test(
    "A key's slot is that of Redis",
    arguments: [
      ("", 0), ("123456789", 0x31C3), ("foo", 12_182), ("a", 15_495), ("hello", 866), ("{}", 15_257),
      ("{user1000}.following", 3_443), ("user1000", 3_443), ("foo{}{bar}", 8_363), ("foo{{bar}}zap", 4_015),
      ("{bar", 4_015),
      ("foo{bar}{zap}", 5_061), ("bar", 5_061), ("}{bar}", 5_061),
    ])
  func isRedis(key: String, slot: Int) { #expect(KeySlot.of(Array(key.utf8)) == slot) }
}

@Suite struct AddressTests {
  @Test("An address is a host and a port, also of IPv6, and nothing else")
  func reads() {
    #expect(Address("127.0.0.1:7001") == Address("127.0.0.1", 7_001))
    #expect(Address("[::1]:7001") == Address("::1", 7_001))
    #expect(Address("::1:7001") == Address("::1", 7_001))
    #expect(Address(":7001") == Address("", 7_001))
    #expect("\(Address("::1", 7_001))" == "[::1]:7001")
    for wrong in ["", "host", "host:", "host:0", "host:65536", "host:-1", "host:x"] { #expect(Address(wrong) == nil) }
  }
}

/// `CLUSTER NODES` of three masters and three replicas, as Redis 7.0.15 writes it.
let sixNodes = """
  df776daf2f1431d869b6b63fd17c203c69486f51 127.0.0.1:7103@17103 master - 0 1796050314439 3 connected 10923-16383
  3f82a17682f96dd8618842975e42a200f58bebbc 127.0.0.1:7101@17101 myself,master - 0 1796050314000 1 connected 0-5460
  6ae80933cc38fc409e9c8ae2dd57a57ec8627e16 127.0.0.1:7105@17105 slave 3f82a17682f96dd8618842975e42a200f58bebbc 0 1796050314037 1 connected
  36f9da8a6d91f8a645f80cd4092177718dcd3b0d 127.0.0.1:7106@17106 slave 695d6a62c021a3ea3378c7a0f459b7cbe48008b9 0 1796050314037 2 connected
  b6417842f7f4e8ac046dc4de2e0ebdcd2aec6783 127.0.0.1:7104@17104 slave df776daf2f1431d869b6b63fd17c203c69486f51 0 1796050314037 3 connected
  695d6a62c021a3ea3378c7a0f459b7cbe48008b9 127.0.0.1:7102@17102 master - 0 1796050314439 2 connected 5461-10922
  """

@Suite struct ClusterMapTests {
  static func map(_ text: String) throws -> ClusterMap { try ClusterMap(nodesText: text, host: "seed") }

  @Test("Masters, replicas and slots are read, in the order of names")
  func readsSix() throws {
    let map = try Self.map(sixNodes)
    #expect(map.nodes.map(\.address.port) == Array(7_101...7_106))
    #expect(map.masters.map(\.address.port) == [7_101, 7_102, 7_103])
    #expect(map.replicas(of: map.nodes[0].id).map(\.address.port) == [7_105])
    #expect(map.owner(ofSlot: 5_460)?.address.port == 7_101)
    #expect(map.owner(ofSlot: 5_461)?.address.port == 7_102)
    #expect(map.owner(ofSlot: 16_383)?.address.port == 7_103)
    #expect(map.orphanedSlots == 0 && map.epoch == 3 && !map.hasOpenSlots)
    #expect(map.nodes.allSatisfy(\.isLinked) && map.live.count == 6)
  }

  @Test("Open slots are told at both ends")
  func readsOpenSlots() throws {
    let map = try Self.map(
      """
      a1 10.0.0.1:1@11 myself,master - 0 0 1 connected 0-5 [3->-b2] [4-<-b2]
      b2 10.0.0.2:1@11 master - 0 0 2 connected 6
      """)
    #expect(
      map.nodes[0].openSlots == [
        .init(slot: 3, end: .migrating, other: "b2"), .init(slot: 4, end: .importing, other: "b2"),
      ])
    #expect(map.hasOpenSlots && map.nodes[1].slots == [6...6] && map.orphanedSlots == KeySlot.count - 7)
  }

  @Test("Hostnames, missing addresses, IPv6, old forms and flags are understood")
  func readsOddities() throws {
    let map = try Self.map(
      """
      a1 :7001@17001,host.example,shard-id=69bc myself,master - 0 0 1 connected 0-16383
      b2 ::1:7002@17002, slave,fail? a1 0 0 1 disconnected
      c3 10.1.1.1:7003 slave,fail a1 0 0 1 connected
      d4 :0@0 master,noaddr - 0 0 0 disconnected
      e5 10.1.1.2:7005@17005 handshake - 0 0 0 connected
      f6 10.1.1.3:7006@17006,,shard-id=aa master,nofailover - 0 0 4 connected
      """)
    func node(_ id: String) throws -> ClusterMap.Node { try #require(map.node(id)) }
    #expect(try node("a1").address == Address("seed", 7_001) && node("a1").name == "host.example:7001")
    #expect(try node("b2").name == "[::1]:7002" && !node("b2").isLinked && node("b2").flags.contains(.suspected))
    #expect(try node("c3").isFailed && node("c3").address == Address("10.1.1.1", 7_003))
    #expect(try !node("d4").isMember && !node("e5").isMember && node("f6").isMember && node("f6").hostname == nil)
    #expect(map.live.map(\.id).sorted() == ["a1", "b2", "f6"])
  }

  @Test(
    "What is no answer to CLUSTER NODES is refused, with the line",
    arguments: [
      "a1 10.0.0.1:1@11 master - 0 0 1", "a1 10.0.0.1 master - 0 0 1 connected", "a1 h:x@1 master - 0 0 1 connected",
      "a1 h:1@1 master - 0 0 one connected", "a1 h:1@1 master - 0 0 1 connected 5-4",
      "a1 h:1@1 master - 0 0 1 connected 16384", "a1 h:1@1 master - 0 0 1 connected [5->b2]",
      "a1 h:1@1 master - 0 0 1 connected 1-2-3", "ERR unknown",
    ])
  func refuses(line: String) {
    #expect(throws: ClusterMap.Malformed(line: line)) { try Self.map(line) }
  }

  @Test("A hundred nodes, 60 of them replicas, with scattered slots")
  func readsHundred() throws {
    var lines: [String] = []
    for node in 0..<100 {
      let id = String(repeating: "0", count: 37) + "\(1000 + node)".suffix(3)
      if node < 40 {
        let slots = (0..<KeySlot.count).filter { $0 % 40 == node }.map { "\($0)" }.joined(separator: " ")
        lines.append("\(id) 10.0.0.\(node):6379@16379,h\(node).example master - 0 0 \(node) connected \(slots)")
      } else {
        let master = String(repeating: "0", count: 37) + "\(1000 + node % 40)".suffix(3)
        lines.append("\(id) 10.0.0.\(node):6379@16379,h\(node).example slave \(master) 0 0 0 connected")
      }
    }
    let map = try Self.map(lines.joined(separator: "\r\n"))
    #expect(map.nodes.count == 100 && map.masters.count == 40 && map.orphanedSlots == 0)
    #expect(map.owner(ofSlot: 81)?.name == "h1.example:6379" && map.replicas(of: map.ownerID(ofSlot: 81)!).count == 2)
  }

  @Test("Maps agree when members, owners and epochs are the same, whoever tells them")
  func agrees() throws {
    let map = try Self.map(sixNodes)
    let other = try Self.map(
      sixNodes.replacing("myself,", with: "").replacing("7102@17102 master", with: "7102@17102 myself,master"))
    #expect(map.agrees(with: other))
    #expect(try !map.agrees(with: Self.map(sixNodes.replacing("3 connected 10923", with: "4 connected 10923"))))
    #expect(try !map.agrees(with: Self.map(sixNodes.replacing("10923-16383", with: "10924-16383"))))
  }
}

@Suite struct ClusterMapEventTests {
  private func words(_ before: String, _ after: String) throws -> [String] {
    let (old, new) = (try ClusterMapTests.map(before), try ClusterMapTests.map(after))
    return new.events(since: old).map { "\(ClusterEvent(sequence: 1, uptimeNs: 0, $0))" }
  }

  @Test("The same map, and the first one, tell nothing")
  func same() throws {
    #expect(try words(sixNodes, sixNodes).isEmpty)
    #expect(try words("", sixNodes).isEmpty)
  }

  @Test("A master fails, its replica takes over, and it is back as a replica")
  func failover() throws {
    let failed = sixNodes.replacing("7103@17103 master", with: "7103@17103 master,fail")
    #expect(
      try words(sixNodes, failed) == [
        "127.0.0.1:7103 is down, a majority of masters says; its slots are not served until a replica takes over"
      ])
    let takenOver = failed.replacing(" 3 connected 10923-16383", with: " 3 connected").replacing(
      "7104@17104 slave df776daf2f1431d869b6b63fd17c203c69486f51 0 1796050314037 3 connected",
      with: "7104@17104 master - 0 1796050314037 4 connected 10923-16383")
    #expect(
      try words(failed, takenOver) == [
        "127.0.0.1:7104 took over from 127.0.0.1:7103 (epoch 4): of what that one had acknowledged last, some may be lost"
      ])
    let back = takenOver.replacing(
      "7103@17103 master,fail -", with: "7103@17103 slave b6417842f7f4e8ac046dc4de2e0ebdcd2aec6783")
    #expect(try words(takenOver, back) == ["127.0.0.1:7103 is back as a replica of 127.0.0.1:7104"])
  }

  @Test("Nodes come and go, slots move, lose their owner and find one")
  func members() throws {
    let seven = sixNodes + "\n77 127.0.0.1:7107@17107 master - 0 0 7 connected"
    #expect(try words(sixNodes, seven) == ["127.0.0.1:7107 is a member of the cluster now"])
    #expect(try words(seven, sixNodes) == ["127.0.0.1:7107 is no member of the cluster any more"])
    let moved = seven.replacing("connected 0-5460", with: "connected 10-5460")
      .replacing("7 connected", with: "7 connected 0-9")
    #expect(try words(seven, moved) == ["10 slots moved from 127.0.0.1:7101 to 127.0.0.1:7107"])
    let orphaned = seven.replacing("connected 0-5460", with: "connected 1-5460")
    #expect(try words(seven, orphaned) == ["1 slot has no owner"])
    #expect(try words(orphaned, seven) == ["every slot has an owner again"])
  }

  @Test("A replica gets another master")
  func replicates() throws {
    let other = sixNodes.replacing(
      "7106@17106 slave 695d6a62c021a3ea3378c7a0f459b7cbe48008b9",
      with: "7106@17106 slave 3f82a17682f96dd8618842975e42a200f58bebbc")
    #expect(try words(sixNodes, other) == ["127.0.0.1:7106 is a replica of 127.0.0.1:7101 now"])
  }
}
