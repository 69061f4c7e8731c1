import Commands

/// The tour as text, for a pipe or a file: what a face without a screen writes as it goes.
package enum TourText {
  private static let width = 80

  /// What stands above all.
  package static let opening = [
    "kvstore: a guided tour over clusters in temporary folders of their own. Every figure",
    "is measured as it goes. [✓] is a claim that was checked and held, [✗] one that did not.",
  ]

  package static func lines(_ event: TourEvent) -> [String] {
    switch event {
    case .chapter(let number, let title, let text):
      let heading = "\(number). \(title)"
      return ["", heading, String(repeating: "=", count: heading.count)] + WordWrap.lines(text, width: width) + [""]
    case .said(let text): return [""] + WordWrap.lines(text, width: width) + [""]
    case .line(let line): return wrapped(line)
    }
  }

  /// How it ended; the claims that did not hold by name.
  package static func closing(_ report: TourReport) -> [String] {
    let failures = report.failures.map { "✗ \($0.chapter): \($0.line)" }
    return [""] + failures + ["\(report.sign) \(head(report))"]
  }

  private static func head(_ report: TourReport) -> String {
    let (failed, all) = (report.failures.count, report.claims.count)
    let left = report.wasLeftEarly ? "; the tour was left before its end" : ""
    return failed == 0 ? report.words : "\(failed) of \(all) claims did not hold\(left)"
  }

  private static func wrapped(_ line: TourLine) -> [String] {
    switch line.kind {
    case .command: ["kvstore> \(line.text)"]
    case .answer(.success): hanging("", "✓ \(line.text)")
    case .answer(.failure): hanging("", "✗ \(line.text)")
    case .answer(.info), .answer(.note): hanging("", line.text)
    case .figure: hanging(" ·  ", line.text)
    case .claim(holds: true): hanging("[✓] ", line.text)
    case .claim(holds: false): hanging("[✗] ", "CLAIM FAILED: \(line.text)")
    }
  }

  /// What does not fit the line goes on under its beginning.
  private static func hanging(_ sign: String, _ text: String) -> [String] {
    WordWrap.lines(text, width: width - sign.count).enumerated().map { number, part in
      (number == 0 ? sign : String(repeating: " ", count: sign.count)) + part
    }
  }
}
