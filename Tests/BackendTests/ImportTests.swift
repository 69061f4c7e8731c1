import Foundation
import Testing

/// Which module may know which.
@Suite struct ImportTests {
  private static let sources = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources")

  /// Our modules that the files of a module import, by file.
  private func imports(_ module: String) throws -> [String: Set<String>] {
    let folder = Self.sources.appendingPathComponent(module)
    let ours = Set(try FileManager.default.contentsOfDirectory(atPath: Self.sources.path))
    var found: [String: Set<String>] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
      let names = text.split(separator: "\n").filter { $0.contains("import ") && !$0.contains("//") }
        .compactMap { $0.split(separator: " ").last.map(String.init) }
      found[path] = ours.intersection(names)
    }
    #expect(!found.isEmpty, "\(module) has no files")
    return found
  }

  @Test("ClusterModel imports nothing of ours but Text, and Dashboard nothing but both")
  func dashboardKnowsNoEngine() throws {
    for (file, names) in try imports("ClusterModel") {
      #expect(names.isSubset(of: ["Text"]), "\(file) imports \(names)")
    }
    for (file, names) in try imports("Dashboard") {
      #expect(names.isSubset(of: ["ClusterModel", "Text"]), "\(file) imports \(names)")
    }
  }

  @Test("Of Commands only what makes a runner for the engine's own clusters imports the engine")
  func commandsKnowTheSeam() throws {
    let knowing = try imports("Commands").filter { $0.value.contains("KVCluster") }.keys.sorted()
    #expect(knowing == ["CommandRunner+Engine.swift", "FileRoom.swift"])
  }

  @Test("Of Faces only what opens a folder of this machine, or works on one at rest, imports the engine")
  func facesKnowTheSeam() throws {
    let knowing = try imports("Faces").filter { $0.value.contains("KVCluster") }.keys.sorted()
    #expect(
      knowing == [
        "ClusterSource+Folder.swift", "Files/FolderAtRest+Nodes.swift", "Serving/FolderDoor.swift",
        "Serving/ServeFace.swift", "Tools/BackupRun.swift", "Tools/BenchJob.swift",
        "Tools/DumpRun.swift", "Tools/RepairRun.swift", "Tools/SimulateRun.swift", "Tools/VerifyRun.swift",
      ])
  }

  @Test("The codec of the Redis protocol imports no module of ours")
  func codecIsPure() throws {
    for (file, names) in try imports("RESP") { #expect(names.isEmpty, "\(file) imports \(names)") }
  }
}
