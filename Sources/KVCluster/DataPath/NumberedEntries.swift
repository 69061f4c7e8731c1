/// Entries under consecutive numbers, found in O(1), of which mostly the oldest are removed first.
///
/// Room is freed once half of the entries kept are gone, so each entry is moved once on average.
struct NumberedEntries<Entry> {
  /// From number `first` on; `nil` for those removed.
  private var entries: [Entry?] = []
  private var first = 0
  /// How many of the first entries are `nil`.
  private var removedAtFront = 0

  /// The number that the next entry gets.
  var next: Int { first + entries.count }

  /// Numbers of which some may have been removed.
  var numbers: Range<Int> { first..<next }

  var all: some Sequence<Entry> { entries.lazy.compactMap { $0 } }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  /// `nil` if there is no such entry, or no more.
  subscript(_ number: Int) -> Entry? {
    _read { if numbers.contains(number) { yield entries[number - first] } else { yield nil } }
    _modify {
      precondition(numbers.contains(number), "no entry \(number) of \(numbers)")
      yield &entries[number - first]
    }
  }

  mutating func remove(_ number: Int) {
    self[number] = nil
    while removedAtFront < entries.count, entries[removedAtFront] == nil { removedAtFront += 1 }
    guard removedAtFront * 2 >= entries.count else { return }
    entries.removeFirst(removedAtFront)
    first += removedAtFront
    removedAtFront = 0
  }

  mutating func removeAll() {
    first = next
    entries = []
    removedAtFront = 0
  }
}
