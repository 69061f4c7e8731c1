import Glibc
import KVCluster
import Testing

@testable import Demo

struct BackgroundLoadTests {
  private struct Cancelled: Error {}

  @Test("The clients of a chapter end with it, also when it is left and its cluster is closed under them")
  func endsWithItsChapter() async throws {
    var template = Array("/tmp/kvstore-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let cluster = try Cluster.open(ClusterOptions(dataFolder: folder, isEphemeral: true))
    try await cluster.ready()
    let tally = try await BackgroundLoad.run(on: cluster, 0..<10) { try await Task.sleep(for: .milliseconds(50)) }
    #expect(tally.all > 0)
    await #expect(throws: Cancelled.self) {
      _ = try await BackgroundLoad.run(on: cluster, 0..<10) {
        await cluster.close()
        // Other tasks run, although every operation is refused at once.
        for _ in 0..<10 { await Task { try? await Task.sleep(for: .milliseconds(5)) }.value }
        throw Cancelled()
      }
    }
  }
}
