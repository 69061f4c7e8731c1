/// What is due when, as places in a table of the caller's: in the order of their time, those of the same moment in the
/// order they were added. A heap of plain numbers, so that whoever keeps bulky entries moves none of them about, and
/// other modules call no generic code: both together were a sixth of a simulation's time.
package struct DueHeap {
  private struct Node {
    var at: UInt64
    var sequence: UInt64
    var place: Int

    func comesBefore(_ other: Node) -> Bool { at < other.at || at == other.at && sequence < other.sequence }
  }

  /// A binary heap: the parent of `i` is `(i - 1) / 2` and comes before it.
  private var heap: [Node] = []
  private var sequence: UInt64 = 0

  package init() {}

  /// When the first is due.
  package var nextDue: UInt64? { heap.first?.at }

  /// O(log places).
  package mutating func add(_ place: Int, at time: UInt64) {
    sequence += 1
    let node = Node(at: time, sequence: sequence, place: place)
    var i = heap.count
    heap.append(node)
    heap.withUnsafeMutableBufferPointer { heap in
      while i > 0, node.comesBefore(heap[(i - 1) / 2]) {
        heap[i] = heap[(i - 1) / 2]
        i = (i - 1) / 2
      }
      heap[i] = node
    }
  }

  /// The first, if it is due by `now`. O(log places).
  package mutating func pop(dueBy now: UInt64 = .max) -> Int? {
    guard let first = heap.first, first.at <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty { sink(last) }
    return first.place
  }

  package mutating func removeAll() { heap = [] }

  /// O(places · log places).
  package mutating func removeAll(where isGone: (_ place: Int) -> Bool) {
    // Sorted, it is a heap too.
    heap = heap.filter { !isGone($0.place) }.sorted { $0.comesBefore($1) }
  }

  /// Puts a node where the first was, and down from there.
  private mutating func sink(_ node: Node) {
    heap.withUnsafeMutableBufferPointer { heap in
      var i = 0
      while true {
        var child = 2 * i + 1
        if child >= heap.count { break }
        if child + 1 < heap.count, heap[child + 1].comesBefore(heap[child]) { child += 1 }
        if !heap[child].comesBefore(node) { break }
        heap[i] = heap[child]
        i = child
      }
      heap[i] = node
    }
  }
}
