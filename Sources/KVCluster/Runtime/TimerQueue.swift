/// What is due when: entries in the order of their time, those of the same moment in the order they were added.
package struct TimerQueue<Entry> {
  private struct Node {
    var at: UInt64
    var sequence: UInt64
    var entry: Entry
  }

  /// A binary heap: the parent of `i` is `(i - 1) / 2` and comes before it.
  private var heap: [Node] = []
  private var sequence: UInt64 = 0

  package init() {}

  package var isEmpty: Bool { heap.isEmpty }
  package var count: Int { heap.count }

  /// When the first entry is due.
  package var nextDue: UInt64? { heap.first?.at }

  /// O(log entries).
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
  package mutating func pop(dueBy now: UInt64 = .max) -> (at: UInt64, entry: Entry)? {
    guard let first = heap.first, first.at <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.at, first.entry)
  }

  /// Calls `body` with every entry, in no order.
  package func forEach(_ body: (Entry) -> Void) {
    for node in heap { body(node.entry) }
  }

  package mutating func removeAll() { heap = [] }

  /// O(entries · log entries).
  package mutating func removeAll(where isGone: (Entry) -> Bool) {
    // Sorted, it is a heap too.
    heap = heap.filter { !isGone($0.entry) }.sorted { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
  }

  private mutating func sink() {
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

  private func comesBefore(_ i: Int, _ j: Int) -> Bool {
    (heap[i].at, heap[i].sequence) < (heap[j].at, heap[j].sequence)
  }
}
