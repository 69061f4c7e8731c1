import ClusterModel

/// The statuses of the last half hour, so that a frozen picture can be stepped back through: ten a second of what has just
/// been, one a second of the last minutes, one in five seconds of the rest.
///
/// Without the latencies, which are nearly all of a status and which graphs have anyway: about 1 KB a node and moment, a
/// thousand moments.
package struct StatusHistory: Sendable {
  package struct Moment: Sendable {
    package var atNs: UInt64
    package var status: ClusterStatus
  }

  /// Moments from one age to the next, oldest first, no closer to each other than `spacingNs`.
  private struct Tier {
    var moments: [Moment] = []
    let spacingNs: UInt64
    let ageMaxNs: UInt64
  }

  /// The newest first.
  private var tiers = [
    Tier(spacingNs: 0, ageMaxNs: 30_000_000_000), Tier(spacingNs: 1_000_000_000, ageMaxNs: 300_000_000_000),
    Tier(spacingNs: 5_000_000_000, ageMaxNs: 1_800_000_000_000),
  ]

  package init() {}

  /// Takes a status. Amortised O(1), but for a move of a few hundred moments once a second.
  mutating func add(_ status: ClusterStatus, atNs: UInt64) {
    var kept = status
    // An empty value still says that latencies are measured.
    kept.latencies = status.latencies.map { _ in OperationLatencies() }
    for index in kept.nodes.indices { kept.nodes[index].wal?.syncLatencies = nil }
    tiers[0].moments.append(Moment(atNs: atNs, status: kept))
    for index in tiers.indices { age(index, atNs) }
  }

  /// Takes moments that are too old out of a tier. The next tier gets those of them that keep its spacing.
  private mutating func age(_ index: Int, _ nowNs: UInt64) {
    let oldest = nowNs - Swift.min(nowNs, tiers[index].ageMaxNs)
    let count = tiers[index].moments.prefix { $0.atNs < oldest }.count
    guard count > 0 else { return }
    if tiers.indices.contains(index + 1) {
      let spacingNs = tiers[index + 1].spacingNs
      for moment in tiers[index].moments[..<count] {
        if let last = tiers[index + 1].moments.last, moment.atNs < last.atNs + spacingNs { continue }
        tiers[index + 1].moments.append(moment)
      }
    }
    tiers[index].moments.removeFirst(count)
  }

  /// More than there can be.
  static let momentsMax = 1_000_000

  /// Oldest first.
  package var moments: [Moment] { tiers.reversed().flatMap(\.moments) }
}
