import ClusterModel
import Foundation
import RESP
import Testing

@testable import RedisCluster

/// Real servers for a test, ended when it ends.
enum RealServers {
  static let areInstalled = ServerProcesses.program != nil
  static let missing: Comment = "redis-server is not installed (Debian: apt install redis-server)"

  static func folder() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("redis-test-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.path
  }

  /// Masters with so many slots, and a replica for each, watched.
  static func cluster(
    _ slotCounts: [Int] = [5_461, 5_462, 5_461], _ body: (DemoCluster, RedisBackend) async throws -> Void
  ) async throws {
    let folder = try folder()
    let demo = try await DemoCluster.start(folder: folder, slotCounts: slotCounts)
    defer { demo.close() }
    let backend = try await RedisBackend.connect(.init(seed: demo.seed), servers: demo)
    defer { backend.breakOff() }
    try await body(demo, backend)
    demo.close()
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  /// One server with settings, which is no cluster unless they say so.
  static func single(_ settings: [String], _ body: (Address) async throws -> Void) async throws {
    let program = try #require(ServerProcesses.program)
    let processes = try ServerProcesses(folder: try folder(), program: program)
    defer { processes.close() }
    let address = Address("127.0.0.1", 6_990)
    try processes.start(address, settings)
    let pool = ConnectionPool(nil, detours: [:])
    defer { pool.close() }
    try await eventually("the server answers") { (try? await pool.connection(to: address).ask("PING")) != nil }
    try await body(address)
  }

  /// Waits until something is so, and fails if it never is.
  static func eventually(
    _ what: Comment, within time: Duration = .seconds(20), _ isSo: () async throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + time
    while try await !isSo() {
      try #require(ContinuousClock.now < deadline, what)
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension RedisBackend {
  func put(_ key: String, _ value: String) async throws {
    try await put(Array(key.utf8), Array(value.utf8), WriteOptions())
  }

  func value(_ key: String) async throws -> String? {
    try await get(Array(key.utf8), ReadOptions()).map { String(decoding: $0, as: UTF8.self) }
  }

  var texts: [String] { events(after: 0).map(\.description) }

  /// Sends a command to the node at an address, as an operator would.
  @discardableResult
  func tell(_ address: Address, _ words: String...) async throws -> ReplyValue {
    try await router.pool.connection(to: address).ask(words.map { Array($0.utf8) })[0]
  }
}
