import Foundation
import Testing

/// Rules of the layout that reviewers would otherwise have to remember.
@Suite struct LayoutTests {
  private static let engine = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/KVCluster")

  private func files(in folder: String) throws -> [(name: String, text: String)] {
    let url = Self.engine.appendingPathComponent(folder)
    return try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "swift" }
      .map { ("\(folder)/\($0.lastPathComponent)", try String(contentsOf: $0, encoding: .utf8)) }
  }

  @Test(
    "The pure folders import nothing that does I/O, tells the time or draws lots",
    arguments: [
      "Placement", "Coordination", "Membership",
    ])
  func pureFoldersArePure(folder: String) throws {
    let files = try files(in: folder)
    #expect(!files.isEmpty)
    let forbidden = [
      "Clock.", "SystemRandom", ".random(", "Hasher", "Task {", "actor ", "Glibc", "Foundation", "Dispatch",
    ]
    for (name, text) in files {
      let imports = text.split(separator: "\n").filter { $0.hasPrefix("import ") }
      #expect(imports.allSatisfy { $0 == "import CKernels" }, "\(name): \(imports)")
      for word in forbidden { #expect(!text.contains(word), "\(name) mentions \(word)") }
    }
  }

  @Test("The data path knows nothing of the cluster it is part of")
  func dataPathStandsAlone() throws {
    for (name, text) in try files(in: "DataPath") {
      let code = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
      let words = Set(code.joined(separator: "\n").split { !$0.isLetter })
      let forbidden = ["Cluster", "Roster", "DataFolder", "Caretaker", "ChangeExecution", "Purge", "Sweep"]
      for word in forbidden where words.contains(Substring(word)) { Issue.record("\(name) mentions \(word)") }
    }
  }

  @Test("Storage owns no thread and reads no clock, so that the simulator can drive it")
  func storageIsDriven() throws {
    for (name, text) in try files(in: "Storage") {
      for word in ["BackgroundThread", "Clock.", "Task {", "SystemRandom", "Hasher"] {
        #expect(!text.contains(word), "\(name) mentions \(word)")
      }
    }
  }
}
