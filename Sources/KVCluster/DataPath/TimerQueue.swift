/// Entries that are due at some time, in the order of ``DueHeap``.
struct TimerQueue<Entry> {
  private var heap = DueHeap()
  /// By place; `nil` where there is room.
  private var entries: [Entry?] = []
  private var free: [Int] = []

  init() {}

  /// When the first entry is due.
  var nextDue: UInt64? { heap.nextDue }

  /// O(log entries).
  mutating func add(_ entry: Entry, at time: UInt64) {
    let place: Int
    if let last = free.popLast() {
      place = last
      entries[place] = entry
    } else {
      place = entries.count
      entries.append(entry)
    }
    heap.add(place, at: time)
  }

  /// The first entry, if it is due by `now`. O(log entries).
  mutating func pop(dueBy now: UInt64 = .max) -> Entry? {
    guard let place = heap.pop(dueBy: now), let entry = entries[place].take() else { return nil }
    free.append(place)
    return entry
  }

  /// All that wait, in no order that matters.
  var all: [Entry] { entries.compactMap { $0 } }

  mutating func removeAll() {
    heap.removeAll()
    entries = []
    free = []
  }
}
