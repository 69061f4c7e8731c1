/// The configurations that a search has been in, so that none is explored twice (Lowe 2017, section 4).
///
/// A configuration is: which closed operations are in the order so far, how many of each class of open ones, and the
/// state they lead to. One is *covered* if an earlier one has the same closed operations, the same state, and of no
/// class more open ones: what can be completed from here could be completed from there, as open operations are free
/// to stay out. The search never returns to a configuration that succeeded, so covered means hopeless.
///
/// Everything lies in flat arrays, a few words a configuration: the closed operations are those below a first word
/// that is not full, and a window of bits from there on which is as wide as operations overlap in time.
struct ConfigurationMemory {
  /// What identifies a configuration but for its open operations.
  struct Key {
    var hash: UInt64
    var state: Int32
    /// All operations in earlier words of the bit set are in the order.
    var firstWord: Int32
    /// One past the last word that may hold one.
    var endWord: Int32
  }

  private struct Record {
    var key: Key
    /// Where its window begins in `windows`.
    var window: Int
    /// The next record in the same slot, or -1.
    var next: Int32
  }

  private let classCount: Int
  private var slots: [Int32]
  private var records: [Record] = []
  private var windows: [UInt64] = []
  /// Record `r` used `openUsed[r * classCount + c]` operations of class `c`.
  private var openUsed: [UInt32] = []

  init(classCount: Int) {
    self.classCount = classCount
    slots = Array(repeating: -1, count: 256)
  }

  var count: Int { records.count }

  /// What it holds, in bytes, without the room that arrays keep for growing.
  var byteCount: Int {
    records.count * MemoryLayout<Record>.stride + slots.count * 4 + windows.count * 8 + openUsed.count * 4
  }

  /// Remembers a configuration and returns true, or returns false if an earlier one covers it.
  ///
  /// - Complexity: O(window + classes) for each earlier one with the same key.
  mutating func insert(_ key: Key, closed: [UInt64], open: [UInt32]) -> Bool {
    var index = slots[slot(key.hash)]
    while index >= 0 {
      let record = records[Int(index)]
      if same(record, key, closed), covers(Int(index), open) { return false }
      index = record.next
    }
    if records.count == slots.count { grow() }
    let home = slot(key.hash)
    precondition(records.count < Int32.max, "more configurations than a record can number")
    records.append(Record(key: key, window: windows.count, next: slots[home]))
    slots[home] = Int32(records.count - 1)
    windows.append(contentsOf: closed[Int(key.firstWord)..<Int(key.endWord)])
    openUsed.append(contentsOf: open)
    return true
  }

  /// Our own mixing, not `Hasher`, whose seed differs in every process: work done must repeat exactly.
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  private func slot(_ hash: UInt64) -> Int {
    Int(hash & UInt64(slots.count - 1))
  }

  private func same(_ record: Record, _ key: Key, _ closed: [UInt64]) -> Bool {
    guard
      record.key.hash == key.hash, record.key.state == key.state,
      record.key.firstWord == key.firstWord, record.key.endWord == key.endWord
    else { return false }
    var word = record.window
    for index in Int(key.firstWord)..<Int(key.endWord) {
      if windows[word] != closed[index] { return false }
      word += 1
    }
    return true
  }

  private func covers(_ record: Int, _ open: [UInt32]) -> Bool {
    let base = record * classCount
    for index in 0..<classCount where openUsed[base + index] > open[index] { return false }
    return true
  }

  /// Doubles the slots, which keeps one record a slot on average.
  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    for index in records.indices {
      let home = slot(records[index].key.hash)
      records[index].next = slots[home]
      slots[home] = Int32(index)
    }
  }
}
