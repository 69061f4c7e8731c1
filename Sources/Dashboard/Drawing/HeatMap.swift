#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif
import ClusterModel
import Text

/// How many operations took how long, over time: a column a moment, a row a range of latencies on a logarithmic scale, the
/// colour how many. A line in it is what half of them did not exceed, another what 99 of 100 did not.
///
/// Averages and percentiles alone hide that there are two populations, cache and disk for example; here each is a band.
/// (Brendan Gregg, "Visualizing System Latency", ACM Queue 8(5), 2010.)
struct HeatMap {
  let history: LatencyHistory
  let span: GraphSpan
  let look: Look
  let gradient: Gradient

  /// A scale between two of 1, 3, 10, 30, …: half a power of ten apart, so that little of it is empty.
  struct Scale: Equatable {
    /// Logarithms of nanoseconds.
    let low: Double
    let high: Double
    /// The times that have labels, in nanoseconds.
    let steps: [Double]

    /// - Parameter ns: the least and the greatest time that it has to hold.
    init(_ ns: ClosedRange<Double>) {
      let all = (0..<24).map { pow(10, Double($0 / 2)) * ($0 % 2 == 0 ? 1 : 3) }
      let from = all.lastIndex { $0 <= ns.lowerBound } ?? 0
      // A power of ten at least, or noise would fill the map.
      let to = Swift.min(all.count - 1, Swift.max(from + 2, all.firstIndex { $0 >= ns.upperBound } ?? all.count - 1))
      steps = Array(all[Swift.min(from, to - 1)...to])
      (low, high) = (log10(steps.first ?? 1), log10(steps.last ?? 10))
    }

    /// The part of the scale up to a time.
    func part(ofNs ns: Double) -> Double { (log10(Swift.max(1, ns)) - low) / (high - low) }
  }

  /// One column: the operations of a time slice by latency bucket. `range` spans the buckets that have operations.
  private struct Column {
    var counts = LatencyHistory.noCounts
    var range = 0..<0
  }

  /// The moments, a column each; empty ones where nothing was done.
  private func columns(_ width: Int) -> [Column] {
    (0..<width).map { column in
      var moment = Column()
      moment.range = history.add(span.part(column, of: width), to: &moment.counts)
      return moment
    }
  }

  /// Draws into an area, the scale's labels at the left of it.
  /// - Parameter isFlipped: short times at the upper edge, as the lower half of a panel needs it.
  func draw(on canvas: inout Canvas, _ area: Rect, gutter: Int, isFlipped: Bool) {
    guard area.width > 0, area.height > 0 else { return }
    let columns = columns(area.width)
    let scale = Self.scale(columns)
    // Twice as many rows where a cell has two colours.
    let isFine = look.hasShades
    let rows = area.height * (isFine ? 2 : 1)
    var plot = Canvas(area.size, background: look.style(.text))
    drawScale(scale, area, gutter: gutter, isFlipped: isFlipped, plot: &plot, on: &canvas)
    let places = Self.places(scale, rows: rows, isFlipped: isFlipped)
    var most: UInt64 = 1
    let cells = columns.map { moment in
      var cells = [UInt64](repeating: 0, count: rows)
      for bucket in moment.range { cells[places[bucket]] += moment.counts[bucket] }
      most = Swift.max(most, cells.max() ?? 0)
      return cells
    }
    for (column, cells) in cells.enumerated() {
      for row in 0..<area.height {
        if isFine {
          put(cells[2 * row], cells[2 * row + 1], of: most, column: column, row: row, on: &plot)
        } else {
          put(cells[row], of: most, column: column, row: row, on: &plot)
        }
      }
      drawLines(columns[column], scale, column: column, isFlipped: isFlipped, on: &plot)
    }
    canvas.draw(plot, column: area.column, row: area.row)
  }

  // MARK: The scale

  private static func scale(_ columns: [Column]) -> Scale {
    var (least, most) = (Int.max, 0)
    for column in columns where !column.range.isEmpty {
      (least, most) = (Swift.min(least, column.range.lowerBound), Swift.max(most, column.range.upperBound - 1))
    }
    guard least <= most else { return Scale(1_000...1_000_000) }
    let low = Double(LatencyCounts.upperNs(ofBucket: Swift.max(0, least - 1)))
    return Scale(Swift.max(1, low)...Swift.max(2, Double(LatencyCounts.upperNs(ofBucket: most))))
  }

  /// The row of each bucket.
  private static func places(_ scale: Scale, rows: Int, isFlipped: Bool) -> [Int] {
    (0..<LatencyCounts.bucketCount).map { bucket in
      let part = scale.part(ofNs: Double(LatencyCounts.upperNs(ofBucket: bucket)))
      let fromBottom = Swift.max(0, Swift.min(rows - 1, Int(part * Double(rows))))
      return isFlipped ? fromBottom : rows - 1 - fromBottom
    }
  }

  private func drawScale(
    _ scale: Scale, _ area: Rect, gutter: Int, isFlipped: Bool, plot: inout Canvas, on canvas: inout Canvas
  ) {
    // From the top down, each with a row between it and the one before; of many the powers of ten.
    var last = Int.max
    let steps =
      scale.steps.count > 6 ? scale.steps.filter { abs(log10($0) - log10($0).rounded()) < 0.01 } : scale.steps
    for ns in steps.reversed() {
      let fromBottom = Swift.min(area.height - 1, Int((scale.part(ofNs: ns) * Double(area.height)).rounded(.down)))
      guard last == .max || last - fromBottom >= 2 else { continue }
      last = fromBottom
      let row = isFlipped ? fromBottom : area.height - 1 - fromBottom
      GridLine.draw(row: row, on: &plot, look)
      guard gutter > 0 else { continue }
      canvas.write(
        Figures.given(ns: UInt64(ns.rounded())), endingAt: area.column - 1, row: area.row + row, look.style(.dim))
    }
  }

  // MARK: Cells

  /// Logarithmic: a rare slow operation has to be seen beside a thousand quick ones.
  private func level(_ count: UInt64, of most: UInt64) -> Double {
    count == 0 ? 0 : 0.18 + 0.82 * log(Double(count) + 1) / log(Double(most) + 1)
  }

  private func color(_ level: Double) -> Color {
    level < 0.6
      ? look.theme.ground.mixed(with: gradient.mid, level / 0.6)
      : gradient.mid.mixed(with: gradient.end, (level - 0.6) / 0.4)
  }

  private func put(_ upper: UInt64, _ lower: UInt64, of most: UInt64, column: Int, row: Int, on plot: inout Canvas) {
    let background = look.theme[.background]
    switch (upper > 0, lower > 0) {
    case (false, false): break
    case (true, true):
      plot.put(
        look.glyphs.upperHalf, column: column, row: row,
        Style(color(level(upper, of: most)), on: color(level(lower, of: most))))
    case (true, false):
      plot.put(look.glyphs.upperHalf, column: column, row: row, Style(color(level(upper, of: most)), on: background))
    case (false, true):
      plot.put(look.glyphs.lowerHalf, column: column, row: row, Style(color(level(lower, of: most)), on: background))
    }
  }

  private func put(_ count: UInt64, of most: UInt64, column: Int, row: Int, on plot: inout Canvas) {
    guard count > 0 else { return }
    let shades = look.glyphs.shades
    let level = level(count, of: most)
    let shade = shades[Swift.min(shades.count - 1, Int(level * Double(shades.count)))]
    plot.put(shade, column: column, row: row, Style(gradient.color(at: level), on: look.theme[.background]))
  }

  private func drawLines(_ moment: Column, _ scale: Scale, column: Int, isFlipped: Bool, on plot: inout Canvas) {
    guard plot.height >= 3, let found = LatencyHistory.percentiles(moment.counts, in: moment.range)
    else { return }
    for (ns, sign) in [(found.p99, look.glyphs.tailLine), (found.p50, look.glyphs.medianLine)] {
      let fromBottom = Swift.max(0, Swift.min(plot.height - 1, Int(scale.part(ofNs: ns) * Double(plot.height))))
      let row = isFlipped ? fromBottom : plot.height - 1 - fromBottom
      let below = plot[column, row]
      let ground =
        below.scalar == look.glyphs.lowerHalf || below.scalar == look.glyphs.upperHalf
        ? (look.hasShades ? below.style.foreground : below.style.background) : below.style.background
      let front = look.hasShades ? look.theme.line(on: ground) : look.theme[.graphMark]
      plot.put(
        sign, column: column, row: row, Style(front, on: look.hasShades ? ground : look.theme[.background], .bold))
    }
  }
}
