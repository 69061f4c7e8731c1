import Commands
import Faces
import Foundation
import Glibc
import KVCluster
import Server
import Testing

/// `serve`, and commands that attach to it.
struct ServeTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Runs a server on the folder until `body` is done, then sends it SIGTERM; returns its status and what it printed.
  private func serving(
    _ folder: TestFolder, _ body: (_ data: String) async throws -> Void
  ) async throws -> (status: Int32, out: String, err: String) {
    let test = TestConsole()
    test.endInput()
    let (console, options) = (test.console, ClusterOptions.kept(folder))
    let running = Task { await ServeFace.run(options, ServerOptions(loops: 1), console) }
    try await test.prints("ready: 3 nodes")
    try await body(options.dataFolder)
    test.signals.send(SIGTERM)
    let status = await running.value
    let printed = test.finish()
    return (status, printed.out, printed.err)
  }

  /// Runs commands on what the folder's socket leads to; returns the status and what was printed.
  private func attached(
    _ data: String, _ commands: [String], input: String = ""
  ) async throws -> (status: Int32, out: String, err: String) {
    let test = TestConsole()
    test.type(input)
    test.endInput()
    let remote = try #require(try await RemoteBackend.attach(socket: "\(data)/kvstore.sock"))
    let status = await Script.run(.attached(to: remote), test.console, commands: commands.map(bytes))
    let printed = test.finish()
    return (status, printed.out, printed.err)
  }

  @Test("Commands on a folder that is in use are carried out by the kvstore that has it open", .timeLimit(.minutes(2)))
  func attaches() async throws {
    let folder = try TestFolder()
    let ended = try await serving(folder) { data in
      let first = try await attached(
        data, ["put a 1", "-", "get nope", "addnode node4", "nodes", "exit", "put c 3"],
        input: "put b \"2\\n\"\nget b\n")
      #expect(first.status == 1)
      #expect(first.out.hasPrefix("✓ Stored: a -> 1\n✓ Stored: b -> 2\n\n✓ Retrieved: b -> 2\n\n"))
      #expect(first.out.contains("Cluster has 4 nodes:"))
      #expect(first.err.hasPrefix("✗ Key not found: nope\n"))
      let updates = try await attached(
        data,
        [
          "incr n 41", "incr n", "cas n 42 'x y'", "cas n 42 z", "cas --absent n z", "cas --absent m 1", "append m 2",
          "getdel m", "getdel m", "incr n", "mset s 1 t 'x y'", "mget s none t",
        ])
      #expect(
        updates.out == """
          ✓ Incremented: n -> 41
          ✓ Incremented: n -> 42
          ✓ Swapped: n -> x y
          ✓ Swapped: m -> 1
          ✓ Appended: m -> 2 bytes
          ✓ Retrieved and deleted: m -> 12
          ✓ Stored: s -> 1
          ✓ Stored: t -> x y
          ✓ Retrieved: s -> 1
          ✓ Retrieved: t -> x y

          """)
      #expect(
        updates.err == """
          ✗ Not swapped: n holds x y
          ✗ Not swapped: n holds x y
          ✗ Key not found: m
          ✗ the value “x y” is no whole number; nothing was changed
          ✗ Key not found: none

          """)
      let remote = try #require(try await RemoteBackend.attach(socket: "\(data)/kvstore.sock"))
      let long = [UInt8](repeating: 1, count: 33 << 20)
      await #expect(
        throws: ClusterError.invalidArgument(
          "the old value and the new one have together at most 64 MiB here, not 69,206,016 bytes; nothing was done")
      ) { try await remote.update([1], .compareAndSet(expected: long, value: long)) }
      let second = try await attached(data, ["get a", "nodes", "keys", "del a", "put bad"])
      #expect(second.status == 1)
      #expect(second.out.hasPrefix("✓ Retrieved: a -> 1\n") && second.out.contains("node4"))
      try folder.write("x\t1\ny\t2\n", to: "lines")
      let third = try await attached(
        data, ["load \(folder.path("lines"))", "get y", "backup \(folder.path("copy"))", "kill node9"])
      #expect(third.status == 1)
      #expect(third.out.contains("✓ Retrieved: y -> 2\n"))
      #expect(third.err.contains("node9"))
      #expect(FileManager.default.fileExists(atPath: folder.path("copy/configuration")))
      #expect(try await attached(data, ["get c"]).status == 1)
    }
    #expect(ended.status == 0)
    #expect(ended.out.hasPrefix("kvstore listens on "))
    #expect(ended.err.isEmpty)
    // The folder is free again, and its socket gone.
    #expect(!FileManager.default.fileExists(atPath: folder.path("data/kvstore.sock")))
    let test = TestConsole()
    let source = try await ClusterSource.reaching(.kept(folder))
    #expect(await Script.run(source, test.console, commands: [bytes("get y")]) == 0)
    #expect(test.finish().out == "✓ Retrieved: y -> 2\n")
  }

  @Test(
    "A face that has a folder open lets others attach; closed, it is seen to be gone, and found again",
    .timeLimit(.minutes(2)))
  func attachesToFaces() async throws {
    let folder = try TestFolder()
    let path = folder.path("data/kvstore.sock")
    func opened() async throws -> (OpenCluster, RemoteBackend) {
      let open = try ClusterSource.folder(.kept(folder), isServed: true).open()
      try await open.runner.backend.ready()
      var remote: RemoteBackend?
      while remote == nil { remote = try await RemoteBackend.attach(socket: path) }
      return (open, try #require(remote))
    }
    let (open, remote) = try await opened()
    try await remote.ready()
    try await remote.put([0x61], [0x31], WriteOptions())
    #expect(try await open.runner.backend.get([0x61], ReadOptions()) == [0x31])
    #expect(remote.status().nodes.count == 3)
    // Workloads are driven in the cluster's own process.
    var own = open.runner.backend.capabilities
    #expect(own.features.remove(.workloads) != nil && remote.capabilities == own)
    #expect(remote.place(of: [0x61]) == open.runner.backend.place(of: [0x61]))
    let before = remote.status().uptimeNs
    while remote.status().uptimeNs == before || remote.events(after: 0).isEmpty {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(remote.status().ring == open.runner.backend.status().ring)
    #expect(await open.close() == nil)
    while remote.status().health != .unavailable { try await Task.sleep(for: .milliseconds(5)) }
    #expect(remote.events(after: 0).last?.description.hasPrefix("lost the server") == true)
    #expect(remote.status().nodes.count == 3)
    await #expect(throws: ClusterError.self) { try await remote.get([0x61], ReadOptions()) }
    let (again, other) = try await opened()
    while remote.status().health != .healthy { try await Task.sleep(for: .milliseconds(5)) }
    #expect(try await remote.get([0x61], ReadOptions()) == [0x31])
    remote.close()
    other.close()
    _ = await again.close()
  }

  @Test("A server that cannot listen says why, with status 1")
  func cannotListen() async throws {
    let folder = try TestFolder()
    let test = TestConsole()
    test.endInput()
    let options = ServerOptions(sockets: [folder.path("no/such/folder.sock")], loops: 1)
    #expect(await ServeFace.run(.kept(folder), options, test.console) == 1)
    #expect(test.finish().err.contains("cannot listen on"))
  }

  @Test("A folder that cannot be opened is told, and nothing listens")
  func cannotOpen() async throws {
    let folder = try TestFolder()
    try folder.write("nonsense", to: "data/configuration")
    let test = TestConsole()
    test.endInput()
    #expect(await ServeFace.run(.kept(folder), ServerOptions(loops: 1), test.console) == 1)
    #expect(test.finish().err.hasPrefix("kvstore: "))
  }
}
