#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The hash ring as a donut: one band a replica rank, the primary outermost, the ring's zero at the top, clockwise.
///
/// Drawn in half-blocks, whose pixels are square on most terminals; braille has finer dots but only one colour a
/// cell, and colour is what this picture is about.
struct RingDonut {
  let owners: RingOwners
  let look: Look
  /// Node names by id, for the labels outside, and where on the ring these stand.
  let names: [Int: String]
  let places: [Int: Double]
  /// A place to point at.
  var mark: RingMark?
  /// The load of each range of the ring. If it is set, it colours the inner bands; the outer band keeps the owners' colours.
  var heat: RangeHeat?

  /// Part of the radius that the hole takes: room for two figures at the smallest useful size.
  private static let hole = 0.54
  /// Columns between the donut and a label.
  private static let labelGap = 1.5

  /// Draws the donut with its labels in the middle of the canvas and returns the columns its hole has at its middle.
  func draw(on canvas: inout Canvas) -> Int {
    let longest = names.values.map { $0.columns + (look.showsLetters(names.count) ? 2 : 0) }.max() ?? 0
    // The ring is worth at least half of its panel.
    let labelWidth = Swift.min(Swift.min(14, longest) + 2, canvas.width / 4)
    // Even, so that the circle's middle lies between two pixels and its halves are alike.
    let diameter = Swift.min(canvas.height * 2, canvas.width - 2 * labelWidth) / 2 * 2
    guard diameter >= 8 else { return 0 }
    let radius = Double(diameter) / 2
    let left = (canvas.width - diameter) / 2
    let top = (canvas.height * 2 - diameter) / 2
    for row in top / 2...(top + diameter - 1) / 2 {
      for column in 0..<diameter {
        let upper = pixel(Double(column) + 0.5 - radius, Double(row * 2 - top) + 0.5 - radius, radius)
        let lower = pixel(Double(column) + 0.5 - radius, Double(row * 2 + 1 - top) + 0.5 - radius, radius)
        put(upper, lower, column: left + column, row: row, on: &canvas)
      }
    }
    if let mark { draw(mark, radius: radius, left: left, on: &canvas) }
    label(on: &canvas, radius: radius)
    return Int(Self.hole * Double(diameter)) - 1
  }

  private struct Pixel {
    var owner: RingOwners.Owner
    var rank: Int
    /// How hot it is, where that is shown.
    var heat: Double?

    func color(_ theme: Theme) -> Color {
      heat.map { theme.heat(at: $0) } ?? owner.color(theme, rank: rank)
    }
  }

  private func pixel(_ x: Double, _ y: Double, _ radius: Double) -> Pixel? {
    let distance = (x * x + y * y).squareRoot() / radius
    guard distance <= 1, distance > Self.hole else { return nil }
    let ranks = owners.ranks
    let rank = Swift.min(ranks - 1, Int((1 - distance) / (1 - Self.hole) * Double(ranks)))
    let turn = atan2(x, -y) / (2 * .pi)
    let slot = Int((turn < 0 ? turn + 1 : turn) * Double(owners.ring.slotCount))
    guard let owner = owners.owner(slot: Swift.min(slot, owners.ring.slotCount - 1), rank: rank) else { return nil }
    // A partition tears the ring: the outermost cells of a node that is cut off stay empty.
    if owner.condition == .cutOff, distance > 1 - Self.tear / radius { return nil }
    let hot =
      rank > 0
      ? heat.map { $0.part(ofSlot: Swift.min(slot, owners.ring.slotCount - 1), of: owners.ring.slotCount) } : nil
    return Pixel(owner: owner, rank: rank, heat: hot)
  }

  /// Pixels that the cut-off side's ranges lack at the ring's edge.
  private static let tear = 1.6

  /// The mark's sign on the first band, and a bright cell in each band whose owner the walk has reached.
  private func draw(_ mark: RingMark, radius: Double, left: Int, on canvas: inout Canvas) {
    let turn = (Double(mark.slot) + 0.5) / Double(owners.ring.slotCount) * 2 * .pi
    let band = (1 - Self.hole) * radius / Double(owners.ranks)
    for rank in (0..<Swift.max(1, mark.isWalking ? mark.ownersReached : 1)).reversed() {
      let distance = radius - band * (Double(rank) + 0.5)
      let column = left + Int((radius + sin(turn) * distance).rounded(.down))
      let row = Int(((Double(canvas.height) - cos(turn) * distance) / 2).rounded(.down))
      guard (0..<canvas.width).contains(column), (0..<canvas.height).contains(row) else { continue }
      let isLit = mark.isWalking && rank < mark.ownersReached
      let color = owners.owner(slot: mark.slot, rank: rank)?.color(look.theme) ?? look.theme[.background]
      let style =
        isLit ? Style(color, on: look.theme[.ringKey], [.bold]) : Style(look.theme[.ringKey], on: color, [.bold])
      canvas.put(rank == 0 ? mark.sign(look.glyphs) : look.glyphs.walked, column: column, row: row, style)
    }
  }

  private func put(_ upper: Pixel?, _ lower: Pixel?, column: Int, row: Int, on canvas: inout Canvas) {
    guard let shown = upper ?? lower else { return }
    let background = look.theme[.background]
    if look.usesLetters, let heat = shown.heat {
      let levels = look.glyphs.shades
      let level = levels[Swift.min(levels.count - 1, Int(heat * Double(levels.count)))]
      canvas.put(level, column: column, row: row, look.style(.text))
      return
    }
    if look.usesLetters {
      // The cells alternate between the sign of the owner's condition and the owner's letter. A dead owner's cells all have the
      // sign: its label names it.
      let texture = shown.owner.condition.texture(look.glyphs)
      let showsTexture = shown.owner.isDead || (column + row) % 2 == 0
      canvas.put(
        showsTexture ? texture ?? letter(shown) : letter(shown), column: column, row: row,
        Style(shown.owner.letterColor(look.theme), on: background))
      return
    }
    if let upper, let lower, upper.heat == nil, lower.heat == nil, upper.owner.condition == lower.owner.condition,
      let texture = upper.owner.condition.texture(look.glyphs)
    {
      let ground = upper.owner.isDead ? look.theme[.ringDead] : background
      canvas.put(texture, column: column, row: row, Style(upper.owner.textureColor(look.theme), on: ground))
      return
    }
    switch (upper, lower) {
    case (let upper?, let lower?):
      let (front, back) = (upper.color(look.theme), lower.color(look.theme))
      // Only what is in front can be dimmed.
      let isWhole = front == back && isDimmed(upper) && isDimmed(lower)
      canvas.put(
        isWhole ? look.glyphs.swatch : look.glyphs.upperHalf, column: column, row: row,
        Style(front, on: isWhole ? background : back, isDimmed(upper) && isDimmed(lower) ? .dim : []))
    case (let upper?, nil):
      canvas.put(
        look.glyphs.upperHalf, column: column, row: row,
        Style(upper.color(look.theme), on: background, isDimmed(upper) ? .dim : []))
    case (nil, let lower?):
      canvas.put(
        look.glyphs.lowerHalf, column: column, row: row,
        Style(lower.color(look.theme), on: background, isDimmed(lower) ? .dim : []))
    case (nil, nil): break
    }
  }

  /// A colour of the terminal's own palette has no shades: inner bands of it are dim.
  private func isDimmed(_ pixel: Pixel) -> Bool {
    pixel.rank > 0 && look.theme.node(pixel.owner.id).components == nil
  }

  /// Capital letters for the primaries' band, small ones for the others, `x` for the dead.
  private func letter(_ pixel: Pixel) -> Unicode.Scalar {
    let letter = look.letter(pixel.owner.id)
    return pixel.rank == 0 ? letter : Unicode.Scalar(letter.value + 32) ?? letter
  }

  // MARK: Labels

  private func label(on canvas: inout Canvas, radius: Double) {
    var taken: Set<Int> = []
    // If there is no room for every label, nodes with a fault are labelled first.
    func rank(_ id: Int) -> Int { owners.condition(ofNode: id) == .serving ? 1 : 0 }
    for (id, middle) in places.sorted(by: { (rank($0.key), $0.key) < (rank($1.key), $1.key) }) {
      let isRight = middle < 0.5
      let y = -cos(middle * 2 * .pi) * radius
      let wanted = (Double(canvas.height) + y) / 2
      // The nearest free row on that side.
      let rows = (0..<canvas.height).sorted { abs(Double($0) + 0.5 - wanted) < abs(Double($1) + 0.5 - wanted) }
      let side = isRight ? 0 : canvas.height
      guard let row = rows.prefix(5).first(where: { !taken.contains($0 + side) }) else { continue }
      if put(label: id, row: row, isRight: isRight, radius: radius, on: &canvas) { taken.insert(row + side) }
    }
  }

  private func put(label id: Int, row: Int, isRight: Bool, radius: Double, on canvas: inout Canvas) -> Bool {
    guard let name = names[id] else { return false }
    let condition = owners.condition(ofNode: id)
    let letter = look.showsLetters(names.count) ? "\(look.letter(id)) " : ""
    let sign = condition.sign(look.glyphs)
    // The circle's half width where it is widest within the row.
    let nearest = Swift.max(0, abs(Double(row) * 2 + 1 - Double(canvas.height)) - 1)
    let half = (Swift.max(0, radius * radius - nearest * nearest)).squareRoot() + Self.labelGap
    let middle = Double(canvas.width) / 2
    func start(_ text: String) -> Int {
      isRight ? Int((middle + half).rounded()) : Int((middle - half).rounded()) - text.columns
    }
    func fits(_ text: String) -> Bool { start(text) >= 0 && start(text) + text.columns <= canvas.width }
    // In little room the name is worth more than the sign, and its ends more than its middle.
    let room = isRight ? canvas.width - start("") : start("")
    let short = name.middleFitted(to: room - letter.columns, ellipsis: look.glyphs.ellipsis)
    let choices = [sign + letter + name, letter + name] + (short.columns >= 4 ? [letter + short] : [])
    guard let text = choices.first(where: fits) else { return false }
    let color = condition == .dead ? look.theme[.dim] : look.theme.node(id)
    let isLit = mark.map { $0.isWalking && $0.owners.prefix($0.ownersReached).contains(id) } ?? false
    let style = Style(color, on: look.theme[.background], [.bold])
    canvas.write(text, column: start(text), row: row, isLit ? style.reversed : style)
    return true
  }
}
