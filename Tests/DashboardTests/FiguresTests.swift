import Dashboard
import Testing

@Suite struct FiguresTests {
  @Test(arguments: [(0, "0 keys"), (1, "1 key"), (2, "2 keys"), (45_600, "45.6 k keys")])
  func `one thing is not several`(count: Int, words: String) {
    #expect(Figures.count(count, "key") == words)
  }

  @Test(arguments: [
    (0.0, "0"), (999.0, "999"), (999.6, "1.00 k"), (1_234.0, "1.23 k"), (12_345.0, "12.3 k"), (123_456.0, "123 k"),
    (999_499.0, "999 k"), (999_500.0, "1.00 M"), (1.52e6, "1.52 M"), (Double.infinity, "?"), (-1.0, "?"),
  ])
  func `counts have three digits and an SI prefix`(value: Double, text: String) {
    #expect(Figures.count(value) == text)
  }

  @Test(arguments: [(0.0, "0 B"), (1_023.0, "1.00 KiB"), (1_536.0, "1.50 KiB"), (139.0 * 1_048_576, "139 MiB")])
  func `bytes have an IEC prefix`(value: Double, text: String) {
    #expect(Figures.bytes(value) == text)
  }

  @Test func `no figure is wider than its column`() {
    for exponent in 0..<180 {
      var value = 1.0
      for _ in 0..<exponent { value *= 1.26 }
      #expect(Figures.count(value).columns <= 6)
      #expect(Figures.bytes(value).columns <= 8)
    }
  }

  @Test func `a percentage is 0 or 100 only when it is exactly that`() {
    #expect(Figures.percent(0) == "0 %")
    #expect(Figures.percent(0.0001) == "1 %")
    #expect(Figures.percent(0.9999) == "99 %")
    #expect(Figures.percent(1) == "100 %")
    #expect(Figures.precisePercent(0.1984) == "19.8 %")
  }

  @Test func `durations name their two greatest units`() {
    #expect(Figures.duration(seconds: 8.9) == "8 s")
    #expect(Figures.duration(seconds: 192) == "3 m 12 s")
    #expect(Figures.duration(seconds: 3_600 * 52) == "2 d 4 h")
    #expect(Figures.clock(seconds: 125) == "02:05")
    #expect(Figures.clock(seconds: 3_725) == "1:02:05")
  }
}
