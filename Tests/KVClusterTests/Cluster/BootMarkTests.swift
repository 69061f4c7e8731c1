import Foundation
import Testing

@testable import KVCluster

@Suite struct BootMarkTests {
  private func mark(_ fixture: ClusterFixture) throws -> BootMark {
    let text = try String(contentsOfFile: "\(fixture.folder)/boot", encoding: .utf8)
    return try #require(BootMark(text: text))
  }

  @Test(
    "While a cluster is open its mark says whether a loss of power can take writes; an orderly end makes it safe",
    arguments: [(FsyncPolicy.always, true, true), (.everysec, false, true), (.never, false, false)])
  func isKept(fsync: FsyncPolicy, isSafeWhileOpen: Bool, isSafeAfterwards: Bool) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    let cluster = try await fixture.open()
    #expect(try mark(fixture).isSafe == isSafeWhileOpen)
    await cluster.close()
    #expect(try mark(fixture).isSafe == isSafeAfterwards)
  }

  @Test("With a node that was killed an end is not orderly: its writes may be in memory only")
  func killedNodeIsUnsafe() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try await cluster.kill("node2")
    await cluster.close()
    #expect(try mark(fixture).isSafe == false)
  }

  @Test("After another boot without an orderly end all nodes are compared before they vote, and then serve")
  func comparesAll() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try await cluster.put("key", "value")
    await cluster.close()
    try BootMark(boot: "another", isSafe: false).text.write(
      toFile: "\(fixture.folder)/boot", atomically: true, encoding: .utf8)
    let again = try await fixture.open()
    #expect(try await again.event { $0.contains("the machine stopped while acknowledged writes") })
    #expect(try await until { again.suspects.isEmpty })
    #expect(try await again.get("key") == "value")
    await again.close()
    let third = try await fixture.open()
    #expect(third.suspects.isEmpty)
    #expect(try await third.get("key") == "value")
    await third.close()
  }

  @Test("In the same boot nothing is suspected: what is in the page cache outlives the program")
  func trustsTheSameBoot() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    let boot = try mark(fixture).boot
    await cluster.close()
    try BootMark(boot: boot, isSafe: false).text.write(
      toFile: "\(fixture.folder)/boot", atomically: true, encoding: .utf8)
    let again = try await fixture.open()
    #expect(again.suspects.isEmpty)
    await again.close()
  }

  @Test("A mark reads back, and nonsense is none")
  func readsBack() {
    let mark = BootMark(boot: "0396d5f9", isSafe: true)
    #expect(BootMark(text: mark.text) == mark)
    #expect(BootMark(text: "kvstore boot 2\nx open\n") == nil)
    #expect(BootMark(text: "") == nil)
  }
}
