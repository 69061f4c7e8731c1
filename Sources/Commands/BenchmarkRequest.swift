import ClusterModel
import KVBench

/// The words behind `benchmark`, parsed.
package enum BenchmarkRequest: Sendable, Equatable {
  /// Nothing: the original's two averages.
  case averages
  /// A workload with its options, and where its page with graphs goes, if anywhere.
  case run(BenchmarkPlan, report: String?)
  /// Ends the one that runs.
  case stop
  /// Lists the last few.
  case results

  /// Defaults of a run at the prompt: enough to see, and soon over and cleaned up.
  static let keysDefault = 10_000
  static let clientsDefault = 64
  static let secondsDefault = 10.0

  package static let workloads =
    BenchmarkPlan.Workload.allCases.filter { $0 != .open && $0 != .ycsbE }.map(\.rawValue)
  private static let firstWords = workloads + ["stop", "results"]
  /// First words behind `benchmark` on a backend with the features given.
  package static func words(on capabilities: Capabilities?) -> [String] {
    capabilities?.has(.workloads) ?? true ? firstWords : ["stop", "results"]
  }

  package static let options = [
    "--seconds", "--clients", "--threads", "--keys", "--value-bytes", "--distribution", "--rate", "--seed", "--report",
  ]

  static let distributions = KeyDistribution.allCases.map(\.rawValue)

  /// - Throws: ``CommandError/badOption(_:_:)``.
  init(_ words: [String]) throws(CommandError) {
    guard let first = words.first else {
      self = .averages
      return
    }
    if first == "stop" || first == "results" {
      guard words.count == 1 else { throw .tooManyArguments(.benchmark) }
      self = first == "stop" ? .stop : .results
      return
    }
    guard !first.hasPrefix("-") else {
      let line = words.joined(separator: " ").prefix(64)
      throw .badOption(.benchmark, .noWorkload(options: String(line)))
    }
    guard let workload = BenchmarkPlan.Workload(rawValue: first), workload != .open else {
      throw .badOption(.benchmark, .unknownWorkload(String(first.prefix(64)), words: Self.workloads))
    }
    var plan = BenchmarkPlan(
      workload: workload, keys: Self.keysDefault, clients: Self.clientsDefault, seconds: Self.secondsDefault)
    let prefix = Array(PlainBenchmark.keyPrefix.utf8)
    plan.toleratesFailures = true
    plan.names = workload.isYCSB ? .ycsb(prefix: prefix) : .decimal(prefix: prefix, digits: 16)
    var report: String?
    try Self.read(words.dropFirst(), into: &plan, &report)
    if let problem = plan.problem { throw .badOption(.benchmark, .contradiction(problem)) }
    self = .run(plan, report: report)
  }

  private static func read(
    _ words: ArraySlice<String>, into plan: inout BenchmarkPlan, _ report: inout String?
  ) throws(CommandError) {
    var rest = words
    while let option = rest.popFirst() {
      guard options.contains(option) else {
        throw .badOption(.benchmark, .unknown(String(option.prefix(64)), options: options))
      }
      if option == "--report", let path = rest.popFirst() {
        report = path
        continue
      }
      guard let value = rest.popFirst(), set(option, value, &plan) else {
        throw .badOption(.benchmark, .badValue(option: option))
      }
    }
  }

  /// Returns whether the value is one.
  private static func set(_ option: String, _ value: String, _ plan: inout BenchmarkPlan) -> Bool {
    switch option {
    case "--seconds": Double(value).map { plan.seconds = $0 } != nil && plan.seconds > 0
    case "--clients": Int(value).map { plan.clients = $0 } != nil
    case "--threads": Int(value).map { (plan.threads, plan.clients) = ($0, $0) } != nil
    case "--keys": Int(value).map { plan.keys = $0 } != nil
    case "--value-bytes": ValueSizes(value).map { plan.valueSizes = $0 } != nil
    case "--distribution": KeyDistribution(rawValue: value).map { plan.distribution = $0 } != nil
    case "--rate": Double(value).map { plan.rate = $0 } != nil
    default: UInt64(value).map { plan.seed = $0 } != nil
    }
  }
}
