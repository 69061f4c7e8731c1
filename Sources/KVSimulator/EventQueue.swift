/// What happens next: events in the order of their virtual time, those of the same moment in the order they were made.
struct EventQueue<Event> {
  private struct Entry {
    var at: Int
    var sequence: Int
    var event: Event
  }

  /// A binary heap: the parent of `i` is `(i - 1) / 2` and comes before it.
  private var heap: [Entry] = []
  private var sequence = 0

  var isEmpty: Bool { heap.isEmpty }

  mutating func add(_ event: Event, at time: Int) {
    sequence += 1
    heap.append(Entry(at: time, sequence: sequence, event: event))
    var i = heap.count - 1
    while i > 0, comesBefore(i, (i - 1) / 2) {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func next() -> (at: Int, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var i = 0
      while let child = [2 * i + 1, 2 * i + 2].filter({ $0 < heap.count }).min(by: comesBefore), comesBefore(child, i) {
        heap.swapAt(child, i)
        i = child
      }
    }
    return (first.at, first.event)
  }

  private func comesBefore(_ i: Int, _ j: Int) -> Bool {
    (heap[i].at, heap[i].sequence) < (heap[j].at, heap[j].sequence)
  }
}
