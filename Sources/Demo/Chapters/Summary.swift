import Commands
import KVCluster

extension Chapter {
  static let summary = Chapter(
    name: "summary", title: "Summary",
    text: """
      Everything above was done and measured just now, on clusters in temporary folders that are gone with them. \
      So many of the claims of each chapter held.
      """,
    part: .tour, setting: Setting(nodes: 3)
  ) { stage, _ in
    let report = stage.report
    for chapter in Chapter.all {
      let claims = report.claims.filter { $0.chapter == chapter.title }
      guard !claims.isEmpty else { continue }
      let held = claims.count { $0.holds }
      let word = held == claims.count ? "all \(claims.count) claims held" : "\(held) of \(claims.count) claims held"
      stage.figure("\(chapter.title): \(word)")
    }
    if report.claims.isEmpty { stage.figure("no chapter was played before this one") }
    stage.figure("`explain` at the prompt says why it works, and what an interviewer asks next")
  }
}
