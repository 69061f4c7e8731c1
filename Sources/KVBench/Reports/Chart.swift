/// A drawing of curves over a common axis, as SVG whose colours are the page's.
struct Chart {
  struct Series {
    var name: String
    /// The number of the page's colour.
    var color: Int
    var points: [(x: Double, y: Double)]
  }

  static let width = 880.0
  private static let (left, right, top, bottom) = (76.0, 24.0, 22.0, 34.0)

  var title: String
  var series: [Series]
  var x: ChartScale
  var y: ChartScale
  var xText: (Double) -> String
  var yText: (Double) -> String
  /// What the horizontal axis counts.
  var xName: String
  /// Places on the horizontal axis, numbered from 1.
  var marks: [Double] = []
  /// Whether each curve stands on the one before it, filled.
  var isStacked = false
  var height = 260.0

  private func column(_ value: Double) -> Double {
    Chart.left + x.place(value) * (Chart.width - Chart.left - Chart.right)
  }

  private func row(_ value: Double) -> Double {
    height - Chart.bottom - y.place(value) * (height - Chart.top - Chart.bottom)
  }

  var svg: String {
    """
    <figure><figcaption><strong>\(HTML.escaped(title))</strong>\(legend)</figcaption>
    <svg viewBox="0 0 \(Chart.text(Chart.width)) \(Chart.text(height))" role="img" aria-label="\(HTML.escaped(title))">
    \(grid)\(isStacked ? areas : lines)\(markLines)</svg></figure>

    """
  }

  private var legend: String {
    guard series.count > 1 else { return "" }
    return series.map { "<span><i class=\"k\($0.color)\"></i>\(HTML.escaped($0.name))</span>" }.joined()
  }

  private var grid: String {
    let right = Chart.width - Chart.right
    let floor = height - Chart.bottom
    let rows = y.ticks.map { tick in
      let at = Chart.text(row(tick))
      return """
        <line class="grid" x1="\(Chart.text(Chart.left))" x2="\(Chart.text(right))" y1="\(at)" y2="\(at)"/>\
        <text x="\(Chart.text(Chart.left - 8))" y="\(at)" dy=".35em" text-anchor="end">\(HTML.escaped(yText(tick)))</text>

        """
    }
    let columns = x.ticks.map { tick in
      """
      <line class="tick" x1="\(Chart.text(column(tick)))" x2="\(Chart.text(column(tick)))" y1="\(Chart.text(floor))" \
      y2="\(Chart.text(floor + 4))"/><text x="\(Chart.text(column(tick)))" y="\(Chart.text(floor + 18))" \
      text-anchor="middle">\(HTML.escaped(xText(tick)))</text>

      """
    }
    let name =
      "<text x=\"\(Chart.text(right))\" y=\"\(Chart.text(height - 2))\" text-anchor=\"end\">\(HTML.escaped(xName))</text>\n"
    return rows.joined() + columns.joined() + name
  }

  private var lines: String {
    series.map { series in
      // A gap where nothing was: a line across it would invent values.
      let path = series.points.map { "\(Chart.text(column($0.x))),\(Chart.text(row($0.y)))" }.joined(separator: " ")
      return "<polyline class=\"c\(series.color)\" points=\"\(path)\"/>\n"
    }.joined()
  }

  private var areas: String {
    var base = [Double](repeating: 0, count: series.first?.points.count ?? 0)
    return series.map { series in
      let tops = zip(base, series.points).map { $0 + $1.y }
      let upper = zip(series.points, tops).map { "\(Chart.text(column($0.x))),\(Chart.text(row($1)))" }
      let lower = zip(series.points, base).map { "\(Chart.text(column($0.x))),\(Chart.text(row($1)))" }.reversed()
      base = tops
      return "<polygon class=\"a\(series.color)\" points=\"\((upper + lower).joined(separator: " "))\"/>\n"
    }.joined()
  }

  private var markLines: String {
    marks.enumerated().map { index, mark in
      let at = Chart.text(column(mark))
      return """
        <line class="mark" x1="\(at)" x2="\(at)" y1="\(Chart.text(Chart.top))" y2="\(Chart.text(height - Chart.bottom))"/>\
        <circle class="mark" cx="\(at)" cy="\(Chart.text(Chart.top - 11))" r="9"/>\
        <text class="mark" x="\(at)" y="\(Chart.text(Chart.top - 11))" dy=".35em" text-anchor="middle">\(index + 1)</text>

        """
    }.joined()
  }

  /// A tenth of a pixel is enough.
  private static func text(_ value: Double) -> String { BenchmarkResult.number((value * 10).rounded() / 10) }
}

enum HTML {
  static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      default: String(character)
      }
    }.joined()
  }
}
