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
      found[path] = ours.intersection(Self.imported(by: text))
    }
    #expect(!found.isEmpty, "\(module) has no files")
    return found
  }

  /// Modules that a file's text imports.
  private static func imported(by text: String) -> [String] {
    text.matches(
      of:
        /(?m)(?:^|;)\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|actor|protocol|func|var|let|typealias)\s+)?`?(\w+)/
    ).map { String($0.1) }
  }

  @Test(
    "Every form of an import is found",
    arguments: [
      ("import A", ["A"]), ("  import A  // why", ["A"]), ("import Glibc\nimport A.B", ["Glibc", "A"]),
      ("import A; import B", ["A", "B"]), ("@testable import A", ["A"]), ("@_spi(X) import A", ["A"]),
      ("@_spi(X) @testable import A", ["A"]), ("@preconcurrency\nimport A", ["A"]), ("package import A", ["A"]),
      ("@_exported public import struct A.B", ["A"]), ("import actor A.B", ["A"]), ("import func A.b", ["A"]),
      ("import `A`", ["A"]), ("/// import A", []), ("let a = 1  // import A", []), ("let important = A", []),
    ])
  func findsImports(text: String, names: [String]) { #expect(Self.imported(by: text) == names) }

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
    #expect(knowing == ["CommandRunner+Engine.swift"])
  }

  @Test("Of both only these know the tour, the live checker and the simulator")
  func instrumentsAreNamed() throws {
    let instruments: Set = ["Demo", "LiveVerdict", "KVSimulator"]
    #expect(try imports("Commands").allSatisfy { $0.value.isDisjoint(with: instruments) })
    let knowing = try imports("Faces").filter { !$0.value.isDisjoint(with: instruments) }.keys.sorted()
    #expect(
      knowing == [
        "ClusterSource+Folder.swift", "ClusterSource+Redis.swift", "Lines/TextTour.swift", "Playback/DayFace.swift",
        "Playback/DayHost.swift", "Playback/DayViewer.swift", "Screen/TourFace.swift", "Screen/TourHost.swift",
        "Tools/CheckHistoryRun.swift", "Tools/ScalingTable.swift", "Tools/SimulateRun.swift",
      ])
  }

  @Test("The table of modules in the architecture's description is what the files import")
  func tableIsTrue() throws {
    let page = Self.sources.appendingPathComponent("KVCluster/KVCluster.docc/Architecture.md")
    let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").compactMap { line -> [String]? in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      return line.hasPrefix("| `") && cells.count == 3 && cells[2].hasPrefix("imports ") ? cells : nil
    }
    var described: [String: Set<String>] = [:]
    for row in rows {
      let names = row[2].matches(of: /`(\w+)`/).map { String($0.1) }
      described[row[0].replacing("`", with: "")] = Set(names)
    }
    let modules = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path).filter {
      $0 != "CKernels" && $0 != "CTerminal"
    }
    #expect(Set(modules) == Set(described.keys))
    for module in modules {
      let imported = try imports(module).values.reduce(into: Set<String>()) { $0.formUnion($1) }
      #expect(described[module] == imported, "\(module) imports \(imported.sorted())")
    }
  }

  @Test(
    "Of Faces only what opens a folder of this machine, works on one at rest, or plants mistakes imports the engine")
  func facesKnowTheSeam() throws {
    let knowing = try imports("Faces").filter { $0.value.contains("KVCluster") }.keys.sorted()
    #expect(
      knowing == [
        "ClusterSource+Folder.swift", "Files/ClusterChoice.swift", "Files/FolderAtRest+Nodes.swift",
        "Playback/DayFace.swift",
        "Serving/FolderDoor.swift",
        "Serving/ServeFace.swift", "Tools/BackupRun.swift", "Tools/BenchJob.swift",
        "Tools/DumpRun.swift", "Tools/RepairRun.swift", "Tools/SimulateRun.swift", "Tools/VerifyRun.swift",
      ])
  }

  @Test("The codec of the Redis protocol imports no module of ours")
  func codecIsPure() throws {
    for (file, names) in try imports("RESP") { #expect(names.isEmpty, "\(file) imports \(names)") }
  }
}
