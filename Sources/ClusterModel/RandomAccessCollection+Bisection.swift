extension RandomAccessCollection {
  /// The first index at which `belongsToSecond` holds; the end if it holds nowhere. Where it holds once, it must hold from there
  /// on.
  /// - Complexity: O(log count).
  package func partitioningIndex(where belongsToSecond: (Element) -> Bool) -> Index {
    var (low, count) = (startIndex, self.count)
    while count > 0 {
      let half = count / 2
      let middle = index(low, offsetBy: half)
      if belongsToSecond(self[middle]) {
        count = half
      } else {
        low = index(after: middle)
        count -= half + 1
      }
    }
    return low
  }
}
