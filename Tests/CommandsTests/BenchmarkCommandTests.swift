import Glibc
import KVBench
import KVCluster
import Testing

@testable import Commands

/// `benchmark` with a workload, and what belongs to it.
struct BenchmarkCommandTests {
  private func plan(_ line: String) throws -> BenchmarkPlan? {
    guard case .benchmark(.run(let plan, _))? = try Command.parse(Array(line.utf8)) else { return nil }
    return plan
  }

  @Test("A workload takes options, and keys of its own prefix")
  func readsOptions() throws {
    let plain = try #require(try plan("benchmark ycsb-a"))
    #expect(plain.workload == .ycsbA && plain.clients == 64 && plain.seconds == 10 && plain.keys == 10_000)
    #expect(plain.names == .ycsb(prefix: Array("__kvstore_benchmark__:".utf8)))
    let line = "benchmark mixed --seconds 2.5 --threads 3 --keys 50 --value-bytes uniform:1-9 --distribution hotspot "
    let full = try #require(try plan(line + "--rate 100 --seed 7"))
    #expect(full.seconds == 2.5 && full.threads == 3 && full.clients == 3 && full.keys == 50)
    #expect(full.valueSizes == .uniform(1...9) && full.distribution == .hotspot && full.rate == 100 && full.seed == 7)
  }

  @Test(
    "What it does not understand is answered with what it does",
    arguments: [
      ("benchmark fast", "there is no workload fast"), ("benchmark ycsb-e", "no scans"),
      ("benchmark --seconds 1", "options follow a workload, as in: benchmark mixed --seconds 1"),
      ("benchmark open", "there is no workload open"),
      ("benchmark read --speed 5", "no option --speed; there are --seconds"),
      ("benchmark read --seconds", "--seconds takes a number"),
      ("benchmark read --seconds x", "--seconds takes a number"),
      ("benchmark read --seconds 0", "--seconds takes a number"), ("benchmark read --keys 0", "--keys is at least 1"),
      ("benchmark read --distribution odd", "one of uniform, zipfian"), ("benchmark stop now", "Too many words"),
    ])
  func refuses(line: String, words: String) {
    let error = #expect(throws: CommandError.self) { try Command.parse(Array(line.utf8)) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test("Tab offers workloads, then options")
  func completes() {
    let complete = { (line: String) in CommandCompletion.at(line.utf8.count, in: Array(line.utf8), nodes: []).candidates
    }
    #expect(complete("benchmark ycsb-") == ["ycsb-a", "ycsb-b", "ycsb-c", "ycsb-d", "ycsb-f"])
    #expect(complete("benchmark st") == ["stop"])
    #expect(complete("benchmark read --se") == ["--seconds", "--seed"])
    #expect(complete("benchmark read --seed 5 --ra") == ["--rate"])
  }

  @Test("A run says what it measured, is listed, and leaves no key behind")
  func runs() async throws {
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      let recorder = Recorder()
      #expect(runner.benchmarks.snapshot == nil)
      for _ in 0..<2 {
        let line = "benchmark ycsb-f --keys 200 --seconds 1.2 --clients 4"
        #expect(await runner.run(line: Array(line.utf8), emit: recorder.record).outcome == .success)
      }
      let lines = recorder.lines
      #expect(lines.first == "Running benchmark ycsb-f with 4 clients...")
      #expect(lines.contains { $0.hasPrefix("ycsb-f: 200 keys of 45 bytes, zipfian, values of 1000 bytes, 4 tasks") })
      let measured = lines.compactMap { $0.wholeMatch(of: /[\d,]+ operations in (\d+\.\d\d) s: [\d.]+ k? ?ops\/s/) }
      #expect(measured.count == 2 && measured.allSatisfy { Double($0.output.1) ?? 0 >= 1.2 })
      #expect(lines.contains { $0.hasPrefix("  read-modify-write: ") })
      let left = try cluster.keys(prefix: [], limit: 1).keys
      #expect(left.isEmpty)
      let phases = recorder.progress.compactMap {
        if case .measurement(let snapshot) = $0 { snapshot.phase } else { nil }
      }
      #expect(phases.contains(.measuring))
      #expect(runner.benchmarks.snapshot?.phase == .finished)
      let results = Recorder()
      #expect(await runner.run(.benchmark(.results), emit: results.record).outcome == .success)
      #expect(results.lines.count == 2)
      #expect(results.lines[0].hasPrefix("1. ycsb-f, 4 clients: "))
      #expect(results.lines[1].wholeMatch(of: /2\. .* p99\.9 .*, ×[0-9.]+ of the one before/) != nil)
    }
  }

  @Test("The plain benchmark's progress ends with what it measured, and its keys' deletion counts as nothing")
  func plainProgress() async throws {
    try await withCluster { cluster in
      let recorder = Recorder()
      var benchmark = PlainBenchmark(backend: cluster, emit: recorder.record)
      benchmark.schedule = .init(writesEnd: .milliseconds(300), readsEnd: .milliseconds(600), end: .seconds(120))
      #expect(await benchmark.run().isGood)
      let steps = recorder.progress.compactMap { if case .benchmark(let step) = $0 { step } else { nil } }
      let counts = recorder.lines.compactMap { line in
        line.firstMatch(of: /operations: (\d+) in/).flatMap { Int($0.output.1) }
      }
      #expect(counts.count == 2 && steps.last?.phase == .cleanUp)
      #expect(steps.last?.measured == counts.reduce(0, +))
      #expect(steps.map(\.measured) == steps.map(\.measured).sorted())
      for phase in [BenchmarkProgress.Phase.write, .read, .cleanUp] {
        let parts = steps.filter { $0.phase == phase }.compactMap(\.fraction)
        #expect(parts.last == 1 && parts == parts.sorted() && parts.allSatisfy { (0...1).contains($0) }, "\(phase)")
      }
    }
  }

  @Test("A second benchmark is refused while one runs, and stop ends it, whichever kind each is")
  func runsOneAtATime() async throws {
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      let said = Recorder()
      #expect(await runner.run(.benchmark(.stop), emit: said.record).outcome == .failure)
      for line in ["benchmark mixed --seconds 60 --keys 100", "benchmark"] {
        let running = Recorder()
        let task = Task { await runner.run(line: Array(line.utf8), emit: running.record) }
        while running.progress.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(await runner.run(.benchmark(.averages), emit: said.record).outcome == .failure)
        #expect(await runner.run(line: Array("benchmark read".utf8), emit: said.record).outcome == .failure)
        #expect(await runner.run(.benchmark(.stop), emit: said.record).outcome == .success)
        _ = await task.value
      }
      let name = ["mixed with 64 clients", "writes and reads of 64 clients"]
      let refusals = name.map { "✗ A benchmark is running already: \($0). One at a time; benchmark stop ends it" }
      #expect(
        said.lines == [
          "✗ No benchmark is running", refusals[0], refusals[0], "✓ Stopped benchmark: \(name[0])", refusals[1],
          refusals[1], "✓ Stopped benchmark: \(name[1])",
        ])
      let left = try cluster.keys(prefix: [], limit: 1).keys
      #expect(left.isEmpty)
    }
  }

  @Test("A report goes where it was asked for, or the failure is said")
  func writesReports() async throws {
    let folder = makeTemporaryFolder()
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      let recorder = Recorder()
      for (path, outcome) in [("\(folder)/run.html", Outcome.success), ("\(folder)/none/run.html", .failure)] {
        let line = "benchmark read --keys 50 --seconds 0.2 --threads 1 --report \(path)"
        #expect(await runner.run(line: Array(line.utf8), emit: recorder.record).outcome == outcome)
      }
      #expect(recorder.lines.contains("✓ Report written: \(folder)/run.html"))
      #expect(recorder.lines.contains("✗ Cannot write \(folder)/none/run.html: No such file or directory"))
      let page = try LineReader(path: Array("\(folder)/run.html".utf8))
      #expect(try await page.next() == .bytes(Array("<!DOCTYPE html>".utf8)))
    }
    #expect(system("rm -r '\(folder)'") == 0)
  }

  @Test("A run goes on through a kill, and says when it was")
  func marksKills() async throws {
    try await withCluster { cluster in
      let runner = CommandRunner(cluster: cluster)
      let recorder = Recorder()
      let line = "benchmark mixed --keys 100 --seconds 1.5 --threads 1"
      let task = Task { await runner.run(line: Array(line.utf8), emit: recorder.record) }
      while runner.benchmarks.snapshot?.phase != .measuring { try await Task.sleep(for: .milliseconds(10)) }
      try await cluster.kill("node2")
      #expect(runner.benchmarks.snapshot?.marks.map(\.kind) == [.kill])
      #expect(await task.value.outcome == .success)
      #expect(recorder.lines.contains { $0.hasPrefix("at ") && $0.contains("node2 was killed") })
    }
  }
}
