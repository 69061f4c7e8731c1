#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Messages on their way, as dots in the donut's hole between the nodes that they go from and to.
struct FlightDots {
  let flights: [Playback.Flight]
  /// Where nodes stand on the ring, from 0 to 1, by id.
  let places: [Int: Double]
  let look: Look

  /// A lost message goes as far as this.
  private static let lostAt = 0.5
  /// The line of the dots lies so far inside of the hole's edge.
  private static let edge = 0.94

  /// - Parameters:
  ///   - circle: the hole's middle in cells, and its radius in columns; a row is as high as two columns are wide.
  func draw(around circle: (column: Double, row: Double, radius: Double), on canvas: inout Canvas) {
    for flight in flights {
      guard let from = places[flight.from], let to = places[flight.to], from != to else { continue }
      let (a, b) = (point(from, circle), point(to, circle))
      let part = flight.isLost ? Swift.min(flight.progress, Self.lostAt) : flight.progress
      let (column, row) = (a.column + (b.column - a.column) * part, a.row + (b.row - a.row) * part)
      guard column >= 0, row >= 0 else { continue }
      let isGone = flight.isLost && flight.progress >= Self.lostAt
      let sign: Unicode.Scalar =
        isGone ? look.glyphs.dead : flight.kind == .answer ? look.glyphs.answerDot : look.glyphs.walked
      canvas.put(sign, column: Int(column), row: Int(row), look.style(key(flight, isGone), .bold))
    }
  }

  private func point(
    _ turn: Double, _ circle: (column: Double, row: Double, radius: Double)
  ) -> (column: Double, row: Double) {
    let radius = circle.radius * Self.edge
    return (circle.column + sin(turn * 2 * .pi) * radius, circle.row - cos(turn * 2 * .pi) * radius / 2)
  }

  private func key(_ flight: Playback.Flight, _ isGone: Bool) -> ThemeKey {
    if isGone { return .bad }
    switch flight.kind {
    case .read: return .graphReadEnd
    case .write: return .graphWriteEnd
    case .hint: return .warn
    case .answer: return .ok
    }
  }
}
