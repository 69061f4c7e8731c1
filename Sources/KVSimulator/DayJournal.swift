/// The lines of one simulated day as people read them, and which of them tells the answer that cannot be.
///
/// Lines are handed on as they come, so that a day that ends in a trap has told how it got there; that an answer was wrong
/// is known only once the whole history has been checked.
package struct DayJournal: Sendable {
  /// What stands above the lines.
  package static let heading = "virtual time   event"

  /// What clients were told, in the order of their answers.
  private var answers: [(line: String, text: String)] = []

  package init() {}

  /// Takes a line of ``Simulation/onTrace``; returns it as it is printed: `  1.004512 s   client 2: get key3 → v17`.
  package mutating func add(_ traced: String) -> String {
    let parts = traced.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, let us = Int(parts[0]) else { return traced }
    let fraction = String(us % 1_000_000)
    let time = "\(us / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction) s"
    let line = String(repeating: " ", count: max(0, 12 - time.count)) + time + "   " + parts[1]
    if parts[1].hasPrefix("client ") { answers.append((line, String(parts[1]))) }
    return line
  }

  /// The line of the answer from which on no order explains the operations.
  ///
  /// - Parameters:
  ///   - violation: what was found.
  ///   - history: the day's; the one that it is told by has the same words as others, and is known by its number.
  package func line(of violation: Violation, in history: History) -> String? {
    guard let last = violation.operations.filter({ $0.returnedAt != nil }).max(by: { $0.returnedAt! < $1.returnedAt! })
    else { return nil }
    let alike = history.operations.filter {
      $0.process == last.process && $0.key == violation.key && $0.call == last.call && $0.outcome == last.outcome
    }.compactMap(\.returnedAt).sorted()
    guard let number = alike.firstIndex(of: last.returnedAt!), let words = DayJournal.words(last) else { return nil }
    let told = answers.filter { $0.text.hasPrefix(words.asked) && words.ends($0.text) }
    return number < told.count ? told[number].line : nil
  }

  /// How the line of an operation begins and ends; between the two may stand a level of consistency, `one` excepted, for
  /// what one owner says is not judged.
  private static func words(_ operation: History.Operation) -> (asked: String, ends: (String) -> Bool)? {
    let key = String(decoding: operation.key, as: UTF8.self)
    let asked: String
    let answer: String
    switch (operation.call, operation.outcome) {
    case (.get, .found(let contents)):
      (asked, answer) = ("get \(key) ", contents.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")
    case (.put(let value), .done):
      (asked, answer) = ("put \(key) \(String(decoding: value, as: UTF8.self)) ", "done")
    case (.delete, .done): (asked, answer) = ("del \(key) ", "done")
    default: return nil
    }
    return (
      "client \(operation.process): \(asked)",
      { $0.hasSuffix("→ \(answer)") && !$0.contains(" at one → ") }
    )
  }
}
