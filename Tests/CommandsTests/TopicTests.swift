import Commands
import KVCluster
import Testing

/// What `explain` says.
struct TopicTests {
  private func explained(_ line: String) async throws -> (lines: [String], outcome: Outcome) {
    let recorder = Recorder()
    var outcome = Outcome.exit
    try await withCluster { cluster in
      _ = try await cluster.put(Array("a".utf8), Array("1".utf8))
      outcome = await CommandRunner(cluster: cluster).run(line: Array(line.utf8), emit: recorder.record).outcome
    }
    return (recorder.lines, outcome)
  }

  @Test(
    "Each topic is explained in lines of 80 columns, with figures, the next question and a hint",
    arguments: Topic.allCases)
  func explains(topic: Topic) async throws {
    let (lines, outcome) = try await explained("explain \(topic.rawValue)")
    #expect(outcome == .success)
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.filter { $0.count > 80 })")
    #expect(lines.contains { $0.hasPrefix("Asked next: ") && $0.count > 20 })
    #expect(lines.contains { $0.hasPrefix("Hint: ") })
    #expect(lines.count { $0.hasPrefix("  ") } >= 3, "figures")
  }

  @Test("The figures are the cluster's own")
  func figures() async throws {
    #expect(
      try await explained("explain quorum").lines.contains { $0.contains("N=3 R=2 W=2: 2 + 2 > 3, linearizable") })
    #expect(try await explained("explain group-commit").lines.contains { $0.contains("for 3 records") })
    #expect(try await explained("explain consistent-hashing").lines.contains { $0.contains("3, 3 owners a key") })
  }

  @Test("A cluster of one node can be explained too", arguments: Topic.allCases)
  func oneNode(topic: Topic) async throws {
    let cluster = try Cluster.open(
      ClusterOptions(dataFolder: makeTemporaryFolder(), isEphemeral: true, initialNodes: ["node1"], fsync: .never))
    try await cluster.ready()
    #expect(!topic.explanation(cluster.status(), cluster.capabilities).figures.contains { $0.value.isEmpty })
    await cluster.close()
  }

  @Test("Without a topic they are listed, all of them")
  func lists() async throws {
    let (lines, outcome) = try await explained("explain")
    #expect(outcome == .success)
    for topic in Topic.allCases { #expect(lines.contains { $0.hasPrefix("  \(topic.rawValue) ") }) }
  }

  @Test(
    "A topic that is none says which was meant",
    arguments: [
      ("explain quorums", "Did you mean quorum?"), ("explain hashing", "Did you mean consistent-hashing?"),
      ("explain WAL x", "Too many words"), ("explain zzzzz", "Topics: consistent-hashing, virtual-nodes"),
    ])
  func refuses(line: String, words: String) async throws {
    let (lines, outcome) = try await explained(line)
    #expect(outcome == .failure && lines.count == 1 && lines[0].contains(words), "\(lines)")
  }

  @Test("Topics are completed at the prompt")
  func completes() {
    let line = Array("explain re".utf8)
    #expect(CommandCompletion.at(line.count, in: line, nodes: []).candidates == ["read-repair", "rebalancing"])
    let all = Array("explain ".utf8)
    #expect(CommandCompletion.at(all.count, in: all, nodes: []).candidates == Topic.allCases.map(\.rawValue))
  }

  @Test("demo plays what the face has for it, and says so where there is nothing")
  func demo() async throws {
    try await withCluster { cluster in
      let (with, without) = (Recorder(), Recorder())
      let runner = CommandRunner(cluster: cluster).playing { say in
        say("a line of the tour")
        return true
      }
      #expect(await runner.run(line: Array("demo".utf8), emit: with.record).outcome == .success)
      #expect(with.lines == ["a line of the tour"])
      #expect(
        await CommandRunner(cluster: cluster).run(line: Array("demo".utf8), emit: without.record).outcome == .failure)
      #expect(without.lines.first?.contains("kvstore demo") == true)
    }
  }
}
