import Foundation
import Glibc
import Testing

@testable import KVCluster

/// Space that dead records take on a real disk.
@Suite struct SpaceTests {
  @Test("A compaction on request leaves little more than what is live, and everything reads back")
  func compactsOnRequest() async throws {
    let fixture = try ClusterFixture()
    var cluster = try await fixture.open { $0.segmentBytes = 4 << 20 }
    let value = [UInt8](repeating: 7, count: 1_000)
    for i in 0..<9_000 { try await cluster.put(Array("key\(i)".utf8), value) }
    for i in 0..<9_000 where i % 90 > 0 { _ = try await cluster.delete(Array("key\(i)".utf8)) }
    let one = try await cluster.compact("node2")
    #expect(one.nodes == 1 && one.bytesAfter < one.bytesBefore)
    let all = try await cluster.compact()
    #expect(all.nodes == 3 && all.bytesAfter < 8 << 20, "\(all)")
    await #expect(throws: ClusterError.self) { try await cluster.compact("node9") }
    try await cluster.kill("node3")
    await #expect(throws: ClusterError.self) { try await cluster.compact("node3") }
    await cluster.close()
    let bytes = try fixture.bytesOnDisk()
    #expect(bytes < 8 << 20, "\(bytes) bytes")
    cluster = try await fixture.open { $0.segmentBytes = 4 << 20 }
    for i in 0..<9_000 {
      #expect(try await cluster.get(Array("key\(i)".utf8)) == (i % 90 > 0 ? nil : value))
    }
    await cluster.close()
  }

  @Test(
    "A disk of 40 MiB that dead records have filled takes writes again and again",
    .enabled(if: geteuid() == 0 && SmallDisk() != nil, "a small file system is mounted, which takes root"))
  func recoversFromFullDisk() async throws {
    let disk = try #require(SmallDisk())
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open { $0.dataFolder = "\(disk.path)/data" }
    var newest: [Int: Int] = [:]
    var refused = 0
    // Three copies of 3 MB live, and 150 MB written.
    for i in 0..<50_000 {
      let key = i * 7_919 % 3_000
      let value = Array("\(i)-".utf8) + [UInt8](repeating: 7, count: 1_000)
      var isStored = false
      _ = try await untilAsync {
        do {
          try await cluster.put(Array("key\(key)".utf8), value)
          isStored = true
        } catch {
          refused += 1
        }
        return isStored
      }
      try #require(isStored, "write \(i)")
      newest[key] = i
    }
    for (key, i) in newest {
      let value = try #require(try await cluster.get(Array("key\(key)".utf8)))
      #expect(value.starts(with: Array("\(i)-".utf8)))
    }
    let used = cluster.status().nodes.compactMap { $0.wal?.bytes }.reduce(0, +)
    print("a disk of 40 MiB: \(refused) writes refused until there was room, \(used >> 20) MiB of log at the end")
    await cluster.close()
  }
}

/// Waits until the condition holds, at most twenty seconds.
private func untilAsync(_ condition: () async throws -> Bool) async throws -> Bool {
  for _ in 0..<1_000 {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(20))
  }
  return false
}

/// A file system of 40 MiB in memory; unmounted with the object.
private final class SmallDisk {
  let path: String

  /// `nil` if the system does not allow it.
  init?() {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("kvstore-disk-\(UUID().uuidString)").path
    guard mkdir(path, 0o700) == 0 else { return nil }
    guard mount("tmpfs", path, "tmpfs", 0, "size=40m") == 0 else {
      rmdir(path)
      return nil
    }
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }
}

extension ClusterFixture {
  /// Bytes that the files of the folder take.
  fileprivate func bytesOnDisk() throws -> Int {
    try FileManager.default.subpathsOfDirectory(atPath: folder).reduce(0) { sum, name in
      var info = stat()
      return stat("\(folder)/\(name)", &info) == 0 ? sum + Int(info.st_blocks) * 512 : sum
    }
  }
}
