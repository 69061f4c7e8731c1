import KVCluster

/// How the tour is played.
package struct TourSettings: Sendable {
  /// How much faster than a person reads; measurements get shorter with it, down to half a second.
  package var speed = 1.0
  /// The chapter to begin with, from 0.
  package var first = 0
  /// Whether somebody is looking: then the tour leaves time to read.
  package var isPaced = false
  /// What the reader should know before the first chapter; empty for nothing.
  package var preface = ""
  /// Makes an empty temporary folder for a cluster, which removes it when it closes.
  package var makeFolder: @Sendable () throws -> String
  /// Mistakes to plant, to see the claims fail that they break.
  package var mistake: PlantedMistake?
  package var readQuorum: Int?
  package var writeQuorum: Int?

  package init(makeFolder: @escaping @Sendable () throws -> String) { self.makeFolder = makeFolder }

  /// Slower than this nobody waits, faster nothing can be measured.
  package static let speedRange = 0.1...100.0

  /// A person reads four words a second, and looks at the picture beside them.
  func readingTime(of text: String) -> Duration {
    let words = text.split(separator: " ").count
    return .seconds((1.2 + Double(words) * 0.3) / speed)
  }

  /// How long a command stands there before it is run, and its answer before the next: an eye follows the picture.
  var beat: Duration { .seconds(isPaced ? 0.7 / speed : 0) }

  /// A measurement's length.
  func length(_ seconds: Double) -> Double { max(0.5, seconds / speed) }

  /// An amount of data that is loaded to be looked at: less when nobody has time to look.
  func amount(_ count: Int) -> Int { max(count / 5, Int(Double(count) / max(1, speed))) }
}
