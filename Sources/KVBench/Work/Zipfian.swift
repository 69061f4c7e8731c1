import Glibc

/// Ranks 0 ..< `count`, of which rank k comes about as often as 1 / (k + 1)^0.99: YCSB's `ZipfianGenerator`, which is the
/// method of Gray et al., "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994.
///
/// Ranks 0 and 1 are exact, the others approximate: each lies within some percent of the ideal. Other exact methods
/// (rejection-inversion) are as fast, but figures would not compare with anybody else's.
struct Zipfian {
  /// YCSB's `ZIPFIAN_CONSTANT`.
  static let theta = 0.99
  private static let alpha = 1 / (1 - theta)
  private static let zetaOf2 = 1 + pow(0.5, theta)

  private(set) var count: UInt64
  /// The sum of 1 / k^θ over k = 1 … `count`.
  private(set) var zeta: Double
  private var eta: Double

  /// O(count): the sum of as many powers.
  init(count: UInt64) {
    self.init(count: count, zeta: Zipfian.sum(over: 0..<count))
  }

  /// - Parameter zeta: the sum, known beforehand.
  init(count: UInt64, zeta: Double) {
    precondition(count > 0, "no rank to draw from")
    self.count = count
    self.zeta = zeta
    eta = Zipfian.eta(count, zeta)
  }

  private static func sum(over ranks: Range<UInt64>) -> Double {
    ranks.reduce(0) { $0 + 1 / pow(Double($1 + 1), theta) }
  }

  private static func eta(_ count: UInt64, _ zeta: Double) -> Double {
    (1 - pow(2 / Double(count), 1 - theta)) / (1 - zetaOf2 / zeta)
  }

  /// Takes further ranks in, at the cost of a power each; fewer than there are change nothing.
  mutating func grow(to newCount: UInt64) {
    guard newCount > count else { return }
    zeta += Zipfian.sum(over: count..<newCount)
    count = newCount
    eta = Zipfian.eta(count, zeta)
  }

  mutating func next(_ random: inout BenchmarkRandom) -> UInt64 { rank(of: random.nextUnit()) }

  /// The rank that a number from 0 to 1 stands for. Public to the tests, which turn it round.
  func rank(of u: Double) -> UInt64 {
    let uz = u * zeta
    if uz < 1 { return 0 }
    if uz < Zipfian.zetaOf2 { return 1 }
    return min(count - 1, UInt64(Double(count) * pow(eta * u - eta + 1, Zipfian.alpha)))
  }

  /// The greatest part of 0 … 1 that lies before `rank`, from 2: the inverse of ``rank(of:)``.
  func threshold(of rank: UInt64) -> Double {
    (pow(Double(rank) / Double(count), 1 - Zipfian.theta) - 1 + eta) / eta
  }
}

/// Numbers 0 ..< `count`, some of them often, and these spread over all: YCSB's `ScrambledZipfianGenerator`.
///
/// A rank of ten thousand million is hashed (FNV-1a) and taken modulo `count`. So the most frequent number comes as often
/// whatever `count` is: once in 26.5.
struct ScrambledZipfian {
  /// YCSB's `ITEM_COUNT` and `ZETAN`: the sum takes minutes, so it is a constant there as here.
  static let rankCount: UInt64 = 10_000_000_000
  static let zeta = 26.469_028_201_783_02

  let count: UInt64
  private var ranks = Zipfian(count: rankCount, zeta: zeta)

  init(count: UInt64) {
    precondition(count > 0, "no number to draw from")
    self.count = count
  }

  mutating func next(_ random: inout BenchmarkRandom) -> UInt64 { FNV.hash(ranks.next(&random)) % count }
}

/// YCSB's `fnvhash64`: FNV-1a (Fowler, Noll, Vo) over the number's eight bytes, lowest first, without the sign.
enum FNV {
  static func hash(_ number: UInt64) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      hash ^= number >> shift & 0xFF
      hash = hash &* 1_099_511_628_211
    }
    return Int64(bitPattern: hash).magnitude
  }
}
