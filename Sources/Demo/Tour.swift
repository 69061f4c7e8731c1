import KVCluster
import Synchronization

/// Plays the chapters, one after the other, as its reader wants: on, back, again, by itself or step by step.
///
/// Knows no terminal: one face asks for the ``scene`` as often as it draws, another writes the ``TourEvent``s down. A
/// chapter that is left early is cancelled and its cluster closed under it, which ends whatever the engine does for it.
package final class Tour: Sendable {
  private struct State {
    var scene = TourScene()
    var report = TourReport()
    /// Where to go when the chapter that plays has ended; `nil` is the next one.
    var jump: Int?
    /// Claims that the chapter that plays has made this time.
    var claimsMade = 0
    var isBegun = false
    var playing: Task<Void, Never>?
    var stage: Stage?
    /// What a face may show; not while it is being closed.
    var cluster: Cluster?

    /// Where a chapter's claims stand in the report.
    func places(of chapter: String) -> [Int] { report.claims.indices.filter { report.claims[$0].chapter == chapter } }

    mutating func count() {
      scene.held = report.claims.count { $0.holds }
      scene.failed = report.claims.count { !$0.holds }
    }
  }

  let settings: TourSettings
  let gate = Gate()
  private let chapters: [Chapter]
  private let state = Mutex(State())
  private let tell: @Sendable (TourEvent) -> Void

  /// - Parameters:
  ///   - settings: how fast, from where, on what clusters.
  ///   - chapters: what is played, in order.
  ///   - tell: hears what happens, in order, on the tour's task.
  package init(
    _ settings: TourSettings, chapters: [Chapter] = Chapter.all,
    tell: @escaping @Sendable (TourEvent) -> Void = { _ in }
  ) {
    self.settings = settings
    self.chapters = chapters
    self.tell = tell
    state.withLock { $0.scene.chapterCount = chapters.count }
  }

  /// What is shown now.
  package var scene: TourScene { state.withLock { $0.scene } }
  package var report: TourReport { state.withLock { $0.report } }

  /// The cluster that is shown now; `nil` between two.
  package var cluster: Cluster? { state.withLock { $0.cluster } }

  /// Plays from the first chapter to the last, or until ``stop()``; leaves no cluster behind. With a reader it stays at
  /// the end of the last one until the reader goes back or leaves.
  @discardableResult
  package func run() async -> TourReport {
    var number = settings.first
    while chapters.indices.contains(number), !isStopped {
      let stage = begin(number)
      let chapter = chapters[number]
      let task = Task { [self] in await play(chapter, stage) }
      state.withLock { $0.playing = task }
      // It may have been stopped before there was something to cancel.
      if isStopped { task.cancel() }
      await withTaskCancellationHandler {
        await task.value
      } onCancel: {
        stop()
      }
      let isLast = number + 1 == chapters.count
      if isLast, settings.isPaced { await stayAtEnd() }
      number = state.withLock { $0.jump } ?? number + 1
      await stage.close()
    }
    return report
  }

  private func stayAtEnd() async {
    state.withLock { $0.scene.isOver = true }
    while !isStopped, state.withLock({ $0.jump == nil }) { _ = await gate.wait(nil) }
    state.withLock { $0.scene.isOver = false }
  }

  private func begin(_ number: Int) -> Stage {
    let stage = Stage(self, chapters[number])
    gate.reset()
    state.withLock { state in
      state.stage = stage
      state.jump = nil
      state.scene.chapter = number
      state.scene.title = chapters[number].title
      state.scene.text = chapters[number].text
      state.scene.part = chapters[number].part
      state.scene.lines = []
      state.scene.isWaiting = false
    }
    tell(.chapter(number: number + 1, title: chapters[number].title, text: chapters[number].text))
    return stage
  }

  private func play(_ chapter: Chapter, _ stage: Stage) async {
    state.withLock { $0.claimsMade = 0 }
    do {
      let cluster = try await stage.open(chapter.setting)
      if takePreface() { try await introduce(chapter, stage) }
      try await stage.read(chapter.text)
      try await chapter.play(stage, cluster)
      try await stage.finishReading()
      state.withLock { state in
        if !state.report.chapters.contains(chapter.title) { state.report.chapters.append(chapter.title) }
        // Played to its end it has made all the claims there are; another time it may have failed with one more.
        for at in state.places(of: chapter.title).dropFirst(state.claimsMade).reversed() {
          state.report.claims.remove(at: at)
        }
        state.count()
      }
    } catch is CancellationError {
    } catch {
      // Whatever fails under a chapter that is being left is the leaving's doing.
      if !Task.isCancelled { stage.claim("the chapter can be played to its end", false, "\(error)") }
    }
  }

  /// Whether this is the first chapter that is played, and there is something to say before.
  private func takePreface() -> Bool {
    state.withLock { state in
      defer { state.isBegun = true }
      return !state.isBegun && !settings.preface.isEmpty
    }
  }

  private func introduce(_ chapter: Chapter, _ stage: Stage) async throws {
    try await stage.say(settings.preface)
    say(chapter.text, at: chapter.part)
  }

  private var isStopped: Bool { state.withLock { $0.report.wasStopped } }
}

// MARK: - What the reader does

extension Tour {
  /// Goes on from where the tour waits; while the engine works, past the next place where it would.
  package func next() { gate.open() }

  /// To the next chapter at once.
  package func skip() { go { $0 + 1 } }

  /// To the beginning of this chapter, or from there to the one before.
  package func back() {
    let isAtBeginning = scene.lines.isEmpty
    go { max(0, isAtBeginning ? $0 - 1 : $0) }
  }

  /// Between going on by itself and waiting for its reader.
  package func togglePause() {
    let isAutomatic = state.withLock { state in
      state.scene.isAutomatic.toggle()
      return state.scene.isAutomatic
    }
    if isAutomatic, scene.isWaiting { gate.open() }
  }

  /// Ends the tour; ``run()`` returns soon.
  package func stop() {
    let (playing, stage) = state.withLock { state in
      // Once it is being left its end is no longer waited at.
      if !state.report.wasStopped { state.report.wasLeftEarly = !state.scene.isOver }
      state.report.wasStopped = true
      return (state.playing, state.stage)
    }
    playing?.cancel()
    stage?.abandon()
    gate.open()
  }

  private func go(_ target: (Int) -> Int) {
    let (playing, stage) = state.withLock { state in
      let number = target(state.scene.chapter)
      guard !state.report.wasStopped, number < chapters.count else { return (nil as Task<Void, Never>?, nil as Stage?) }
      state.jump = number
      return (state.playing, state.stage)
    }
    playing?.cancel()
    stage?.abandon()
    if stage != nil { gate.open() }
  }
}

// MARK: - What the stage says

extension Tour {
  func opened(_ cluster: Cluster) {
    state.withLock { state in
      state.cluster = cluster
      state.scene.clusterNumber += 1
    }
  }

  /// A cluster that closes is nothing to look at.
  func closing() { state.withLock { $0.cluster = nil } }

  func say(_ text: String, at part: TourPart?) {
    state.withLock { state in
      state.scene.text = text
      if let part { state.scene.part = part }
    }
    tell(.said(text))
  }

  func add(_ line: TourLine) {
    state.withLock { $0.scene.lines.append(line) }
    tell(.line(line))
  }

  func add(_ claim: Claim) {
    state.withLock { state in
      // A chapter that is played again makes the same claims in the same order. Each counts as it was checked last, so
      // that one which was seen to hold is not forgotten when the chapter is left half-way.
      let former = state.places(of: claim.chapter).dropFirst(state.claimsMade).first
      if let former { state.report.claims[former] = claim } else { state.report.claims.append(claim) }
      state.claimsMade += 1
      state.count()
    }
    add(TourLine(kind: .claim(holds: claim.holds), text: claim.line))
  }

  /// Leaves time to read, if somebody is reading.
  func pause(toRead text: String) async throws {
    try Task.checkCancellation()
    guard settings.isPaced else { return }
    state.withLock { $0.scene.isWaiting = true }
    var isOpened = false
    repeat {
      isOpened = await gate.wait(scene.isAutomatic ? settings.readingTime(of: text) : nil)
      // Whoever paused it meanwhile decides when it goes on.
    } while !isOpened && !scene.isAutomatic && !Task.isCancelled
    state.withLock { $0.scene.isWaiting = false }
    try Task.checkCancellation()
  }
}
