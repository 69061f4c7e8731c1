import ClusterModel
import Text

/// The cluster in two lines: how it is, what it promises, where its data is.
package enum HeaderPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    let end = canvas.write(" kvstore ", column: 0, row: 0, brand(look))
    guard let status = state.status else {
      canvas.write("opening", column: end + 1, row: 0, look.style(.dim))
      return canvas
    }
    let right =
      state.isFrozen
      ? Segment(text: "\(look.glyphs.pause) \(frozenWords(state)); Space goes on ", style: look.style(.warn))
      : Segment(text: uptime(status), style: look.style(.dim))
    drawSegments(
      firstLine(status, state.seen, look), right: right, keepsRight: state.isFrozen,
      after: end + 1, row: 0, on: &canvas, look)
    if size.height >= 2 {
      if case .recovering(let fraction) = status.phase {
        drawRecovery(fraction, row: 1, on: &canvas, look)
      } else {
        drawSegments(
          secondLine(status, look), right: verdict(status, look), keepsRight: true,
          canCutFirst: status.dataFolder != nil, after: 1, row: 1, on: &canvas, look)
      }
    }
    return canvas
  }

  /// Words in a colour; on a line, a segment that does not fit is left out whole.
  private struct Segment { var text: String, style: Style }

  private static func frozenWords(_ state: DashboardState) -> String {
    guard let travelled = state.travelled, travelled.backNs > 0 else { return "frozen" }
    return "\(Figures.duration(seconds: (Double(travelled.backNs) / 1e9).rounded())) back"
  }

  private static func brand(_ look: Look) -> Style {
    Style(look.theme[.brandText], on: look.theme[.brandBackground], [.bold])
  }

  private static func firstLine(_ status: ClusterStatus, _ seen: Observations, _ look: Look) -> [Segment] {
    let health = status.health
    var word = "\(look.glyphs.health(health)) \(health.rawValue)"
    if case .recovering(let fraction) = status.phase { word += " \(Figures.percent(fraction))" }
    let isWhole = status.nodes.allSatisfy { RingOwners.Condition($0, seen) == .serving }
    return [
      Segment(text: word, style: look.style(look.theme.key(for: health), .bold)),
      Segment(text: nodes(status, seen), style: look.style(isWhole ? .text : .warn)),
      status.effectiveQuorum.map { Segment(text: words($0), style: look.style(.text)) },
      status.guarantee.map { Segment(text: $0.rawValue, style: look.style($0 == .linearizable ? .ok : .warn)) },
      status.fsync.map { Segment(text: "fsync \($0.rawValue)", style: look.style(.text)) },
    ].compactMap { $0 }
  }

  private static func secondLine(_ status: ClusterStatus, _ look: Look) -> [Segment] {
    let folder = status.dataFolder.map { "data \($0)\(status.isEphemeral ? " (removed at the end)" : "")" }
    let guarantee =
      status.canLoseAcknowledged == true
      ? status.guarantee.map { "\($0.rawValue): an acknowledged write can be lost in a failover" }
      : status.guarantee.map(promise)
    let promises = [
      guarantee, status.fsync.map(promise), status.epoch.map { "epoch \(Figures.count($0))" }, status.engine,
    ]
    return ([folder] + promises).compactMap { $0 }.map { Segment(text: $0, style: look.style(.dim)) }
  }

  /// The verdict, at the right end, where it grows without moving anything.
  private static func verdict(_ status: ClusterStatus, _ look: Look) -> Segment {
    guard let verdict = status.verdict else { return Segment(text: "", style: look.style(.dim)) }
    let isGood = verdict.violations == 0
    let sign = isGood ? look.glyphs.success : look.glyphs.failure
    return Segment(text: "\(sign) \(verdict.words) ", style: look.style(isGood ? .ok : .bad, isGood ? [] : .bold))
  }

  /// How many nodes are up, and how many are not as the others: a node that joins owns nothing yet.
  private static func nodes(_ status: ClusterStatus, _ seen: Observations) -> String {
    let conditions = status.nodes.map { RingOwners.Condition($0, seen) }
    func count(_ kinds: RingOwners.Condition...) -> Int { conditions.filter(kinds.contains).count }
    let parts = [
      (count(.serving, .slow, .silent), "up"), (count(.joining), "joining"), (count(.leaving), "leaving"),
      (count(.cutOff), "cut off"), (count(.paused), "paused"), (count(.recovering), "recovering"),
      (count(.dead), "down"),
    ]
    if parts[0].0 == conditions.count { return Figures.count(conditions.count, "node") + " up" }
    return parts.filter { $0.0 > 0 }.map { "\(Figures.count($0.0)) \($0.1)" }.joined(separator: ", ")
  }

  private static func words(_ quorum: QuorumSettings) -> String {
    "N=\(quorum.replicas) R=\(quorum.read) W=\(quorum.write)"
  }

  private static func uptime(_ status: ClusterStatus) -> String {
    "up \(Figures.duration(seconds: Double(status.uptimeNs) / 1e9)) "
  }

  private static func promise(_ guarantee: Guarantee) -> String {
    switch guarantee {
    case .linearizable: "a read sees the newest write"
    case .eventual: "a read may see an older value"
    }
  }

  private static func promise(_ fsync: FsyncPolicy) -> String {
    switch fsync {
    case .always: "on disk before it is acknowledged"
    case .everysec: "on disk within two seconds"
    case .never: "on disk when the system writes it"
    }
  }

  /// Columns of a folder's path that tell which folder it is.
  private static let firstWidthMin = 20

  private static func drawSegments(
    _ segments: [Segment], right: Segment, keepsRight: Bool, canCutFirst: Bool = true, after start: Int, row: Int,
    on canvas: inout Canvas, _ look: Look
  ) {
    var column = start
    // Text that must be seen at the right keeps its room if that leaves some for the first; else it takes the rest.
    let isKept = keepsRight && start + 24 + right.text.columns <= canvas.width
    let end = canvas.width - (isKept ? right.text.columns + 2 : 0)
    let separator = " \(look.glyphs.separator) "
    // The first is cut rather than left out, and to a readable part already if that makes room for the second.
    // A sentence says nothing in its first half, so only a path is.
    let second = !canCutFirst ? 0 : segments.dropFirst().first.map { (separator + $0.text).columns } ?? 0
    let room = end - start - second >= Self.firstWidthMin ? end - start - second : end - start
    for (index, segment) in segments.enumerated() {
      let text = index == 0 ? segment.text.fitted(to: room, ellipsis: look.glyphs.ellipsis) : segment.text
      let lead = index == 0 ? "" : separator
      guard column + (lead + text).columns <= end else {
        // Later segments of the second row say less.
        if row > 0 { break }
        continue
      }
      column = canvas.write(lead, column: column, row: row, look.style(.border))
      column = canvas.write(text, column: column, row: row, segment.style)
    }
    if column + 2 + right.text.columns <= canvas.width {
      canvas.write(right.text, endingAt: canvas.width, row: row, right.style)
    }
  }

  private static func drawRecovery(_ fraction: Double, row: Int, on canvas: inout Canvas, _ look: Look) {
    let words = canvas.width >= 60 ? "reading the logs; nothing is served yet" : "reading the logs"
    let start = canvas.write(words, column: 1, row: row, look.style(.text)) + 2
    let figure = Figures.percent(fraction).rightAligned(6)
    let width = canvas.width - start - figure.columns - 1
    guard width >= 4 else { return }
    Meter.drawProgress(fraction, column: start, row: row, width: width, color: look.theme[.info], on: &canvas, look)
    canvas.write(figure, column: start + width, row: row, look.style(.text))
  }
}
