/// The ring unrolled, from hash 0 at the top left to the highest at the bottom right, for reading ranges.
///
/// Each cell shows two ranges, one above the other, so a row of cells is two lines of the tape; the labels at the left
/// are the hash with which a row begins.
struct RingTape {
  let owners: RingOwners
  let look: Look
  /// A place to point at.
  var mark: RingMark?
  /// The load of each range of the ring. If it is set, the tape is a column chart of it, in the owners' colours.
  var heat: RangeHeat?

  private static let labelWidth = 5

  /// How the ring is cut into lines on an area of cells.
  struct Shape {
    let width: Int
    let lines: Int
    let linesPerRow: Int

    /// Letters have no halves: a row of them is one line of the tape.
    static func linesPerRow(_ look: Look) -> Int { look.usesLetters ? 1 : 2 }

    init(_ size: Size, _ look: Look) {
      width = Swift.max(0, size.width - RingTape.labelWidth)
      linesPerRow = Self.linesPerRow(look)
      lines = size.height * linesPerRow
    }

    /// The cell that shows a slot; `nil` if the tape has no room.
    func cell(ofSlot slot: Int, of slotCount: Int) -> (column: Int, row: Int)? {
      guard width > 0, lines > 0, slotCount > 0 else { return nil }
      let part = Swift.min(lines * width - 1, slot * lines * width / slotCount)
      return (part % width + RingTape.labelWidth, part / width / linesPerRow)
    }

    /// The first slot of what a cell shows; `nil` outside the tape.
    func slot(column: Int, row: Int, of slotCount: Int) -> Int? {
      let at = column - RingTape.labelWidth
      guard at >= 0, at < width, row >= 0, row * linesPerRow < lines else { return nil }
      // The middle of the part, which is the one the cell is coloured by.
      return (2 * (row * linesPerRow * width + at) + 1) * slotCount / (2 * lines * width)
    }
  }

  func draw(on canvas: inout Canvas) {
    let shape = Shape(canvas.size, look)
    let (width, lines) = (shape.width, shape.lines)
    guard width > 0, canvas.height > 0 else { return }
    for row in 0..<canvas.height {
      canvas.write(firstHash(line: row * shape.linesPerRow, of: lines), column: 0, row: row, look.style(.dim))
      for column in 0..<width { put(column, row: row, width: width, lines: lines, on: &canvas) }
    }
    guard let mark, let cell = shape.cell(ofSlot: mark.slot, of: owners.ring.slotCount) else { return }
    let color = owners.owner(slot: mark.slot, rank: 0)?.color(look.theme) ?? look.theme[.background]
    canvas.put(
      mark.sign(look.glyphs), column: cell.column, row: cell.row, Style(look.theme[.ringKey], on: color, [.bold]))
  }

  /// Where a row begins, in the four digits that stand for a hash.
  private func firstHash(line: Int, of lines: Int) -> String {
    RingPlace.digits(slot: line * owners.ring.slotCount / lines, of: owners.ring.slotCount)
  }

  private func put(_ column: Int, row: Int, width: Int, lines: Int, on canvas: inout Canvas) {
    func owner(line: Int) -> RingOwners.Owner? {
      owners.owner(slot: owners.slot(part: line * width + column, of: lines * width), rank: 0)
    }
    let at = column + Self.labelWidth
    if let heat {
      let slot = owners.slot(part: row * width + column, of: lines / Shape.linesPerRow(look) * width)
      let levels = look.glyphs.isASCII ? look.glyphs.asciiLevels : look.glyphs.columnsUp
      let part = heat.part(ofSlot: slot, of: owners.ring.slotCount)
      let level = levels[Swift.min(levels.count - 1, Int(part * Double(levels.count)))]
      let color = owners.owner(slot: slot, rank: 0)?.letterColor(look.theme) ?? look.theme[.dim]
      if part > 0 { canvas.put(level, column: at, row: row, Style(color, on: look.theme[.background])) }
      return
    }
    if look.usesLetters {
      guard let owner = owner(line: row) else { return }
      let texture = owner.condition.texture(look.glyphs)
      let showsTexture = owner.isDead || (column + row) % 2 == 0
      canvas.put(
        showsTexture ? texture ?? letter(owner) : letter(owner), column: at, row: row,
        Style(owner.letterColor(look.theme), on: look.theme[.background]))
      return
    }
    guard let upper = owner(line: 2 * row), let lower = owner(line: 2 * row + 1) else { return }
    if upper.condition == lower.condition, let texture = upper.condition.texture(look.glyphs) {
      let ground = upper.isDead ? look.theme[.ringDead] : look.theme[.background]
      canvas.put(texture, column: at, row: row, Style(upper.textureColor(look.theme), on: ground))
    } else {
      let style = Style(upper.color(look.theme), on: lower.color(look.theme))
      canvas.put(look.glyphs.upperHalf, column: at, row: row, style)
    }
  }

  /// Small letters for ranges that are moving.
  private func letter(_ owner: RingOwners.Owner) -> Unicode.Scalar {
    let letter = look.letter(owner.id)
    return owner.isMoving ? Unicode.Scalar(letter.value + 32) ?? letter : letter
  }
}
