import Foundation
import Testing

@testable import KVCluster

@Suite struct LogDumpTests {
  @Test("Records are listed in the order of the log, with their tags, and damage in its place")
  func listsRecords() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for i in 10..<15 { try await cluster.put("key\(i)", "value\(i)") }
    _ = try await cluster.delete(bytes("key11"))
    await cluster.close()
    func list() throws -> [String] {
      var lines: [String] = []
      try LogDump.run(FolderAtRest(fixture.folder), node: "node2") { line in
        switch line.content {
        case .record(.syncMark, _, _, _, _): break
        case .record(let kind, _, let key, let value, let isIntact):
          lines.append(
            "\(kind) \(String(decoding: key, as: UTF8.self))=\(String(decoding: value, as: UTF8.self)) \(isIntact)")
        case .damaged(let byteCount): lines.append("damaged \(byteCount)")
        case .damagedSegment(let reason): lines.append(reason)
        }
        return true
      }
      return lines
    }
    #expect(
      try list() == (10..<15).map { "value key\($0)=value\($0) true" } + ["tombstone key11= true"])
    try fixture.flip("node2", at: try fixture.offset(of: "key12", in: "node2"))
    try fixture.flip("node2", at: try fixture.offset(of: "value13", in: "node2") + 1)
    let damaged = try list()
    #expect(damaged[2] == "damaged 40")
    #expect(damaged[3].hasPrefix("value key13=v") && damaged[3].hasSuffix("false"))
    #expect(throws: ClusterError.self) { try LogDump.run(FolderAtRest(fixture.folder), node: "nope") { _ in true } }
  }
}
