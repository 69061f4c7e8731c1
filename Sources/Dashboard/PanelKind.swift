/// The panels that can have the keys, in the order in which Tab visits them.
package enum PanelKind: String, CaseIterable, Sendable {
  case ring, nodes, throughput, latency, benchmark, events

  /// There while something is to be seen of a benchmark; the others always are.
  package var needsBenchmark: Bool { self == .benchmark }
}
