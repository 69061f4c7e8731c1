import HeapModule

/// What is due when, as places in a table of the caller's: in the order of their time, those of the same moment in the
/// order they were added.
///
/// swift-collections' heap of plain numbers: its caller keeps bulky entries and moves none of them about, and other modules
/// call no generic code: both together were a sixth of a simulation's time.
package struct DueHeap {
  private struct Node: Comparable {
    var at: UInt64
    var sequence: UInt64
    var place: Int

    static func < (one: Node, other: Node) -> Bool {
      one.at < other.at || one.at == other.at && one.sequence < other.sequence
    }
  }

  private var heap = Heap<Node>()
  private var sequence: UInt64 = 0

  package init() {}

  /// When the first is due.
  package var nextDue: UInt64? { heap.min?.at }

  /// O(log places).
  package mutating func add(_ place: Int, at time: UInt64) {
    sequence += 1
    heap.insert(Node(at: time, sequence: sequence, place: place))
  }

  /// The first, if it is due by `now`. O(log places).
  package mutating func pop(dueBy now: UInt64 = .max) -> Int? {
    guard let first = heap.min, first.at <= now else { return nil }
    return heap.removeMin().place
  }

  package mutating func removeAll() { heap = Heap() }

  /// O(places).
  package mutating func removeAll(where isGone: (_ place: Int) -> Bool) {
    heap = Heap(heap.unordered.filter { !isGone($0.place) })
  }
}
