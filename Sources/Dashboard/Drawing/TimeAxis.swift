import Text

/// The line of time that a graph stands on, with signs where something happened; what they mean stands in a legend.
struct TimeAxis {
  let span: GraphSpan
  /// The moment from which times are told: a run's start, or now.
  let originNs: UInt64
  /// Times count from the origin on; else back from it.
  let countsUp: Bool
  let marks: [CauseMark]

  func draw(column first: Int, row: Int, width: Int, on canvas: inout Canvas, _ look: Look) {
    for column in 0..<width {
      canvas.put(look.glyphs.axis, column: first + column, row: row, look.style(.border))
    }
    for quarter in 1..<4 where width >= 40 {
      canvas.put(look.glyphs.axisMark, column: first + width * quarter / 4, row: row, look.style(.border))
    }
    let signs = marks.compactMap { mark in span.column(ofNs: mark.atNs, of: width).map { (column: $0, kind: mark.kind) }
    }
    // A sign is worth more than the time below it.
    func write(_ text: String, at column: Int) {
      let isFree = !signs.contains { (column..<column + text.columns).contains($0.column) }
      if isFree, column >= 0 { canvas.write(text, column: first + column, row: row, look.style(.dim)) }
    }
    let (left, right) = (words(span.startNs), words(span.endNs))
    let middle = words(span.startNs + span.lengthNs / 2)
    write(left, at: 0)
    if width > left.columns + right.columns + 2 { write(right, at: width - right.columns) }
    if width >= 40 { write(middle, at: (width - middle.columns) / 2) }
    for sign in signs {
      canvas.write(
        look.glyphs.mark(sign.kind), column: first + sign.column, row: row, look.style(Self.key(sign.kind), .bold))
    }
  }

  private func words(_ atNs: UInt64) -> String {
    let seconds = (Double(atNs) - Double(originNs)) / 1e9
    if countsUp { return Self.duration(seconds) }
    return seconds > -0.75 ? "now" : "-\(Self.duration(-seconds))"
  }

  /// As few digits as say it: a run of five seconds has halves.
  private static func duration(_ seconds: Double) -> String {
    let halves = (seconds * 2).rounded() / 2
    if halves < 60 { return "\(Figures.number(halves, placesMax: 1)) s" }
    let whole = halves.truncatingRemainder(dividingBy: 60) == 0 && halves < 3600
    return whole ? "\(Int(halves) / 60) m" : Figures.duration(seconds: halves)
  }

  static func key(_ kind: CauseMark.Kind) -> ThemeKey {
    switch kind {
    case .join, .restart, .heal: .ok
    case .kill, .fault: .bad
    case .leave, .slowSync: .warn
    case .compaction: .graphMark
    }
  }
}

/// Legend of the signs on a graph's axis, for the lower edge of its frame.
enum CauseLegend {
  /// From the newest back, as many as have room, told in the order in which they happened. What happened to several nodes, or
  /// more than once, is told once.
  static func words(_ marks: [CauseMark], _ span: GraphSpan, width: Int, _ look: Look) -> [StyledWord] {
    var kinds: [(kind: CauseMark.Kind, nodes: [String])] = []
    for mark in marks.reversed() where mark.atNs >= span.startNs && mark.atNs <= span.endNs {
      if let known = kinds.firstIndex(where: { $0.kind == mark.kind }) {
        if !kinds[known].nodes.contains(mark.node) { kinds[known].nodes.insert(mark.node, at: 0) }
      } else {
        kinds.append((mark.kind, [mark.node]))
      }
    }
    var told: [StyledWord] = []
    var room = width - 6
    for (kind, nodes) in kinds {
      let all = (nodes.filter { !$0.isEmpty }.prefix(nodesMax) + (nodes.count > nodesMax ? [look.glyphs.ellipsis] : []))
        .joined(separator: " ")
      let text = " \(look.glyphs.mark(kind)) \(all.isEmpty ? "" : "\(all) ")\(kind.word(isOfNode: !all.isEmpty)) "
      guard room >= text.columns else { break }
      room -= text.columns
      told.append(StyledWord(text, look.style(TimeAxis.key(kind))))
    }
    return told.reversed()
  }

  private static let nodesMax = 4
}

/// Words in a colour.
struct StyledWord: Equatable {
  var text: String
  var style: Style

  init(_ text: String, _ style: Style) { (self.text, self.style) = (text, style) }
}
