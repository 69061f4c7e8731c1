import ClusterModel

/// Guesses which command a mistyped word meant.
package enum Suggestion {
  /// The command that `word` most likely meant: a synonym, else the only command that begins so, else the nearest by
  /// edit distance, if it is near enough. `nil` rather than a far-fetched guess.
  /// - Parameters:
  ///   - word: what was typed.
  ///   - capabilities: of the backend, whose commands alone are guessed; `nil` for all.
  package static func command(for word: String, on capabilities: Capabilities? = nil) -> CommandName? {
    let word = word.lowercased()
    let entries = HelpText.entries(capabilities)
    if let entry = entries.first(where: { $0.synonyms.contains(word) }) { return entry.name }
    let names = entries.map(\.name)
    let begun = names.filter { $0.rawValue.hasPrefix(word) }
    if begun.count == 1, !word.isEmpty { return begun[0] }
    // One slip in a short word, two in a long one: beyond that every three-letter word would be near `put` or `get`.
    let slipsMax = word.utf8.count <= 4 ? 1 : 2
    let nearest = names.map { (name: $0, slips: distance(word, $0.rawValue)) }
      .min { $0.slips < $1.slips }
    return nearest.flatMap { $0.slips <= slipsMax ? $0.name : nil }
  }

  /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
  ///
  /// - Complexity: O(bytes of `a` × bytes of `b`) after a word that is far too long has been turned away.
  package static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    // The difference in length is a lower bound, and keeps a pasted megabyte from costing a table of its size.
    guard abs(a.count - b.count) <= 2 else { return abs(a.count - b.count) }
    var rows = [Array(0...b.count)]
    for i in 1..<(a.count + 1) {
      var row = [i]
      for j in 1..<(b.count + 1) {
        let replace = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, replace)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
