/// Patterns of keys as Redis has them: `*`, `?`, `[a-c]`, `[^a]` and `\` before a byte that means itself.
struct Glob {
  private let pattern: [UInt8]

  init(_ pattern: [UInt8]) { self.pattern = pattern }

  /// What every match begins with.
  var literalPrefix: [UInt8] {
    let special = pattern.firstIndex {
      [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\")].contains($0)
    }
    return Array(pattern[..<(special ?? pattern.endIndex)])
  }

  /// O(pattern × key): after a failure only the last `*` is tried again.
  func matches(_ key: [UInt8]) -> Bool {
    var (p, k) = (0, 0)
    var retry: (pattern: Int, key: Int)?
    while true {
      if p == pattern.count, k == key.count { return true }
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        retry = (p, k)
        p += 1
        continue
      }
      if p < pattern.count, k < key.count, let next = step(p, key[k]) {
        (p, k) = (next, k + 1)
        continue
      }
      guard let (star, from) = retry, from < key.count else { return false }
      retry = (star, from + 1)
      (p, k) = (star + 1, from + 1)
    }
  }

  /// Where the pattern goes on if its element at `at` matches the byte.
  private func step(_ at: Int, _ byte: UInt8) -> Int? {
    switch pattern[at] {
    case UInt8(ascii: "?"): return at + 1
    case UInt8(ascii: "["): return set(at + 1, byte)
    case UInt8(ascii: "\\") where at + 1 < pattern.count: return pattern[at + 1] == byte ? at + 2 : nil
    case byte: return at + 1
    default: return nil
    }
  }

  /// A set without its closing bracket ends with the pattern, as in Redis.
  private func set(_ start: Int, _ byte: UInt8) -> Int? {
    var at = start
    let isInverted = at < pattern.count && pattern[at] == UInt8(ascii: "^")
    if isInverted { at += 1 }
    var isFound = false
    while at < pattern.count, pattern[at] != UInt8(ascii: "]") {
      if pattern[at] == UInt8(ascii: "\\"), at + 1 < pattern.count {
        at += 1
        if pattern[at] == byte { isFound = true }
        at += 1
      } else if at + 2 < pattern.count, pattern[at + 1] == UInt8(ascii: "-") {
        let (low, high) = (min(pattern[at], pattern[at + 2]), max(pattern[at], pattern[at + 2]))
        if (low...high).contains(byte) { isFound = true }
        at += 3
      } else {
        if pattern[at] == byte { isFound = true }
        at += 1
      }
    }
    return isFound != isInverted ? min(at + 1, pattern.count) : nil
  }
}
