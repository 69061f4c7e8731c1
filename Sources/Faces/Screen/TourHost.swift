import ClusterModel
import Commands
import Dashboard
import Demo
import Synchronization
import Text

/// The screen's host while a tour is played: the cluster of the chapter, and the tour's text.
struct TourHost: ScreenHost {
  private let tour: Tour
  private let playing: Task<TourReport, Never>

  init(_ settings: TourSettings) {
    var settings = settings
    settings.isPaced = true
    let tour = Tour(settings)
    self.tour = tour
    playing = Task { await tour.run() }
  }

  /// Ends the tour; returns when its cluster and folder are gone.
  func finish() async -> TourReport {
    tour.stop()
    return await playing.value
  }

  func status() -> ClusterStatus? { tour.cluster?.status() }

  func events(after sequence: UInt64) -> [ClusterEvent] { tour.cluster?.events(after: sequence) ?? [] }

  func run(_ line: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    CommandAnswer(lines: [.init("A tour is being played: q leaves it", isSuccess: false)], isSuccess: false)
  }

  var advice: CommandAdvice {
    CommandAdvice(
      read: { [tour] line in
        let read = ReadLine(typed: line)
        let key = read.value?.key.flatMap { key in tour.cluster.map { ShownKey(key, on: $0) } }
        return AdvisedLine(TypedLine(line, key: key, reading: read))
      }, words: { [tour] in $0.words(on: tour.cluster?.capabilities) },
      advise: { [tour] in $0.words(on: tour.cluster?.capabilities) })
  }

  func loadHistory() -> [String] { [] }

  func saveHistory(_ lines: [String]) {}

  var clusterNumber: Int { tour.scene.clusterNumber }

  var guide: Guide? { Guide(tour.scene) }

  func take(_ key: GuideKey) {
    switch key {
    case .next: tour.next()
    case .back: tour.back()
    case .skip: tour.skip()
    case .pause: tour.togglePause()
    case .quit: tour.stop()
    }
  }

  var farewell: CommandAnswer {
    let report = tour.report
    return CommandAnswer(
      lines: [
        .init(
          "Back from the tour. \(report.words); your data was not touched",
          isSuccess: report.claims.isEmpty ? nil : report.failures.isEmpty)
      ], isSuccess: report.failures.isEmpty)
  }
}

/// The tours that were begun at one prompt.
final class Tours: Sendable {
  private let hosts = Mutex<[TourHost]>([])

  func begin() -> TourHost {
    var settings = TourSettings { try TemporaryFolder.make() }
    settings.preface =
      "This is a tour on temporary clusters of its own. Your cluster goes on behind it, its data is not touched, and you "
      + "are back there when you leave the tour with q."
    let host = TourHost(settings)
    hosts.withLock { $0.append(host) }
    return host
  }

  func finish() async {
    for host in hosts.withLock({ $0 }) { _ = await host.finish() }
  }
}

extension Guide {
  fileprivate init(_ scene: TourScene) {
    self.init(
      chapter: scene.chapter + 1, chapterCount: scene.chapterCount, title: scene.title, text: scene.text,
      lines: scene.lines.map { Line(kind: .init($0.kind), text: $0.text) }, spot: Spot(scene.part),
      mode: scene.isOver ? .over : scene.isWaiting ? .reading : .working, isAutomatic: scene.isAutomatic,
      held: scene.held, failed: scene.failed, note: "temporary cluster")
  }
}

extension Guide.Spot {
  fileprivate init(_ part: TourPart) {
    switch part {
    case .header: self = .header
    case .ring: self = .panel(.ring)
    case .nodes: self = .panel(.nodes)
    case .throughput: self = .panel(.throughput)
    case .latency: self = .panel(.latency)
    case .events: self = .panel(.events)
    case .tour: self = .itself
    }
  }
}

extension Guide.Line.Kind {
  fileprivate init(_ kind: TourLine.Kind) {
    switch kind {
    case .command: self = .command
    case .answer(let kind): self = .answer(isSuccess: kind != .failure)
    case .figure: self = .figure
    case .claim(let holds): self = .claim(holds: holds)
    }
  }
}
