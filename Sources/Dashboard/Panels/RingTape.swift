/// The ring unrolled, from hash 0 at the top left to the highest at the bottom right, for reading ranges.
///
/// Each cell shows two ranges, one above the other, so a row of cells is two lines of the tape; the labels at the left
/// are the first hexadecimal digit of the upper and of the lower line's hashes.
struct RingTape {
  let owners: RingOwners
  let look: Look

  private static let labelWidth = 4

  func draw(on canvas: inout Canvas) {
    let width = canvas.width - Self.labelWidth
    guard width > 0, canvas.height > 0 else { return }
    // Letters have no halves: a row of them is one line of the tape.
    let lines = canvas.height * (look.usesLetters ? 1 : 2)
    for row in 0..<canvas.height {
      if look.usesLetters {
        canvas.write(digit(line: row, of: lines), column: 0, row: row, look.style(.dim))
      } else {
        let label = digit(line: 2 * row, of: lines) + look.glyphs.separator + digit(line: 2 * row + 1, of: lines)
        canvas.write(label, column: 0, row: row, look.style(.dim))
      }
      for column in 0..<width { put(column, row: row, width: width, lines: lines, on: &canvas) }
    }
  }

  private func digit(line: Int, of lines: Int) -> String {
    String(line * 16 / lines, radix: 16)
  }

  private func put(_ column: Int, row: Int, width: Int, lines: Int, on canvas: inout Canvas) {
    func owner(line: Int) -> RingOwners.Owner? {
      owners.owner(slot: owners.slot(part: line * width + column, of: lines * width), rank: 0)
    }
    let at = column + Self.labelWidth
    if look.usesLetters {
      guard let owner = owner(line: row) else { return }
      canvas.put(letter(owner), column: at, row: row, Style(owner.color(look.theme), on: look.theme[.background]))
      return
    }
    guard let upper = owner(line: 2 * row), let lower = owner(line: 2 * row + 1) else { return }
    if upper.isDead, lower.isDead {
      let style = Style(upper.crossColor(look.theme), on: look.theme[.ringDead])
      canvas.put(look.glyphs.dead, column: at, row: row, style)
    } else {
      let style = Style(upper.color(look.theme), on: lower.color(look.theme))
      canvas.put(look.glyphs.upperHalf, column: at, row: row, style)
    }
  }

  /// Small letters for ranges that are moving.
  private func letter(_ owner: RingOwners.Owner) -> Unicode.Scalar {
    if owner.isDead { return look.glyphs.dead }
    let letter = look.letter(owner.id)
    return owner.isMoving ? Unicode.Scalar(letter.value + 32) ?? letter : letter
  }
}
