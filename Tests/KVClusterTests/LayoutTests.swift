import Foundation
import Testing

/// Rules of the layout that reviewers would otherwise have to remember.
@Suite struct LayoutTests {
  private static let engine = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/KVCluster")

  /// The folders of the engine from the bottom up: a file uses types of its own folder and of folders before it, never of
  /// one behind it.
  private static let layers = [
    "Execution",  // clock, threads, locks, timers: knows nothing of stores
    "Model",  // the values that faces speak: options, statuses, events, errors, limits
    "Placement",  // pure: which nodes own a key
    "Coordination",  // pure: when a read or write counts
    "Membership",  // pure: the configuration and the steps of its changes
    "Storage",  // what one node keeps on its disk
    "Inspection",  // folders at rest
    "Observation",  // what is recorded for others to look at: events, latencies, counts, watched operations
    "DataPath",  // reads and writes of keys
    "Replication",  // brings copies up to date
    "Recovery",  // starts and stops nodes and the cluster
    "Maintenance",  // looks after nodes that are up
    "Control",  // what people order: members, kills, faults, backups
    "Status",  // what a cluster shows of itself
    "Assembly",  // puts the parts together
    "",  // the facade
    "Backend",  // the engine as faces see it
  ]

  private struct File {
    var folder: String
    var name: String
    var text: String
    var path: String { folder.isEmpty ? name : "\(folder)/\(name)" }
  }

  private func files() throws -> [File] {
    try FileManager.default.subpathsOfDirectory(atPath: Self.engine.path).filter { $0.hasSuffix(".swift") }.map {
      path in
      let url = Self.engine.appendingPathComponent(path)
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      return File(folder: folder, name: url.lastPathComponent, text: try String(contentsOf: url, encoding: .utf8))
    }
  }

  private func files(in folder: String) throws -> [File] { try files().filter { $0.folder == folder } }

  @Test("A folder uses only the folders below it")
  func layersPointDown() throws {
    let files = try files()
    for folder in Set(files.map(\.folder)) {
      #expect(Self.layers.contains(folder), "\(folder) has no place in the order of layers")
    }
    var owners: [Substring: Int] = [:]
    for file in files {
      for name in SwiftWords.declarations(file.text) { owners[name] = Self.layers.firstIndex(of: file.folder) }
    }
    #expect(owners.count > 130, "the scan finds the engine's types")
    for file in files {
      guard let own = Self.layers.firstIndex(of: file.folder) else { continue }
      for word in Set(SwiftWords.types(file.text)) {
        guard let owner = owners[word], owner > own else { continue }
        Issue.record("\(file.path) uses \(word), which is in the layer above: \(Self.layers[owner])")
      }
    }
  }

  @Test("The scan sees uses in code and in interpolations, and neither comments, texts nor members")
  func scanSeesUses() {
    let text = #"""
      // A Comment.
      final class Declared: Base { let a = Used(), b = "Text \(Interpolated.name) Text", c = x.Member }
      """#
    #expect(SwiftWords.types(text) == ["Declared", "Base", "Used", "Interpolated"])
    #expect(SwiftWords.declarations("package final class A {\n  struct Nested {}\n}\nenum B {}") == ["A", "B"])
  }

  @Test("The facade and its extensions have at most 300 lines together")
  func facadeIsThin() throws {
    let facade = try files().filter { file in
      file.folder.isEmpty || file.text.split(separator: "\n").contains { $0.contains("extension Cluster {") }
    }
    #expect(facade.contains { $0.name == "Cluster.swift" })
    let lines = facade.reduce(0) { $0 + $1.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }
    #expect(lines <= 300, "\(facade.map(\.path)) have \(lines)")
  }

  @Test("Nobody but the clock, and the check that a simulation starts no thread, asks whether time is virtual")
  func timeIsAskedOnce() throws {
    let asking = try files().filter { $0.text.contains("isVirtual") }.map(\.path).sorted()
    #expect(asking == ["Execution/BackgroundThread.swift", "Execution/Clock.swift"])
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
    for file in files {
      let imports = file.text.split(separator: "\n").filter { $0.hasPrefix("import ") }
      #expect(imports.allSatisfy { ["import CKernels", "import Text"].contains($0) }, "\(file.path): \(imports)")
      for word in forbidden { #expect(!file.text.contains(word), "\(file.path) mentions \(word)") }
    }
  }

  @Test("Storage owns no thread and reads no clock, so that the simulator can drive it")
  func storageIsDriven() throws {
    for file in try files(in: "Storage") {
      for word in ["BackgroundThread", "Clock.", "Task {", "SystemRandom", "Hasher"] {
        #expect(!file.text.contains(word), "\(file.path) mentions \(word)")
      }
    }
  }
}

/// The names in Swift code that begin with a capital, as far as the layout's rules need them.
private enum SwiftWords {
  /// Types declared at the top level.
  static func declarations(_ text: String) -> [Substring] {
    let keywords: Set<Substring> = ["class", "struct", "enum", "protocol", "actor", "typealias"]
    return text.split(separator: "\n").compactMap { line in
      guard let first = line.first, first != " ", first != "/" else { return nil }
      let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
      guard let at = words.firstIndex(where: keywords.contains), at + 1 < words.count else { return nil }
      return words[at + 1]
    }
  }

  /// Names of types that the code mentions, in their order.
  static func types(_ text: String) -> [Substring] {
    var found: [Substring] = []
    // One for each string literal around the place: the parentheses that are open in its interpolation.
    var interpolations: [Int] = []
    var isText = false
    var at = text.startIndex
    func next(_ count: Int = 1) -> String.Index {
      text.index(at, offsetBy: count, limitedBy: text.endIndex) ?? text.endIndex
    }
    while at < text.endIndex {
      let character = text[at]
      if isText {
        if character == "\\" {
          let after = next()
          if after < text.endIndex, text[after] == "(" {
            interpolations.append(0)
            isText = false
          }
          at = next(2)
          continue
        }
        if character == "\"" { isText = false }
      } else if character == "/", text[at...].hasPrefix("//") {
        at = text[at...].firstIndex(of: "\n") ?? text.endIndex
        continue
      } else if character == "\"" {
        isText = true
      } else if character == "(", let open = interpolations.last {
        interpolations[interpolations.count - 1] = open + 1
      } else if character == ")", let open = interpolations.last {
        if open == 0 {
          interpolations.removeLast()
          isText = true
        } else {
          interpolations[interpolations.count - 1] = open - 1
        }
      } else if character.isLetter || character == "_" {
        let end = text[at...].firstIndex { !$0.isLetter && !$0.isNumber && $0 != "_" } ?? text.endIndex
        let isMember = at > text.startIndex && text[text.index(before: at)] == "."
        if character.isUppercase, !isMember { found.append(text[at..<end]) }
        at = end
        continue
      }
      at = next()
    }
    return found
  }
}
