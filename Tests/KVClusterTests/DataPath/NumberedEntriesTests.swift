import Testing

@testable import KVCluster

@Suite struct NumberedEntriesTests {
  @Test("Entries are found under their numbers, whichever were removed", arguments: 0..<20 as Range<UInt64>)
  func findsWhatIsThere(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var entries = NumberedEntries<Int>()
    var kept: [Int: Int] = [:]
    for step in 0..<500 {
      if random.below(2) == 0 {
        kept[entries.next] = step
        entries.append(step)
      } else if let number = kept.keys.sorted().dropFirst(random.below(3)).first {
        kept[number] = nil
        entries.remove(number)
      }
      #expect(entries.all.sorted() == kept.values.sorted())
    }
    for number in 0..<entries.next { #expect(entries[number] == kept[number]) }
  }

  @Test("Numbers are never used again, and what was removed takes no room")
  func isBounded() {
    var entries = NumberedEntries<Int>()
    for number in 0..<10_000 {
      #expect(entries.next == number)
      entries.append(number)
      if number >= 10 { entries.remove(number - 10) }
    }
    #expect(entries.numbers.count <= 40)
    entries.removeAll()
    #expect(entries.next == 10_000 && entries.numbers.isEmpty && entries[9_999] == nil)
  }
}
