import Foundation
import Glibc
import KVCluster
import Testing

@testable import Commands

/// The words of every answer, on a real cluster.
struct CommandRunnerTests {
  /// Runs lines one after another and returns all that was said.
  private func say(_ lines: [String], on cluster: Cluster) async -> [String] {
    let recorder = Recorder()
    for line in lines { _ = await CommandRunner(cluster: cluster).run(line: Array(line.utf8), emit: recorder.record) }
    return recorder.lines
  }

  @Test("The original's session is answered in the original's words")
  func answersLikeTheOriginal() async throws {
    try await withCluster { cluster in
      let said = await say(
        [
          "put user:1001 Alice", "get user:1001", "nodes", "addnode node6", "removenode node1", "get user:1001",
          "get nope", "del user:1001", "del nope", "get user:1001",
        ], on: cluster)
      #expect(
        said == [
          "✓ Stored: user:1001 -> Alice", "✓ Retrieved: user:1001 -> Alice", "Cluster has 3 nodes:", "- Node: node1",
          "- Node: node2", "- Node: node3", "✓ Added node: node6", "✓ Removed node: node1",
          "✓ Retrieved: user:1001 -> Alice", "✗ Key not found: nope", "✓ Deleted: user:1001", "✗ Not found: nope",
          "✗ Key not found: user:1001",
        ])
    }
  }

  @Test("Values are replaced, counted up, appended to and taken in one step each")
  func updates() async throws {
    try await withCluster { cluster in
      let said = await say(
        [
          "incr n", "incr n 41", "incr n -2", "cas n 40 ten", "cas n 40 11", "cas --absent n x", "cas m a b",
          "cas --absent m first word", "append m !", "append new a", "incr m", "getdel m", "getdel m",
        ], on: cluster)
      #expect(
        said == [
          "✓ Incremented: n -> 1", "✓ Incremented: n -> 42", "✓ Incremented: n -> 40", "✓ Swapped: n -> ten",
          "✗ Not swapped: n holds ten", "✗ Not swapped: n holds ten", "✗ Not swapped, key not found: m",
          "✓ Swapped: m -> first word", "✓ Appended: m -> 11 bytes", "✓ Appended: new -> 1 byte",
          "✗ the value “first word!” is no whole number; nothing was changed",
          "✓ Retrieved and deleted: m -> first word!", "✗ Key not found: m",
        ])
    }
  }

  @Test("Keys end, and say when")
  func expiry() async throws {
    try await withCluster { cluster in
      let said = await say(
        [
          "put k v", "ttl k", "expire k 1h", "persist k", "persist k", "ttl k", "expire k 1ms", "ttl m", "expire m 10",
          "persist m", "expire k -5", "expire k soon",
        ], on: cluster)
      let time = "expire: '%' should be a time from 1 ms on, as in 90, 500ms, 5m, 2h or 1d"
      #expect(
        said == [
          "✓ Stored: k -> v", "✓ Does not expire: k", "✓ Expires: k in 1 h 0 m", "✓ Does not expire any more: k",
          "✓ Does not expire: k", "✓ Does not expire: k", "✓ Expires: k in 1 ms", "✗ Key not found: m",
          "✗ Key not found: m", "✗ Key not found: m", "✗ " + time.replacing("%", with: "-5"),
          "✗ " + time.replacing("%", with: "soon"),
        ])
    }
  }

  @Test(
    "A value that does not count is refused with what is wrong with it",
    arguments: [
      ("007", "“007” is not written as 7 is, without a plus sign or zeros in front"),
      ("+5", "“+5” is not written as 5 is, without a plus sign or zeros in front"),
      ("99999999999999999999", "“99999999999999999999” does not fit in 64 bits"), ("1.5", "“1.5” is no whole number"),
      ("-", "“-” is no whole number"), ("\"\"", "“” is no whole number"),
    ])
  func doesNotCount(value: String, words: String) async throws {
    try await withCluster { cluster in
      let said = await say(["put n \(value)", "incr n"], on: cluster)
      #expect(said.last == "✗ the value \(words); nothing was changed")
    }
  }

  @Test("A killed node is shown as dead until it is restarted")
  func showsDeadNodes() async throws {
    try await withCluster { cluster in
      let said = await say(["kill node2", "nodes", "restart node2", "nodes"], on: cluster)
      #expect(
        said == [
          "✓ Killed node: node2", "Cluster has 3 nodes:", "- Node: node1", "- Node: node2 (dead)", "- Node: node3",
          "✓ Restarted node: node2", "Cluster has 3 nodes:", "- Node: node1", "- Node: node2", "- Node: node3",
        ])
    }
  }

  @Test("nodes tells paused nodes, cut ones, slow ones and lossy ones from those that are well")
  func showsFaults() async throws {
    try await withCluster { cluster in
      let list = { (lines: [String]) in Array(await say(lines + ["nodes"], on: cluster).suffix(3)) }
      #expect(await list(["pause node2"]) == ["- Node: node1", "- Node: node2 (paused)", "- Node: node3"])
      #expect(
        await list(["heal", "partition node1 | node2 node3"]) == [
          "- Node: node1 (cut off from node2, node3)", "- Node: node2 (cut off from node1)",
          "- Node: node3 (cut off from node1)",
        ])
      #expect(
        await list(["heal", "slow node3 20ms", "drop node3 30%"]) == [
          "- Node: node1", "- Node: node2", "- Node: node3 (slow, +20 ms a message; loses 30 % of its messages)",
        ])
      #expect(await list(["heal"]) == ["- Node: node1", "- Node: node2", "- Node: node3"])
    }
  }

  @Test("What was slowed or made lossy by little is told in full")
  func tellsSmallFaults() async throws {
    try await withCluster { cluster in
      let said = await say(["slow node1 0.5ms", "slow node2 1.5s", "drop node3 0.5%", "nodes"], on: cluster)
      #expect(
        said == [
          "✓ Slowed node: node1, 500 µs a message", "✓ Slowed node: node2, 1.5 s a message",
          "✓ Dropping 0.5 % of the messages of node: node3", "Cluster has 3 nodes:",
          "- Node: node1 (slow, +1.5 s a message)", "- Node: node2 (slow, +1.5 s a message)",
          "- Node: node3 (slow, +1.5 s a message; loses 0.5 % of its messages)",
        ])
    }
  }

  @Test("Keys that no node can read are not left out of a list: it is refused")
  func refusesPartialLists() async throws {
    try await withCluster { cluster in
      let said = await say(["put a 1", "kill node1", "kill node2", "keys", "kill node3", "keys"], on: cluster)
      #expect(said[3...4] == ["Found 1 key:", "- Key: a"])
      #expect(said.last?.hasPrefix("✗ unavailable: 1 of the key's 3 owners must answer, 0 can") ?? false, "\(said)")
    }
  }

  @Test("A backup's path may be any bytes")
  func backsUpToAnyName() async throws {
    let folder = makeTemporaryFolder()
    let path = Array(folder.utf8) + Array("/b".utf8) + [0xff]
    try await withCluster { cluster in
      let result = await CommandRunner(cluster: cluster).run(.backup(path: path)) { _ in }
      #expect(result.outcome == .success)
    }
    #expect(access(path.map { CChar(bitPattern: $0) } + [0], F_OK) == 0)
  }

  @Test("A change that waits says why, and ends when it can go on")
  func saysWhyItWaits() async throws {
    try await withCluster { cluster in
      _ = await say(["pause node2", "pause node3"], on: cluster)
      let recorder = Recorder()
      let runner = CommandRunner(cluster: cluster)
      async let result = runner.run(line: Array("addnode node4".utf8), emit: recorder.record)
      for _ in 0..<500 where recorder.lines.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
      #expect(
        recorder.lines == [
          "note: the change waits: too few owners can tell what was acknowledged; node2, node3 are paused; it goes on when "
            + "they can; `resume node2` lets it go on"
        ])
      cluster.heal()
      #expect(await result.outcome == .success)
      #expect(recorder.lines.last == "✓ Added node: node4")
    }
  }

  @Test("A change is refused while owners lost records, or says so where it waits for them, and not for the links")
  func namesWhoLostRecords() async throws {
    let folder = makeTemporaryFolder()
    var cluster = try Cluster.open(ClusterOptions(dataFolder: folder, fsync: .never))
    try await cluster.ready()
    try await cluster.put(Array("a".utf8), Array("1".utf8))
    await cluster.close()
    for node in 1...3 {
      let log = "\(folder)/node\(node).wal"
      for name in try FileManager.default.contentsOfDirectory(atPath: log) where name.hasSuffix(".segment") {
        #expect(unlink("\(log)/\(name)") == 0)
      }
    }
    cluster = try Cluster.open(ClusterOptions(dataFolder: folder, fsync: .never))
    try await cluster.ready()
    let refusal = await say(["addnode node4"], on: cluster).joined(separator: "\n")
    #expect(refusal.hasPrefix("✗ node1, node2 and node3 lost records and cannot be rebuilt"), "\(refusal)")
    #expect(refusal.contains("--accept-loss` goes on with what is left"))
    #expect(cluster.status().change == nil)
    let nodes = await say(["nodes"], on: cluster).joined(separator: "\n")
    #expect(nodes.contains("node2 (lost records; does not vote until it is rebuilt)"))
    await cluster.close()
  }

  @Test("What harms data that is kept asks back, each for its own reason")
  func asksBack() async throws {
    let folder = makeTemporaryFolder()
    let cluster = try Cluster.open(ClusterOptions(dataFolder: folder, fsync: .never))
    try await cluster.ready()
    #expect(
      await say(["put a 1", "corrupt node1", "corrupt node1 yes", "fsync-fail node2"], on: cluster) == [
        "✓ Stored: a -> 1", "✗ that damages a value on node1's disk; if you mean it: corrupt node1 yes",
        "✓ Corrupted node: node1, one byte of one value",
        "✗ that stops node2, which is rebuilt from the others by `restart node2`; if you mean it: fsync-fail node2 yes",
      ])
    await cluster.close()
    #expect(system("rm -r '\(folder)'") == 0)
  }

  @Test("The plain benchmark's rates are kept for benchmark results")
  func keepsPlainRates() async throws {
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      let before = Recorder(), after = Recorder()
      #expect(await runner.run(.benchmark(.results), emit: before.record).outcome == .success)
      #expect(before.lines == ["Nothing was measured in this session yet; benchmark measures"])
      #expect(await runner.run(.benchmark(.averages), emit: { _ in }).outcome == .success)
      #expect(await runner.run(.benchmark(.results), emit: after.record).outcome == .success)
      #expect(
        after.lines.first?.wholeMatch(of: /benchmark: Write throughput: \d+ ops\/sec, Read throughput: \d+ ops\/sec/)
          != nil)
    }
  }

  @Test("verdict says what was watched, and shows an answer that nothing explains")
  func saysTheVerdict() async throws {
    try await withCluster { cluster in
      #expect(
        await say(["verdict"], on: cluster) == [
          "Nobody watches this command's answers: a session has a verdict, kvstore exec, or line by line"
        ])
      var verdict = VerdictStatus(operationsChecked: 1_203_221, keysWatched: 7_812, keysPerWatched: 128)
      cluster.verdictBoard.show(verdict)
      #expect(
        await say(["verdict"], on: cluster) == [
          "✓ 1,203,221 operations checked, 0 violations; 7,812 keys watched, one in 128"
        ])
      verdict.violations = 1
      verdict.keysPerWatched = 1
      verdict.lastViolation = VerdictStatus.Violation(summary: "s", explanation: ["why", "p1  get"])
      cluster.verdictBoard.show(verdict, violation: verdict.lastViolation)
      #expect(
        await say(["verdict"], on: cluster) == [
          "✗ 1,203,221 operations checked, 1 violation; 7,812 keys watched, all in use", "why", "p1  get",
        ])
      #expect(cluster.events(after: 0).last?.severity == .failure)
    }
  }

  @Test("A key cannot forge a line of the list of keys")
  func listsKeysOneALine() async throws {
    try await withCluster { cluster in
      _ = await say([#"put "a\n- Key: b" 1"#, #"put "\"q" 2"#, "put plain 3"], on: cluster)
      #expect(
        await say(["keys"], on: cluster) == [
          "Found 3 keys:", #"- Key: "\"q""#, #"- Key: "a\n- Key: b""#, "- Key: plain",
        ])
      #expect(await say([#"keys "a\n""#], on: cluster).first == #"Found 1 key that begins with "a\n":"#)
    }
  }

  @Test(
    "What no quorum can give is refused before it is begun, and what removing a node costs is said beside the answer")
  func advisesOnChanges() async throws {
    try await withCluster { cluster in
      #expect(
        await say(["kill node2", "kill node3", "replacenode node2 node9"], on: cluster).last
          == "✗ node2 and node3 are down, and too few owners of some keys are left to copy them from; `restart node2` "
          + "brings it back")
      #expect(
        await say(["restart node2", "restart node3", "removenode node3"], on: cluster).suffix(2) == [
          "✓ Removed node: node3", "note: each key has 2 copies, not 3, until a node is added",
        ])
    }
  }

  @Test("What the engine refuses is said as it says it")
  func repeatsRefusals() async throws {
    try await withCluster { cluster in
      var refusal = ""
      do throws(ClusterError) { try await cluster.kill("nobody") } catch { refusal = error.description }
      #expect(await say(["kill nobody"], on: cluster) == ["✗ \(refusal)"])
      let said = await say(["kill node2", "kill node3", "put a 1"], on: cluster)
      #expect(said.last?.hasPrefix("✗ unavailable: ") == true)
    }
  }

  @Test("Values come back verbatim: newlines, quotes, bytes that are no UTF-8, 100,000 of them")
  func repeatsValuesVerbatim() async throws {
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      let value = [0x00, 0xFF, Ascii.newline, Ascii.doubleQuote] + [UInt8](repeating: 0x80, count: 100_000)
      let (stream, continuation) = AsyncStream.makeStream(of: Answer.self)
      let emit: @Sendable (CommandOutput) -> Void = { if case .answer(let answer) = $0 { continuation.yield(answer) } }
      #expect(await runner.run(.put(key: [0xFE], value: value), emit: emit).outcome == .success)
      #expect(await runner.run(.get(key: [0xFE]), emit: emit).outcome == .success)
      continuation.finish()
      let lines = await stream.reduce(into: [[UInt8]]()) { $0.append($1.line) }
      #expect(lines[0] == Array("✓ Stored: ".utf8) + [0xFE] + Array(" -> ".utf8) + value)
      #expect(lines[1] == Array("✓ Retrieved: ".utf8) + [0xFE] + Array(" -> ".utf8) + value)
    }
  }

  @Test("An empty value is a value")
  func keepsEmptyValues() async throws {
    try await withCluster { cluster in
      #expect(await say(["put k \"\"", "get k"], on: cluster) == ["✓ Stored: k -> ", "✓ Retrieved: k -> "])
    }
  }

  @Test("keys lists in order, under a prefix, and says when there are more")
  func listsKeys() async throws {
    try await withCluster { cluster in
      #expect(await say(["keys", "keys x"], on: cluster) == ["No keys", "No keys that begin with x"])
      let puts = (0..<101).map { "put user:\(1_000 + $0) v" }
      _ = await say(puts.reversed() + ["put a 1"], on: cluster)
      #expect(await say(["keys a"], on: cluster) == ["Found 1 key that begins with a:", "- Key: a"])
      let said = await say(["keys user:"], on: cluster)
      #expect(said.count == 102)
      #expect(said.first == "First 100 keys that begin with user::")
      #expect(said[1] == "- Key: user:1000")
      #expect(said[100] == "- Key: user:1099")
      #expect(said.last == "There are more; keys PREFIX lists those that begin with PREFIX")
    }
  }

  @Test("Outcomes tell success, failure and exit apart")
  func tellsOutcomes() async throws {
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      for (line, outcome) in [
        ("put a 1", Outcome.success), ("get a", .success), ("", .success), ("help", .success), ("nodes", .success),
        ("get b", .failure), ("del b", .failure), ("nope", .failure), ("put", .failure), ("exit", .exit),
        ("quit", .exit),
      ] {
        #expect(await runner.run(line: Array(line.utf8), emit: { _ in }).outcome == outcome, "\(line)")
      }
    }
  }

  @Test("load stores the lines of a file and says how many and how fast")
  func loadsFiles() async throws {
    try await withCluster { cluster in
      let file = TemporaryFile(Array("a\t1\nb\t2\t3\r\nc\t\nbad\n\t5\nd\t4".utf8))
      let recorder = Recorder()
      let runner = CommandRunner(cluster: cluster)
      #expect(await runner.run(.load(path: file.path), emit: recorder.record).outcome == .failure)
      #expect(recorder.lines.prefix(2) == ["✗ Line 4: no tab between key and value", "✗ Line 5: the key is empty"])
      #expect(recorder.lines.last?.hasPrefix("✗ Loaded: 4 of 6 lines in ") == true)
      #expect(
        await say(["get a", "get c", "get d"], on: cluster) == [
          "✓ Retrieved: a -> 1", "✓ Retrieved: c -> ", "✓ Retrieved: d -> 4",
        ])
      let value = try await cluster.get(Array("b".utf8))
      #expect(value == Array("2\t3\r".utf8))
      let missing = await say(["load /no/such/file"], on: cluster)
      #expect(missing == ["✗ Cannot open /no/such/file: No such file or directory"])
      let endless = await say(["load /dev/zero"], on: cluster)
      #expect(endless == ["✗ Cannot open /dev/zero: it is a device; - reads one from standard input"])
      #expect(
        await say(["load -"], on: cluster) == ["✗ load -: there is no standard input to read here; name a file"])
    }
  }

  @Test("backup copies the running cluster to a folder that opens, and says how much")
  func backsUp() async throws {
    let folder = makeTemporaryFolder()
    try await withCluster { cluster in
      #expect(await say(["put a 1"], on: cluster) == ["✓ Stored: a -> 1"])
      let said = await say(["backup \(folder)", "backup \(folder)"], on: cluster)
      #expect(said[0].hasPrefix("✓ Backed up: 3 nodes, ") && said[0].hasSuffix(" of log -> \(folder)"))
      #expect(said[1] == "✗ \(folder) is not empty; name a new or empty folder for the backup")
    }
    let copy = try Cluster.open(ClusterOptions(dataFolder: folder, fsync: .never))
    try await copy.ready()
    #expect(await say(["get a"], on: copy) == ["✓ Retrieved: a -> 1"])
    await copy.close()
    #expect(system("rm -r '\(folder)'") == 0)
  }

  @Test("benchmark prints the original's lines and leaves no keys behind")
  func benchmarks() async throws {
    try await withCluster { cluster in
      let recorder = Recorder()
      var benchmark = PlainBenchmark(backend: cluster, emit: recorder.record)
      benchmark.schedule = .init(writesEnd: .seconds(1), readsEnd: .seconds(2), end: .seconds(120))
      #expect(await benchmark.run().isGood)
      let lines = recorder.lines
      try #require(lines.count == 5, "\(lines)")
      #expect(lines.first == "Running benchmark...")
      #expect(lines[1].wholeMatch(of: /Write operations: [1-9]\d* in \d+ms/) != nil)
      #expect(lines[2].wholeMatch(of: /Write throughput: [1-9]\d* ops\/sec/) != nil)
      #expect(lines[3].wholeMatch(of: /Read operations: [1-9]\d* in \d+ms/) != nil)
      #expect(lines[4].wholeMatch(of: /Read throughput: [1-9]\d* ops\/sec/) != nil)
      let left = try cluster.keys(prefix: [], limit: 10)
      #expect(left.keys.isEmpty)
    }
  }

  @Test("A phase that begins when its time is over measures an operation of each client all the same")
  func measuresLate() async throws {
    try await withCluster { cluster in
      let recorder = Recorder()
      var benchmark = PlainBenchmark(backend: cluster, emit: recorder.record)
      benchmark.schedule = .init(writesEnd: .zero, readsEnd: .zero, end: .zero)
      #expect(await benchmark.run().isGood)
      #expect(recorder.lines.contains { $0.hasPrefix("Write operations: 64 in ") })
      #expect(recorder.lines.contains { $0.hasPrefix("Read operations: 64 in ") })
      let left = try cluster.keys(prefix: [], limit: 10)
      #expect(left.keys.isEmpty)
    }
  }

  @Test("What a benchmark that was cut off left behind goes with the next one")
  func removesLeftovers() async throws {
    try await withCluster { cluster in
      try await cluster.put(PlainBenchmark.key(63, 0), [1])
      try await cluster.put(Array("\(PlainBenchmark.keyPrefix)of a longer run".utf8), [1])
      try await cluster.put(Array("mine".utf8), [1])
      var benchmark = PlainBenchmark(backend: cluster) { _ in }
      benchmark.schedule = .init(writesEnd: .milliseconds(50), readsEnd: .milliseconds(100), end: .seconds(120))
      #expect(await benchmark.run().isGood)
      #expect(try cluster.keys(prefix: [], limit: 10).keys == [Array("mine".utf8)])
    }
  }

  @Test("A cancelled benchmark ends at once and still cleans up")
  func cancelsBenchmark() async throws {
    try await withCluster { cluster in
      let recorder = Recorder()
      let task = Task { await PlainBenchmark(backend: cluster, emit: recorder.record).run() }
      while recorder.progress.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
      task.cancel()
      #expect(await task.value.isGood == false)
      #expect(recorder.lines.last == "✗ Benchmark cancelled")
      let left = try cluster.keys(prefix: [], limit: 10)
      #expect(left.keys.isEmpty)
    }
  }
}
