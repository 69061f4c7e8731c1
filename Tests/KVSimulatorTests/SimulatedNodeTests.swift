import KVCluster
import Testing

@testable import KVSimulator

@Suite struct SimulatedNodeTests {
  @Test("While the disk does not come back from a sync, no answer goes out; then all do")
  func waitsForDisk() throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1))
    let node = try SimulatedNode(name: "node1", clusterID: 7, disk: disk)
    disk.holdsSyncs = true
    let tag = KVCluster.Tag(counter: 1, coordinator: 0)
    let write = Message.write(operation: 1, kind: .value, key: Array("a".utf8), value: [1], tag: tag)
    #expect(try node.handle(write, from: 1) == nil)
    #expect(try node.handle(.read(operation: 2, key: Array("a".utf8)), from: 2) == nil)
    #expect(try node.sync().isEmpty)
    disk.holdsSyncs = false
    #expect(try node.sync().map(\.client) == [1, 2])
  }
}
