/// What is due when: entries in the order of their time, those of the same moment in the order they were added.
///
/// Inlinable, since the simulator's loop is little else: called through generic code of another module it took a sixth of
/// a simulation's time.
package struct TimerQueue<Entry> {
  @usableFromInline
  struct Node {
    @usableFromInline
    var at: UInt64
    @usableFromInline
    var sequence: UInt64
    @usableFromInline
    var entry: Entry

    @inlinable
    init(at: UInt64, sequence: UInt64, entry: Entry) {
      self.at = at
      self.sequence = sequence
      self.entry = entry
    }
  }

  /// A binary heap: the parent of `i` is `(i - 1) / 2` and comes before it.
  @usableFromInline
  var heap: [Node] = []
  @usableFromInline
  var sequence: UInt64 = 0

  @inlinable
  package init() {}

  @inlinable
  package var isEmpty: Bool { heap.isEmpty }

  /// When the first entry is due.
  @inlinable
  package var nextDue: UInt64? { heap.first?.at }

  /// O(log entries).
  @inlinable
  package mutating func add(_ entry: Entry, at time: UInt64) {
    sequence += 1
    heap.append(Node(at: time, sequence: sequence, entry: entry))
    var i = heap.count - 1
    while i > 0, comesBefore(i, (i - 1) / 2) {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  /// The first entry, if it is due by `now`. O(log entries).
  @inlinable
  package mutating func pop(dueBy now: UInt64 = .max) -> (at: UInt64, entry: Entry)? {
    guard let first = heap.first, first.at <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.at, first.entry)
  }

  @inlinable
  package mutating func removeAll() { heap = [] }

  /// The entries, in no order that matters.
  var entries: [Entry] { heap.map(\.entry) }

  /// O(entries · log entries).
  @inlinable
  package mutating func removeAll(where isGone: (Entry) -> Bool) {
    // Sorted, it is a heap too.
    heap = heap.filter { !isGone($0.entry) }.sorted { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
  }

  @inlinable
  mutating func sink() {
    var i = 0
    while true {
      var child = 2 * i + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, comesBefore(child + 1, child) { child += 1 }
      guard comesBefore(child, i) else { return }
      heap.swapAt(child, i)
      i = child
    }
  }

  @inlinable
  func comesBefore(_ i: Int, _ j: Int) -> Bool {
    (heap[i].at, heap[i].sequence) < (heap[j].at, heap[j].sequence)
  }
}
