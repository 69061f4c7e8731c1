import Foundation
import Testing

@testable import KVBench

/// The generators' frequencies against those of their definitions, by chi-square.
@Suite struct DistributionTests {
  private static let draws = 1_000_000

  private func counts(_ count: Int, _ next: (inout BenchmarkRandom) -> UInt64) -> [Int] {
    var random = BenchmarkRandom(seed: 42)
    var counts = [Int](repeating: 0, count: count)
    for _ in 0..<Self.draws { counts[Int(next(&random))] += 1 }
    return counts
  }

  /// What part of the draws each rank gets by the method of Gray et al., from the inverse of its formula.
  private func zipfianParts(_ count: Int) -> [Double] {
    let zipfian = Zipfian(count: UInt64(count))
    let first = 1 / zipfian.zeta
    let second = pow(0.5, Zipfian.theta) / zipfian.zeta
    var parts = [first, second]
    var last = first + second
    for rank in 2..<count {
      let next = rank == count - 1 ? 1 : max(last, zipfian.threshold(of: UInt64(rank) + 1))
      parts.append(next - last)
      last = next
    }
    return parts
  }

  @Test("The sum of powers is YCSB's, and growing it is as good as making it")
  func sumsPowers() {
    // Riemann zeta sums of 0.99, by direct summation.
    let direct = (1...1_000).reduce(0.0) { $0 + 1 / pow(Double($1), 0.99) }
    #expect(abs(Zipfian(count: 1_000).zeta - direct) < 1e-9)
    var grown = Zipfian(count: 10)
    grown.grow(to: 1_000)
    grown.grow(to: 500)
    #expect(grown.count == 1_000)
    #expect(abs(grown.zeta - direct) < 1e-9)
    // The constant of ten thousand million terms: the sum to a million, and the rest as an integral.
    let head = Zipfian(count: 1_000_000).zeta
    let tail = (pow(1e10, 0.01) - pow(1e6, 0.01)) / 0.01
    #expect(abs(head + tail - ScrambledZipfian.zeta) < 1e-4)
  }

  @Test("Zipfian ranks come as often as the method's formula says", arguments: [10, 1_000, 100_000])
  func drawsZipfian(count: Int) {
    var zipfian = Zipfian(count: UInt64(count))
    let counts = counts(count) { zipfian.next(&$0) }
    let parts = zipfianParts(count)
    #expect(abs(parts.reduce(0, +) - 1) < 1e-9)
    let test = ChiSquare(counts: counts, expected: parts.map { $0 * Double(Self.draws) })
    #expect(test.fits, "\(test.sum) of \(test.bound)")
  }

  @Test("The method is near the ideal: 1 in 40 draws at most goes to another rank than 1/k^0.99 would give it")
  func isNearlyIdeal() {
    let count = 1_000
    let zeta = Zipfian(count: UInt64(count)).zeta
    let distance = zipfianParts(count).enumerated().reduce(0.0) {
      $0 + abs($1.element - 1 / pow(Double($1.offset + 1), 0.99) / zeta)
    }
    #expect(distance / 2 < 0.025, "\(distance / 2)")
  }

  @Test("A wrong exponent would not pass the test")
  func tellsExponentsApart() {
    var zipfian = Zipfian(count: 1_000)
    let counts = counts(1_000) { zipfian.next(&$0) }
    let sum = (1...1_000).reduce(0.0) { $0 + 1 / pow(Double($1), 0.97) }
    let expected = (1...1_000).map { Double(Self.draws) / pow(Double($0), 0.97) / sum }
    #expect(!ChiSquare(counts: counts, expected: expected).fits)
  }

  @Test("Scrambled zipfian keys come as often as all ranks that hash to them together", arguments: [100, 10_000])
  func drawsScrambled(count: Int) {
    var scrambled = ScrambledZipfian(count: UInt64(count))
    let counts = counts(count) { scrambled.next(&$0) }
    // The first million ranks one by one; the rest, each rarer than one in 26 million, spreads evenly.
    let zipfian = Zipfian(count: ScrambledZipfian.rankCount, zeta: ScrambledZipfian.zeta)
    var parts = [Double](repeating: 0, count: count)
    var before = 0.0
    for rank in 0..<UInt64(1_000_000) {
      let end =
        switch rank {
        case 0: 1 / zipfian.zeta
        case 1: (1 + pow(0.5, 0.99)) / zipfian.zeta
        default: max(before, zipfian.threshold(of: rank + 1))
        }
      parts[Int(FNV.hash(rank) % UInt64(count))] += end - before
      before = end
    }
    let rest = (1 - before) / Double(count)
    let test = ChiSquare(counts: counts, expected: parts.map { ($0 + rest) * Double(Self.draws) })
    #expect(test.fits, "\(test.sum) of \(test.bound)")
  }

  @Test("The newest key comes most often, and each older one as a zipfian rank of its age")
  func drawsLatest() {
    let count = 1_001
    var chooser = KeyChooser(.latest, keys: count)
    let counts = counts(count) { chooser.next(&$0, present: UInt64(count)) }
    // YCSB draws ages below the newest number, so the very first key is never drawn.
    #expect(counts[0] == 0)
    let byAge = Array(counts[1...].reversed())
    let test = ChiSquare(counts: byAge, expected: zipfianParts(count - 1).map { $0 * Double(Self.draws) })
    #expect(test.fits, "\(test.sum) of \(test.bound)")
  }

  @Test("When keys are added, the newest one is drawn most")
  func followsInserts() {
    var chooser = KeyChooser(.latest, keys: 1_000)
    var random = BenchmarkRandom(seed: 1)
    for present in [1_000, 1_500, 3_000] as [UInt64] {
      let drawn = (0..<100_000).map { _ in chooser.next(&random, present: present) }
      #expect(drawn.allSatisfy { $0 < present })
      let newest = Double(drawn.count { $0 == present - 1 }) / 100_000
      #expect(abs(newest - 1 / Zipfian(count: present - 1).zeta) < 0.005)
    }
  }

  @Test("Uniform and sequential keys come evenly; a fifth of the keys is hot in four of five draws")
  func drawsTheOthers() {
    for distribution in [KeyDistribution.uniform, .sequential, .hotspot] {
      var chooser = KeyChooser(distribution, keys: 1_000)
      let counts = counts(1_000) { chooser.next(&$0, present: 1_000) }
      let expected = (0..<1_000).map { key in
        distribution == .hotspot ? (key < 200 ? 4_000.0 : 250) : 1_000
      }
      let test = ChiSquare(counts: counts, expected: expected)
      #expect(test.fits, "\(distribution): \(test.sum) of \(test.bound)")
    }
  }

  @Test("Callers that go one after the other go through every key once between them")
  func sharesTheSequence() {
    let chooser = KeyChooser(.sequential, keys: 10)
    var random = BenchmarkRandom(seed: 1)
    var seen: [UInt64] = []
    for index in 0..<3 {
      var own = chooser.forCaller(index, of: 3)
      for _ in 0..<(index == 0 ? 4 : 3) { seen.append(own.next(&random, present: 10)) }
    }
    #expect(seen.sorted() == Array(0..<10))
  }

  @Test("FNV-1a hashes are YCSB's")
  func hashes() {
    // Utils.fnvhash64 of YCSB 0.17: FNV-1a over eight bytes, lowest first, then Math.abs.
    #expect(FNV.hash(0) == 6_284_781_860_667_377_211)
    #expect(FNV.hash(1) == 8_517_097_267_634_966_620)
  }

  @Test("Sizes of values are read, written and drawn within their bounds")
  func sizesValues() throws {
    for text in ["100", "uniform:1-1000", "zipfian:10-20"] {
      let sizes = try #require(ValueSizes(text))
      #expect(sizes.text == text)
      var sizer = ValueSizer(sizes)
      var random = BenchmarkRandom(seed: 1)
      let drawn = (0..<10_000).map { _ in sizer.next(&random) }
      #expect(drawn.allSatisfy { $0 <= sizes.most })
      if case .uniform = sizes { #expect(abs(drawn.reduce(0, +) / 10_000 - 500) < 15) }
      if case .zipfian = sizes { #expect(drawn.count { $0 == 10 } > drawn.count { $0 == 11 }) }
    }
    for text in ["", "-1", "uniform:5", "uniform:5-1", "normal:1-5", "1-5", "uniform:-5-5"] {
      #expect(ValueSizes(text) == nil)
    }
  }

  @Test("A key counts as there once its insert and all earlier ones are acknowledged")
  func ordersInserts() {
    let inserts = InsertSequence(first: 10)
    let numbers = (0..<3).map { _ in inserts.next() }
    #expect(numbers == [10, 11, 12])
    inserts.acknowledge(11)
    inserts.acknowledge(12)
    #expect(inserts.present == 10)
    inserts.acknowledge(10)
    #expect(inserts.present == 13)
  }
}
