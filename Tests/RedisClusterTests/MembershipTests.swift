import ClusterModel
import Foundation
import RESP
import Synchronization
import Testing

@testable import RedisCluster

@Suite(.serialized, .enabled(if: RealServers.areInstalled, RealServers.missing))
struct MembershipTests {
  /// Keys that are loaded before a change; some of them long.
  private static let keyCount = 2_000

  /// The last has 600 slots less than its share: it is a member whose joining was cut off.
  private static let uneven = [4_296, 4_296, 4_296, 3_496]

  private static func value(_ key: Int) -> String {
    key % 200 == 0 ? String(repeating: "\(key % 10)", count: 1 << 20) : "value\(key)"
  }

  private func fill(_ backend: RedisBackend) async throws {
    for key in 0..<Self.keyCount { try await backend.put("key\(key)", Self.value(key)) }
  }

  /// Every key is there once, at the master that owns its slot.
  private func check(_ backend: RedisBackend) async throws {
    for key in 0..<Self.keyCount { #expect(try await backend.value("key\(key)") == Self.value(key), "key\(key)") }
    var count = 0
    for master in backend.watcher.view.map.masters {
      if case .integer(let keys) = try await backend.tell(master.address, "DBSIZE") { count += keys }
    }
    let page = try await backend.scan(prefix: [], from: nil, limit: 100_000)
    #expect(count == page.keys.count)
    checkByTool(backend.watcher.view.map.live[0].address)
  }

  /// What Redis's own tool says, where it is installed.
  private func checkByTool(_ address: Address) {
    let tool = Process()
    tool.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/redis-cli") else { return }
    tool.arguments = ["--cluster", "check", "\(address)"]
    let output = Pipe()
    tool.standardOutput = output
    guard (try? tool.run()) != nil else { return }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    tool.waitUntilExit()
    #expect(tool.terminationStatus == 0, "\(text)")
    #expect(
      text.contains("All nodes agree about slots configuration") && text.contains("All 16384 slots covered"), "\(text)")
  }

  private final class Load: Sendable {
    let isOver = Atomic(false)
  }

  /// Writes counters while a change is under way; at the end each has its last value.
  private func underLoad(_ backend: RedisBackend, _ body: () async throws -> Void) async throws {
    let load = Load()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<4 {
        group.addTask {
          var last: [String: String] = [:]
          var round = 0
          while !load.isOver.load(ordering: .relaxed) {
            round += 1
            let key = "load\(client):\(round % 300)"
            try await backend.put(key, "\(round)")
            last[key] = "\(round)"
            let read = try await backend.value(key)
            #expect(read == last[key])
            try await Task.sleep(for: .milliseconds(2))
          }
          for (key, value) in last { #expect(try await backend.value(key) == value, "\(key)") }
          #expect(round > 10)
        }
      }
      defer { load.isOver.store(true, ordering: .relaxed) }
      try await body()
    }
  }

  @Test("A server joins under load: nothing is lost or doubled, and Redis's own check is content")
  func joins() async throws {
    try await RealServers.cluster { demo, backend in
      try await fill(backend)
      let address = try await demo.startAnother()
      try await underLoad(backend) { try await backend.perform(.addNode("\(address)")) }
      #expect(backend.status().nodes.first { $0.name == "\(address)" }?.share == 0.25)
      try await check(backend)
      #expect(backend.status().change == nil && backend.status().ring.nextArcs.isEmpty)
      #expect(backend.texts.contains { $0.hasPrefix("\(address) joined: ") })
    }
  }

  @Test("A master leaves under load: its keys and its replica go to others, and nobody knows it any more")
  func leaves() async throws {
    try await RealServers.cluster([7_992, 7_992, 400]) { demo, backend in
      try await fill(backend)
      let leaver = try #require(backend.watcher.view.map.masters.last)
      let replica = try #require(backend.watcher.view.map.replicas(of: leaver.id).first)
      try await underLoad(backend) { try await backend.perform(.removeNode(leaver.name)) }
      for node in backend.watcher.view.map.nodes {
        let reply = try await backend.tell(node.address, "CLUSTER", "NODES")
        let map = try ClusterMap(nodesText: reply.text ?? "", host: "")
        #expect(map.node(leaver.id) == nil && map.orphanedSlots == 0 && map.nodes.count == 5)
        #expect(map.node(replica.id)?.masterID.flatMap(map.node)?.isMaster == true)
      }
      try await RealServers.eventually("all is well") { backend.status().health == .healthy }
      try await check(backend)

      let other = try #require(backend.watcher.view.map.nodes.first { !$0.isMaster })
      try await backend.perform(.removeNode(other.name))
      #expect(backend.watcher.view.map.nodes.count == 4)
    }
  }

  @Test("A change is paused, goes on, is cancelled, and goes on where it was")
  func isSteered() async throws {
    try await RealServers.cluster(Self.uneven) { demo, backend in
      try await fill(backend)
      let address = try #require(backend.watcher.view.map.masters.last).address
      let change = Task { try await backend.perform(.addNode("\(address)")) }
      try await RealServers.eventually("slots move") { backend.status().change?.fraction ?? 0 > 0.02 }
      #expect(backend.status().nodes.first { $0.name == "\(address)" }?.state == .joining)
      #expect(!backend.status().ring.nextArcs.isEmpty)
      await #expect(throws: ClusterError.self) { try await backend.perform(.removeNode(demo.seed.description)) }
      try await backend.perform(.steer(.pause))
      try await RealServers.eventually("it pauses") { backend.status().change?.waitingFor?.advice == [.steer(.resume)] }
      let paused = try #require(backend.status().change)
      try await Task.sleep(for: .milliseconds(300))
      #expect(backend.status().change?.fraction == paused.fraction)
      #expect(!backend.watcher.view.map.hasOpenSlots)
      try await backend.perform(.steer(.resume))
      try await RealServers.eventually("it goes on") { backend.status().change?.fraction ?? 0 > paused.fraction }
      try await backend.perform(.steer(.cancel))
      let error = await #expect(throws: ClusterError.self) { try await change.value }
      #expect(error?.description.hasPrefix("cancelled: ") == true)
      #expect(backend.status().change == nil)
      await #expect(throws: ClusterError.self) { try await backend.perform(.steer(.pause)) }
      try await check(backend)
      try await backend.perform(.addNode("\(address)"))
      try await check(backend)
      try await RealServers.eventually("it has its share") {
        backend.status().nodes.first { $0.name == "\(address)" }?.share == 0.25
      }
    }
  }

  @Test("A mover that dies leaves an open slot at worst; the next one says so, and finishes it, undoes it, or goes on")
  func isResumed() async throws {
    try await RealServers.cluster(Self.uneven) { demo, backend in
      try await fill(backend)
      let address = try #require(backend.watcher.view.map.masters.last).address
      for round in 0..<3 {
        let mover = try await RedisBackend.connect(.init(seed: demo.seed))
        let change = Task { try await mover.perform(.addNode("\(address)")) }
        try await RealServers.eventually("slots move") { mover.status().change?.fraction ?? 0 > 0.1 }
        mover.breakOff()
        _ = await change.result
        let next = try await RedisBackend.connect(.init(seed: demo.seed))
        defer { next.breakOff() }
        if next.watcher.view.map.hasOpenSlots {
          #expect(next.events(after: 0).contains { $0.advice == [.steer(.finish), .steer(.undo)] })
          if round < 2 { try await next.perform(.steer(round == 0 ? .finish : .undo)) }
          await next.watcher.lookAtMap()
          #expect(next.watcher.view.map.hasOpenSlots == (round == 2))
        }
      }
      await backend.watcher.lookAtMap()
      try await backend.perform(.addNode("\(address)"))
      try await check(backend)
    }
  }

  @Test("A slot that was left open is moved back with its keys, or on")
  func closesOpenSlots() async throws {
    try await RealServers.cluster { demo, backend in
      let map = backend.watcher.view.map
      let (source, target) = (map.masters[0], map.masters[1])
      let slot = source.slots[0].lowerBound
      let keys = (0..<200_000).lazy.map { "k\($0)" }.filter { KeySlot.of(Array($0.utf8)) == slot }.prefix(5)
      for key in keys { try await backend.put(key, key) }
      for order in [ChangeSteering.undo, .finish] {
        try await backend.tell(target.address, "CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", source.id)
        try await backend.tell(source.address, "CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", target.id)
        try await backend.tell(
          source.address, "MIGRATE", target.address.host, "\(target.address.port)", try #require(keys.first), "0",
          "5000")
        try await backend.perform(.steer(order))
        for key in keys { #expect(try await backend.value(key) == key) }
        await backend.watcher.lookAtMap()
        #expect(!backend.watcher.view.map.hasOpenSlots)
        #expect(backend.watcher.view.map.ownerID(ofSlot: slot) == (order == .undo ? source.id : target.id))
      }
      await #expect(throws: ClusterError.self) { try await backend.perform(.steer(.finish)) }
    }
  }

  @Test("A slot that is open between any two nodes is known, and who may have its keys does not leave")
  func knowsAllOpenSlots() async throws {
    try await RealServers.cluster { demo, backend in
      let masters = backend.watcher.view.map.masters
      // Whichever node is asked for the map, one pair is of two others.
      for (source, target) in zip(masters, masters[1...] + masters[..<1]) {
        let slot = source.slots[0].lowerBound
        let keys = (0..<200_000).lazy.map { "k\($0)" }.filter { KeySlot.of(Array($0.utf8)) == slot }.prefix(3)
        for key in keys { try await backend.put(key, key) }
        try await backend.tell(target.address, "CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", source.id)
        try await backend.tell(source.address, "CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", target.id)
        try await backend.tell(
          source.address, "MIGRATE", target.address.host, "\(target.address.port)", try #require(keys.first), "0",
          "5000")
        await backend.watcher.lookAtMap()
        #expect(SlotPlan.open(backend.watcher.view.map) == [SlotMove(slot: slot, source: source.id, target: target.id)])
        do {
          try await backend.perform(.removeNode(target.name))
          Issue.record("\(target.name) left, and had a key of slot \(slot)")
        } catch {
          #expect((error as? ClusterError)?.advice == [.steer(.finish), .steer(.undo)], "\(error)")
        }
        try await backend.perform(.steer(.undo))
        for key in keys { #expect(try await backend.value(key) == key) }
      }
    }
  }

  @Test("A replica takes over in step with its master, and nothing is lost")
  func failsOver() async throws {
    try await RealServers.cluster { demo, backend in
      let master = try #require(backend.watcher.view.map.masters.first)
      let replica = try #require(backend.watcher.view.map.replicas(of: master.id).first)
      try await underLoad(backend) {
        try await Task.sleep(for: .milliseconds(500))
        try await backend.perform(.failOver(master.name))
      }
      #expect(backend.watcher.view.map.node(replica.id)?.isMaster == true)
      try await RealServers.eventually("the former master is its replica") {
        backend.watcher.view.map.node(master.id)?.masterID == replica.id
      }
    }
  }

  @Test("What cannot be a member, or cannot leave, is refused, and nothing is changed")
  func refuses() async throws {
    try await RealServers.cluster { demo, backend in
      let before = backend.watcher.view.map
      for name in ["node4", "192.0.2.1:7000", before.nodes.first { !$0.isMaster }!.name] {
        await #expect(throws: ClusterError.self) { try await backend.perform(.addNode(name)) }
      }
      await #expect(throws: ClusterError.self) { try await backend.perform(.removeNode("node4")) }
      let single = try await demo.startAnother()
      try await backend.tell(single, "CLUSTER", "ADDSLOTS", "1")
      await #expect(throws: ClusterError.self) { try await backend.perform(.addNode("\(single)")) }
      #expect(before.agrees(with: backend.watcher.view.map))
    }
  }
}
