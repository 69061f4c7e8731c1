/// A doubly linked list of the numbers `0 ..< end`, rising, in flat arrays (Lowe 2017, section 3; Knuth's dancing links).
///
/// `end` stands for both ends. Taking an entry out leaves its own links alone, so that putting entries back in the
/// reverse order finds their places. All in O(1).
struct EntryList {
  private var following: [Int32]
  private var preceding: [Int32]
  let end: Int

  init(count: Int) {
    let last = Int32(count)
    following = Array(1..<(last + 1)) + [0]
    preceding = [last] + Array(0..<last)
    end = count
  }

  /// `end` if the list is empty.
  var first: Int { Int(following[end]) }
  var isEmpty: Bool { first == end }

  func next(_ entry: Int) -> Int { Int(following[entry]) }
  func previous(_ entry: Int) -> Int { Int(preceding[entry]) }

  mutating func unlink(_ entry: Int) {
    following[Int(preceding[entry])] = following[entry]
    preceding[Int(following[entry])] = preceding[entry]
  }

  mutating func relink(_ entry: Int) {
    following[Int(preceding[entry])] = Int32(entry)
    preceding[Int(following[entry])] = Int32(entry)
  }
}
