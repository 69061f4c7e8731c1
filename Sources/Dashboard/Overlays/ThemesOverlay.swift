/// The themes as a list at the right edge; the screen beside it wears the chosen one at once.
package enum ThemesOverlay {
  package static func draw(_ state: DashboardState, _ screen: Size, _ look: Look) -> Canvas {
    let themes = state.appearance.themes
    let width = Swift.min(screen.width, Swift.max(24, (themes.map(\.name.columns).max() ?? 0) + 16))
    let size = Size(width: width, height: Swift.min(screen.height, themes.count + 2))
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    for (row, index) in rows(state, inner.height).enumerated() {
      let isChosen = index == state.appearance.themeIndex
      let style = isChosen ? look.style(.accent, [.bold, .reverse]) : look.style(.text)
      let name = themes[index].name.fitted(to: inner.width - 12, ellipsis: look.glyphs.ellipsis)
      content.write(" \(name) ", column: 0, row: row, style)
      for color in 0..<6 {
        let swatch = Style(themes[index].node(color), on: look.theme[.background])
        content.put(look.glyphs.swatch, column: inner.width - 7 + color, row: row, swatch)
      }
    }
    return PanelFrame.frame(content, title: "theme", note: "Enter keeps", size: size, isFocused: true, look)
  }

  /// The theme in a cell of the screen, by position.
  static func theme(at column: Int, _ row: Int, _ state: DashboardState) -> Int? {
    guard let overlay = state.overlay else { return nil }
    let box = Picture.box(of: overlay, state, state.appearance.look)
    let area = Rect(column: box.column, row: box.row, width: box.canvas.width, height: box.canvas.height)
    guard area.contains(column: column, row: row) else { return nil }
    let edge = PanelFrame.isWorthwhile(area.size) ? 1 : 0
    let rows = rows(state, PanelFrame.inner(area.size).height)
    let at = row - area.row - edge
    return rows.indices.contains(rows.startIndex + at) && at >= 0 ? rows.lowerBound + at : nil
  }

  private static func rows(_ state: DashboardState, _ height: Int) -> Range<Int> {
    let count = state.appearance.themes.count
    let first = Swift.max(0, Swift.min(state.appearance.themeIndex - height / 2, count - height))
    return first..<Swift.min(count, first + Swift.max(0, height))
  }
}
