import ClusterModel
import Text

/// The strip of a playback: where its viewer is, the scrubber with what happened when, the clients' operations as bars over
/// time, and beside or below them what happened last, or the operations that contradict one another.
enum PlaybackPanel {
  /// From this width on lines stand beside the bars.
  private static let besideWidth = 100
  private static let besidePart = (of: 100, lanes: 58)

  static func draw(_ playback: Playback, _ size: Size, _ look: Look) -> Canvas {
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    drawPosition(playback, on: &content, look)
    drawScrubber(playback, on: &content, look)
    let room = inner.height - 2
    if room > 0, inner.width > 4 {
      let isBeside = inner.width >= besideWidth
      let told = playback.proof.isEmpty ? playback.lines : playback.proof
      let lanesWidth = isBeside ? inner.width * besidePart.lanes / besidePart.of : inner.width
      let lanesHeight =
        isBeside ? room : Swift.max(1, Swift.min(playback.lanes.count, playback.proof.isEmpty ? room - 1 : room / 2))
      var lanes = Canvas(Size(width: lanesWidth, height: lanesHeight), background: look.style(.text))
      CallLanes.draw(playback, on: &lanes, look)
      content.draw(lanes, column: 0, row: 2)
      let side = Rect(
        column: isBeside ? lanesWidth + 1 : 0, row: 2 + (isBeside ? 0 : lanesHeight),
        width: isBeside ? inner.width - lanesWidth - 1 : inner.width, height: isBeside ? room : room - lanesHeight)
      drawLines(playback, told, in: side, on: &content, look)
    }
    return PanelFrame.frame(
      content, title: playback.name.fitted(to: Swift.max(0, size.width - 8), ellipsis: look.glyphs.ellipsis),
      note: note(playback, room: size.width - playback.name.columns - 12, look), size: size, isFocused: false, look)
  }

  private static func note(_ playback: Playback, room: Int, _ look: Look) -> String {
    let marks = playback.marks.filter { $0.atNs > playback.nowNs }
    let found = playback.proof.isEmpty ? [] : ["\(look.glyphs.failure) an answer that no order explains"]
    let next = marks.first.map { mark in
      "next: \(mark.text) in \(Figures.time(ns: mark.atNs - playback.nowNs))"
    }
    let choices = playback.warning.isEmpty ? found + [next ?? "nothing more happens"] : [playback.warning]
    return choices.first { $0.columns <= room } ?? ""
  }

  // MARK: Where the viewer is

  private static func drawPosition(_ playback: Playback, on canvas: inout Canvas, _ look: Look) {
    let sign = playback.isBusy ? look.glyphs.ellipsis : playback.isPlaying ? look.glyphs.play : look.glyphs.pause
    let style = look.style(playback.isPlaying ? .ok : .warn, .bold)
    var column = canvas.write(sign, column: 1, row: 0, style)
    let (time, all) = (Figures.seconds(ns: playback.nowNs, places: 6), Figures.seconds(ns: playback.endNs, places: 1))
    var parts = [
      (text: "\(look.glyphs.times)\(speed(playback.speed))", style: look.style(.text, .bold)),
      (text: "\(time) of \(all)", style: look.style(.text)),
    ]
    if let steps = playback.steps {
      parts.append(
        (text: "step \(Figures.count(steps.done)) of \(Figures.count(steps.count))", style: look.style(.dim)))
    }
    let lost = playback.flights.count { $0.isLost }
    let sent = playback.flights.count - lost
    if sent > 0 { parts.append((text: Figures.count(sent, "message"), style: look.style(.info))) }
    if lost > 0 { parts.append((text: "\(Figures.count(lost)) lost", style: look.style(.bad))) }
    for part in parts where column + 2 + part.text.columns <= canvas.width {
      column = canvas.write(part.text, column: column + 2, row: 0, part.style)
    }
  }

  /// `0.001` to `100`.
  private static func speed(_ speed: Double) -> String { Figures.number(speed, placesMax: 3) }

  // MARK: The scrubber

  private static func drawScrubber(_ playback: Playback, on canvas: inout Canvas, _ look: Look) {
    let width = canvas.width - 2
    guard width > 0 else { return }
    Meter.drawLine(
      playback.place, column: 1, row: 1, width: width, color: look.theme[.accent], on: &canvas, look)
    func column(_ place: Double) -> Int { 1 + Swift.max(0, Swift.min(width - 1, Int(place * Double(width)))) }
    // The most important mark is put last, over the others.
    for kind in [PastKinds.Mark.healing, .change, .fault, .violation] {
      for mark in playback.marks where mark.kind == kind {
        let isPast = mark.atNs <= playback.nowNs
        canvas.write(
          sign(kind, look.glyphs), column: column(mark.place), row: 1,
          look.style(key(kind), isPast || kind == .violation ? .bold : []))
      }
    }
    canvas.put(look.glyphs.cursorMark, column: column(playback.place), row: 1, look.style(.title, [.bold, .reverse]))
  }

  /// The place of the scrubber that a cell of the strip shows, from 0 to 1; `nil` elsewhere.
  static func fraction(column: Int, row: Int, _ size: Size) -> Double? {
    let edge = PanelFrame.isWorthwhile(size) ? 1 : 0
    let width = PanelFrame.inner(size).width - 2
    let at = column - edge - 1
    guard row == edge + 1, width > 1, (0..<width).contains(at) else { return nil }
    return Double(at) / Double(width - 1)
  }

  private static func sign(_ kind: PastKinds.Mark, _ glyphs: Glyphs) -> String {
    switch kind {
    case .fault: glyphs.mark(.fault)
    case .change: "+"
    case .healing: glyphs.mark(.heal)
    case .violation: glyphs.failure
    }
  }

  private static func key(_ kind: PastKinds.Mark) -> ThemeKey {
    switch kind {
    case .fault: .warn
    case .change: .info
    case .healing: .ok
    case .violation: .bad
    }
  }

  // MARK: Lines

  /// The beginning of a proof, or the end of the lines.
  private static func drawLines(
    _ playback: Playback, _ told: [String], in rect: Rect, on canvas: inout Canvas, _ look: Look
  ) {
    guard rect.height > 0, rect.width > 8 else { return }
    let isProof = !playback.proof.isEmpty
    // The first line of a proof is a sentence, which is wrapped. The lines below it are a drawing, which is cut.
    let sentence = isProof ? told[0].wrapped(to: rect.width - 1) : []
    let all = isProof ? sentence + told.dropFirst() : told
    let shown = isProof ? all.prefix(rect.height) : all.suffix(rect.height)
    for (row, line) in shown.enumerated() {
      let isNewest = !isProof && row == shown.count - 1
      let style = look.style(isProof ? row < sentence.count ? .bad : .text : isNewest ? .text : .dim)
      canvas.write(
        line.fitted(to: rect.width - 1, ellipsis: look.glyphs.ellipsis), column: rect.column + 1, row: rect.row + row,
        style)
    }
  }
}
