import Foundation
import KVSimulator
import Testing

/// Histories that others recorded, with verdicts that others reached (`KVSTORE_HISTORIES` names their folder).
@Suite struct RecordedHistoriesTests {
  static let folder = ProcessInfo.processInfo.environment["KVSTORE_HISTORIES"]

  @Test(.enabled(if: folder != nil, "set KVSTORE_HISTORIES to the folder with verdicts.tsv"))
  func everyVerdictAgreesWithTheRecordedOne() throws {
    let folder = URL(fileURLWithPath: try #require(Self.folder))
    let table = try String(contentsOf: folder.appendingPathComponent("verdicts.tsv"), encoding: .utf8)
    let rows = table.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(!rows.isEmpty)
    let clock = ContinuousClock()
    var total = Duration.zero
    for row in rows {
      let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent(String(row[0]))))
      var verdict = Verdict.linearizable
      let elapsed = try clock.measure { verdict = LinearizabilityChecker.check(try RecordedHistory.parse(bytes)) }
      total += elapsed
      let word = if case .violation = verdict { "violation" } else { "linearizable" }
      #expect(word == row[1], "\(row[0])")
      if case .undecided = verdict { Issue.record("\(row[0]): undecided") }
      if elapsed > .milliseconds(100) { print("\(row[0]): \(elapsed)") }
    }
    print("\(rows.count) recorded histories in \(total)")
    #expect(total < .seconds(10))
  }
}
