import Demo
import Glibc
import KVCluster
import Synchronization
import Testing

/// The tour, played for real at the highest speed.
struct TourTests {
  /// Folders that were made for clusters.
  private final class Folders: Sendable {
    private let made = Mutex<[String]>([])

    @Sendable func make() -> String {
      var template = Array("/tmp/kvstore-test-XXXXXX".utf8CString)
      precondition(mkdtemp(&template) != nil)
      let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      made.withLock { $0.append(path) }
      return path
    }

    var count: Int { made.withLock { $0.count } }
    var left: [String] { made.withLock { $0 }.filter { access($0, F_OK) == 0 } }
  }

  private func settings(_ folders: Folders) -> TourSettings {
    var settings = TourSettings(makeFolder: folders.make)
    settings.speed = 100
    return settings
  }

  private func chapters(_ names: String...) -> [Chapter] { Chapter.all.filter { names.contains($0.name) } }

  @Test(
    "Every claim of the chapter holds, and its cluster's folder is gone afterwards", arguments: Chapter.all.map(\.name))
  func holds(name: String) async {
    let folders = Folders()
    let events = Mutex<[TourEvent]>([])
    let tour = Tour(settings(folders), chapters: chapters(name)) { event in events.withLock { $0.append(event) } }
    let report = await tour.run()
    #expect(report.failures == [])
    #expect(report.chapters.count == 1 && !report.wasStopped)
    #expect(name == "summary" || report.claims.count >= 4, "\(report.claims)")
    #expect(folders.count == 1 && folders.left == [])
    let lines = events.withLock { $0 }.flatMap(TourText.lines)
    #expect(lines.count { $0.hasPrefix("[✓]") } == report.claims.count)
    // A key or value may be long; what the tour says itself is not.
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.filter { $0.count > 80 })")
  }

  @Test("A read that one owner decides is caught by the partition's claims")
  func readsOne() async {
    var settings = settings(Folders())
    settings.mistake = .readsOne
    let report = await Tour(settings, chapters: chapters("partition")).run()
    #expect(report.failures.contains { $0.text == "no read is stale on either side" })
    #expect(TourText.closing(report).contains { $0.hasPrefix("✗ A partition, with quorums: no read is stale") })
  }

  @Test("A read that does not write back is caught by the race over cut links")
  func noWriteBack() async {
    var settings = settings(Folders())
    settings.mistake = .noWriteBack
    // It takes two readers at the right moments: four of ten races have some (measured, on an idle machine), so that twenty
    // without any are one in 30,000.
    for _ in 0..<20 {
      let report = await Tour(settings, chapters: chapters("concurrency")).run()
      if report.failures.contains(where: { $0.text == "the answers are linearizable" }) { return }
    }
    Issue.record("twenty races did not show it")
  }

  @Test("Quorums that do not overlap fail the claims that say they do")
  func smallQuorums() async {
    var settings = settings(Folders())
    (settings.readQuorum, settings.writeQuorum) = (1, 1)
    let report = await Tour(settings, chapters: chapters("cluster", "consistency")).run()
    #expect(report.failures.map(\.text).contains("R + W > N: reads and writes overlap"))
    #expect(report.failures.map(\.text).contains("the cluster is healthy and linearizable"))
    #expect(report.chapters.count == 2, "a failed claim does not end the tour")
  }

  @Test("A chapter that cannot be played is a claim that failed")
  func unplayable() async {
    struct NoRoom: Error {}
    let settings = TourSettings { throw NoRoom() }
    let report = await Tour(settings, chapters: chapters("data")).run()
    #expect(report.failures.map(\.text) == ["the chapter can be played to its end"])
  }

  @Test("A reader who pauses goes on step by step, ahead, back to the beginning and to the chapter before")
  func reader() async throws {
    let folders = Folders()
    var settings = settings(folders)
    settings.isPaced = true
    settings.speed = 1
    let tour = Tour(settings, chapters: chapters("cluster", "data", "consistency"))
    let playing = Task { await tour.run() }
    tour.togglePause()
    try await wait(for: "the first text") { tour.scene.isWaiting && tour.scene.lines.isEmpty }
    #expect(!tour.scene.isAutomatic && tour.scene.chapter == 0)
    tour.next()
    try await wait(for: "evidence") { tour.scene.isWaiting && !tour.scene.lines.isEmpty }
    tour.skip()
    try await wait(for: "the next chapter") { tour.scene.chapter == 1 && tour.scene.isWaiting }
    let cluster = tour.scene.clusterNumber
    tour.next()
    try await wait(for: "its evidence") { tour.scene.isWaiting && !tour.scene.lines.isEmpty }
    let seen = tour.report.claims.count
    #expect(seen > 0 && tour.report.words.hasPrefix(seen == 1 ? "The claim" : "All \(seen) claims"))
    tour.back()
    try await wait(for: "its beginning") { tour.scene.isWaiting && tour.scene.lines.isEmpty }
    #expect(tour.scene.chapter == 1 && tour.scene.clusterNumber > cluster, "again is a new cluster")
    tour.back()
    try await wait(for: "the chapter before") { tour.scene.chapter == 0 && tour.scene.isWaiting }
    tour.stop()
    let report = await playing.value
    #expect(report.wasStopped && report.failures == [])
    #expect(report.claims.count >= seen, "what was seen to hold is not forgotten when its chapter is played again")
    #expect(report.wasLeftEarly && report.words.hasSuffix("; the tour was left before its end"))
    #expect(folders.left == [] && tour.cluster == nil)
  }

  @Test("What the reader should know first is said before the first chapter, and only there")
  func preface() async throws {
    var settings = settings(Folders())
    settings.isPaced = true
    settings.preface = "This is a tour."
    let tour = Tour(settings, chapters: chapters("cluster", "data"))
    tour.togglePause()
    let playing = Task { await tour.run() }
    try await wait(for: "the preface") { tour.scene.isWaiting }
    #expect(tour.scene.text == "This is a tour.")
    tour.next()
    try await wait(for: "the chapter") { tour.scene.isWaiting && tour.scene.text != "This is a tour." }
    tour.skip()
    try await wait(for: "the next") { tour.scene.isWaiting && tour.scene.chapter == 1 }
    #expect(tour.scene.text.hasPrefix("A put goes"))
    tour.stop()
    _ = await playing.value
  }

  @Test("At its end a tour waits for its reader, who may go back once more")
  func end() async throws {
    var settings = settings(Folders())
    settings.isPaced = true
    let tour = Tour(settings, chapters: chapters("data", "summary"))
    let playing = Task { await tour.run() }
    try await wait(for: "the end") { tour.scene.isOver }
    #expect(tour.scene.held == tour.report.claims.count && tour.scene.held > 0 && tour.cluster != nil)
    tour.back()
    try await wait(for: "the last chapter again") { !tour.scene.isOver }
    try await wait(for: "the end again") { tour.scene.isOver }
    tour.stop()
    try await wait(for: "its leaving") { !tour.scene.isOver }
    tour.stop()
    let report = await playing.value
    #expect(report.failures == [] && !report.wasLeftEarly)
    #expect(report.words == "All \(report.claims.count) claims held")
    #expect(Set(report.claims.map(\.chapter)).count == 1)
  }

  @Test("A tour that is left before its first claim says so, and calls it no success")
  func leftAtOnce() async throws {
    let tour = Tour(settings(Folders()), chapters: chapters("summary"))
    let playing = Task { await tour.run() }
    tour.stop()
    let report = await playing.value
    #expect(report.words.hasPrefix("No claim was checked"))
    #expect(TourText.closing(report).last?.hasPrefix("• No claim was checked") == true)
  }

  @Test("A tour that is stopped in the middle of its work ends soon and leaves nothing behind")
  func stopped() async throws {
    let folders = Folders()
    var settings = settings(folders)
    settings.speed = 0.1
    let tour = Tour(settings, chapters: chapters("performance"))
    let playing = Task { await tour.run() }
    try await wait(for: "work") { (tour.cluster?.status().operations?.writes ?? 0) > 100 }
    let start = ContinuousClock.now
    tour.stop()
    #expect(await playing.value.failures == [])
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(folders.left == [])
  }

  @Test("Chapters are found by name and by number from 1")
  func names() {
    #expect(Chapter.number(called: "Scaling") == 4 && Chapter.number(called: "5") == 4)
    #expect(
      Chapter.number(called: "0") == nil && Chapter.number(called: "13") == nil && Chapter.number(called: "x") == nil)
    #expect(Set(Chapter.all.map(\.name)).count == Chapter.all.count)
  }

  private func wait(for what: String, _ condition: () -> Bool) async throws {
    for _ in 0..<3_000 {
      if condition() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("\(what) did not come within a minute")
  }
}
