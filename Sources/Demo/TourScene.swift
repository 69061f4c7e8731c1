import Text

/// What the tour shows at a moment.
package struct TourScene: Sendable, Equatable {
  /// The chapter, from 0.
  package var chapter = 0
  package var chapterCount = 0
  package var title = ""
  /// What to look at now.
  package var text = ""
  package var part = TourPart.ring
  /// The chapter's evidence so far.
  package var lines: [TourLine] = []
  /// Claims of all chapters, as they were checked last.
  package var held = 0
  package var failed = 0
  /// Waits for its reader; else the engine works.
  package var isWaiting = false
  /// Goes on by itself when there was time to read.
  package var isAutomatic = true
  /// The last chapter has been played.
  package var isOver = false
  /// Grows with each cluster that is opened: what was seen of the one before is past.
  package var clusterNumber = 0
}

/// What the tour tells a face that writes as it goes.
package enum TourEvent: Sendable, Equatable {
  case chapter(number: Int, title: String, text: String)
  case said(String)
  case line(TourLine)
}

/// How a tour ended.
package struct TourReport: Sendable {
  /// Chapters that were played to their end.
  package var chapters: [String] = []
  /// Each chapter's claims, from its last time.
  package var claims: [Claim] = []
  /// It was ended by its reader, at the end of the last chapter or before.
  package var wasStopped = false
  /// It was ended before that.
  package var wasLeftEarly = false

  package var failures: [Claim] { claims.filter { !$0.holds } }

  /// `All 34 claims held`, and whether that is all there are.
  package var words: String {
    let count = claims.count
    guard failures.isEmpty else {
      return "\(failures.count) of \(Figures.count(count, "claim")) did not hold: "
        + failures.map { "\($0.chapter): \($0.text)" }.joined(separator: "; ")
    }
    if count == 0 { return "No claim was checked" + (wasLeftEarly ? ": the tour was left before its first" : "") }
    let all = Figures.word(count, "The claim", "All \(Figures.count(count, "claim"))")
    return wasLeftEarly
      ? "\(all) that \(Figures.word(count, "was", "were")) checked held; the tour was left before its end"
      : "\(all) held"
  }

  /// The sign before these words: nothing held where nothing was checked.
  package var sign: String { claims.isEmpty ? "•" : failures.isEmpty ? "✓" : "✗" }
}
