import ClusterModel
import KVBench
import Text

/// The words of `benchmark`, with and without a workload. The original's where it had some, with its plain digits.
package enum BenchmarkWords {
  static let cancelled = Answer(.failure, "Benchmark cancelled")
  static let nothingWritten = Answer(.failure, "Benchmark stopped: no write succeeded")
  static let nothingMeasured = Answer(.failure, "The benchmark was stopped before anything was measured")
  static let leftBehind = Answer(
    .failure, "Some keys under \(PlainBenchmark.keyPrefix) are left behind; a benchmark with as many keys deletes them")

  static func begins(_ subject: BenchmarkSubject) -> Answer {
    switch subject {
    case .plain: Answer(.info, "Running benchmark...")
    case .workload: Answer(.info, "Running benchmark \(subject.words)...")
    }
  }

  /// The figures of one phase of the plain benchmark.
  static func measured(
    _ phase: BenchmarkProgress.Phase, _ measured: PlainBenchmark.Measurement, _ capabilities: Capabilities
  ) -> [Answer] {
    let name = phase == .write ? "Write" : "Read"
    let figures = [
      Answer(.info, "\(name) operations: \(measured.operations) in \(Int(measured.seconds * 1_000))ms"),
      Answer(.info, "\(name) throughput: \(measured.perSecond) ops/sec"),
    ]
    guard let error = measured.firstError else { return figures }
    let failed = Figures.count(measured.failures, name.lowercased())
    return figures + [Answer(.failure, "\(failed) failed, the first with: \(error.words(on: capabilities))")]
  }

  /// - Parameter error: why they could not be deleted; `nil` if the time was up.
  static func leftBehind(_ error: ClusterError?, _ capabilities: Capabilities) -> Answer {
    let reason = error.map { $0.words(on: capabilities) } ?? "no time left"
    return Answer(
      .failure,
      "Some keys under \(PlainBenchmark.keyPrefix) are left behind: \(reason); the next benchmark deletes them")
  }

  static func brokenOff(_ error: any Error, _ capabilities: Capabilities) -> Answer {
    let reason = (error as? ClusterError)?.words(on: capabilities) ?? "\(error)"
    return Answer(.failure, "The benchmark could not go on: \(reason)")
  }

  static func notWritten(_ path: String, because reason: String) -> Answer {
    Answer(.failure, Array("Cannot write ".utf8), ByteText.decode(path), Array(": \(reason)".utf8))
  }

  static func written(_ path: String) -> Answer {
    Answer(.success, Array("Report written: ".utf8), ByteText.decode(path))
  }
}

extension BenchmarkSubject {
  /// The name of the benchmark, wherever it is told.
  package var words: String {
    switch self {
    case .plain: "writes and reads of \(Figures.count(PlainBenchmark.clients, "client"))"
    case .workload(let plan): "\(plan.workload.rawValue) with \(Figures.count(plan.clients, "client"))"
    }
  }
}

extension PlainBenchmark {
  /// A line of help about the plain benchmark.
  static var summary: String {
    let schedule = Schedule()
    let reading = schedule.readsEnd - schedule.writesEnd
    return "Alone, and without options, it writes for \(seconds(schedule.writesEnd)) and reads for \(seconds(reading)) "
      + "with \(Figures.count(clients, "client")) and says both rates."
  }

  private static func seconds(_ length: Duration) -> String { Figures.given(ns: UInt64(length / .nanoseconds(1))) }
}

extension BenchmarkProgress.Phase {
  package var words: String {
    switch self {
    case .write: "Writing"
    case .read: "Reading"
    case .cleanUp: "Cleaning up"
    }
  }
}

extension BenchmarkProgress {
  package var text: String {
    // Plain digits: the original's words.
    "\(phase.words): \(operations) \(Figures.word(operations, "operation", "operations"))"
  }
}

extension BenchmarkSummary {
  /// - Parameter earlier: the run to compare with, if there is one.
  func line(_ number: Int, comparedWith earlier: BenchmarkSummary?) -> String {
    let loop = plan.rate.map { ", \(Figures.rate($0)) ops/s asked for" } ?? ""
    let latency = latency.map {
      ", p50 \(Figures.time(ns: $0.p50)), p99 \(Figures.time(ns: $0.p99)), "
        + "p99.9 \(Figures.time(ns: $0.p999))"
    }
    let failed = failures > 0 ? ", \(Figures.count(failures)) failed" : ""
    let ratio = earlier.map {
      ", \(Figures.factor(operationsPerSecond / $0.operationsPerSecond, placesMax: 2)) of the one before"
    }
    return """
      \(number). \(plan.workload.rawValue), \(Figures.count(plan.clients, "client"))\(loop): \(Figures.rate(operationsPerSecond)) \
      ops/s\(latency ?? "")\(failed)\(ratio ?? "")
      """
  }
}
