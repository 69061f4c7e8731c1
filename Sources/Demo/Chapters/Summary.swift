import Commands
import KVCluster
import Text

extension Chapter {
  static let summary = Chapter(
    name: "summary", title: "Summary",
    text: """
      What the tour shows is done and measured as it goes, on clusters in temporary folders that are gone with them. \
      So many claims held of each chapter that was played.
      """,
    part: .tour, setting: Setting(nodes: 3)
  ) { stage, _ in
    let report = stage.report
    for chapter in Chapter.all {
      let claims = report.claims.filter { $0.chapter == chapter.title }
      guard !claims.isEmpty else { continue }
      let held = claims.count { $0.holds }
      let count = Figures.count(claims.count, "claim")
      let word =
        held == claims.count
        ? Figures.word(held, "its claim held", "all \(count) held") : "\(held) of \(count) held"
      stage.figure("\(chapter.title): \(word)")
    }
    if report.claims.isEmpty { stage.figure("none was played yet to its first claim; back goes to the chapter before") }
    stage.figure("`explain` at the prompt says why it works, and what an interviewer asks next")
  }
}
