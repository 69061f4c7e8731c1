import KVCluster
import Testing

@testable import KVSimulator

@Suite struct FaultAtlasTests {
  private let path = "node1.wal/000000000001.segment"

  private func disk() -> SimulatedDisk {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1))
    disk.put(path, [1, 2, 3, 4])
    return disk
  }

  @Test("A flipped byte wounds a node until other bytes are in its place")
  func flipHeals() {
    let disk = disk()
    let atlas = FaultAtlas()
    disk.flip(path, at: 2, mask: 1)
    atlas.noteFlip(at: "node1", path, 2, disk)
    #expect(atlas.isWounded("node1", disk, isRebuilt: true))
    #expect(!atlas.isWounded("node2", disk, isRebuilt: true))
    disk.flip(path, at: 2, mask: 1)
    #expect(!atlas.isWounded("node1", disk, isRebuilt: true))
  }

  @Test("A flipped byte is gone with its segment")
  func flipGoes() {
    let disk = disk()
    let atlas = FaultAtlas()
    disk.flip(path, at: 0, mask: 128)
    atlas.noteFlip(at: "node1", path, 0, disk)
    disk.put(path, nil)
    #expect(!atlas.isWounded("node1", disk, isRebuilt: true))
  }

  @Test("A loss wounds a node until it has been rebuilt")
  func lossHeals() {
    let disk = disk()
    let atlas = FaultAtlas()
    atlas.noteLoss(at: "node1")
    #expect(atlas.isWounded("node1", disk, isRebuilt: false))
    #expect(!atlas.isWounded("node1", disk, isRebuilt: true))
    #expect(!atlas.isWounded("node1", disk, isRebuilt: true))
  }
}
