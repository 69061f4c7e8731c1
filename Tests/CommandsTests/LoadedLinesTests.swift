import Foundation
import KVCluster
import Testing

@testable import Commands

/// What was loaded, while everything happens around it in one process.
struct LoadedLinesTests {
  /// `key<TAB>value` lines: of the file that the environment names, or made here.
  private static func lines() throws -> [(key: String, value: String)] {
    guard let path = ProcessInfo.processInfo.environment["KVSTORE_LINES"] else {
      return (0..<5000).map { ("package-\($0)", "description of package \($0 &* 7), with words") }
    }
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]))
    }
  }

  /// The keys that do not read as they were loaded.
  private func wrong(_ wanted: [String: String], _ runner: CommandRunner) async -> [String] {
    var wrong: [String] = []
    for (key, value) in wanted {
      let recorder = Recorder()
      _ = await runner.run(line: Array("get \(key)".utf8), emit: recorder.record)
      if recorder.lines != ["✓ Retrieved: \(key) -> \(value)"] { wrong.append(key) }
    }
    return wrong
  }

  @Test("Every loaded line reads back after a join and a kill under a benchmark, in that process and after a restart")
  func readsEveryLine() async throws {
    let lines = try Self.lines()
    let wanted = Dictionary(lines.map { ($0.key, $0.value) }) { $1 }
    let folder = makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = "\(folder)/lines.tsv"
    try lines.map { "\($0.key)\t\($0.value)\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
    let options = ClusterOptions(dataFolder: "\(folder)/data", fsync: .everysec)

    var cluster = try Cluster.open(options)
    try await cluster.ready()
    let runner = CommandRunner(cluster: cluster)
    let said = Recorder()
    #expect(await runner.run(line: Array("load \(file)".utf8), emit: said.record).outcome == .success)
    let benchmark = Recorder()
    let load = Task { await runner.run(line: Array("benchmark".utf8), emit: benchmark.record) }
    while benchmark.progress.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    #expect(await runner.run(line: Array("addnode node4".utf8), emit: said.record).outcome == .success)
    #expect(await runner.run(line: Array("kill node2".utf8), emit: said.record).outcome == .success)
    #expect(await wrong(wanted, runner) == [])
    #expect(await load.value.outcome == .success)
    #expect(await wrong(wanted, runner) == [])
    await cluster.close()

    cluster = try Cluster.open(options)
    try await cluster.ready()
    #expect(cluster.status().nodes.map(\.name) == ["node1", "node2", "node3", "node4"])
    #expect(await wrong(wanted, CommandRunner(cluster: cluster)) == [])
    await cluster.close()
  }
}
