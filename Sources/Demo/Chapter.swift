import Commands
import KVCluster

/// One chapter of the tour: what it is about, the cluster it needs, and a script that does it for real.
///
/// A chapter stands for itself: it gets a fresh cluster, loads what it shows and checks what it says, so chapters can be
/// played in any order and again. The script is code rather than a list of steps, because what is said and checked
/// depends on what was measured before; faces see only what the script tells its `Stage`.
package struct Chapter: Sendable {
  /// In one word, as `--chapter` takes it.
  package let name: String
  package let title: String
  /// What happens and where to look, in two or three sentences.
  package let text: String
  /// The part of the dashboard it speaks of.
  package let part: TourPart
  let setting: Setting
  let play: @Sendable (Stage, Cluster) async throws -> Void

  /// The tour, in order: the original demo's seven sections, then what it could not show.
  package static let all: [Chapter] = [
    .setUp, .data, .consistency, .faults, .scaling, .performance, .concurrency, .recovery, .counting, .partition,
    .eventual,
    .summary,
  ]

  /// The chapter that a word or a number from 1 names.
  package static func number(called word: String) -> Int? {
    if let number = Int(word) { return all.indices.contains(number - 1) ? number - 1 : nil }
    return all.firstIndex { $0.name == word.lowercased() }
  }
}

/// The cluster that a chapter begins with.
struct Setting: Sendable {
  var nodes = 3
  /// Owners that must answer; `nil` is a majority.
  var quorum: Int?
  var timeoutNs: UInt64 = 5_000_000_000
}

/// A part of the dashboard that the tour points at.
package enum TourPart: String, Sendable {
  case header, ring, nodes, throughput, latency, events
  /// What the tour itself shows.
  case tour
}

/// One line of evidence.
package struct TourLine: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// A command as it would be typed at the prompt.
    case command
    /// What the command answered.
    case answer(Answer.Kind)
    /// Something measured.
    case figure
    /// A claim that was checked.
    case claim(holds: Bool)
  }

  package var kind: Kind
  package var text: String
}

/// A claim that was checked, and what it was checked against.
package struct Claim: Sendable, Equatable {
  package var chapter: String
  package var text: String
  package var holds: Bool
  /// What was measured.
  package var evidence: String

  /// The claim in one line.
  package var line: String { "\(text): \(evidence)" }
}
