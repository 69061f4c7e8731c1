import Testing
import Text

@Suite struct FiguresTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1_000, "1,000"), (999_999, "999,999"), (1_203_221, "1,203,221"), (-1_000, "-1,000"),
    (.max, "9,223,372,036,854,775,807"), (.min, "-9,223,372,036,854,775,808"),
  ])
  func `counts are exact, with commas between thousands`(count: Int, text: String) {
    #expect(Figures.count(count) == text)
  }

  @Test func `a count beyond a signed number is the greatest there is`() {
    #expect(Figures.count(UInt64.max) == "9,223,372,036,854,775,807")
  }

  @Test(arguments: [(0, "0 keys"), (1, "1 key"), (2, "2 keys"), (45_600, "45,600 keys"), (-1, "-1 keys")])
  func `one thing is not several`(count: Int, words: String) {
    #expect(Figures.count(count, "key") == words)
  }

  @Test(arguments: [
    (0, "0 B"), (100, "100 B"), (1_024, "1 KiB"), (1_536, "1.5 KiB"), (64 << 20, "64 MiB"), (3 << 30, "3 GiB"),
  ])
  func `a size that was given has as few digits as say it`(bytes: Int, text: String) {
    #expect(Figures.given(bytes: bytes) == text)
  }

  @Test func `a noun may have a plural of its own, and a verb follows its noun`() {
    #expect(Figures.count(1, "copy", plural: "copies") == "1 copy")
    #expect(Figures.count(2, "copy", plural: "copies") == "2 copies")
    #expect(Figures.word(1, "is", "are") == "is")
    #expect(Figures.word(0, "is", "are") == "are")
  }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (0.4, "0"), (0.5, "1"), (999.0, "999"), (999.49, "999"), (999.5, "1.00 k"),
    (999.95, "1.00 k"), (1_000, "1.00 k"), (1_234.0, "1.23 k"), (9_994, "9.99 k"), (9_995, "10.0 k"),
    (12_345.0, "12.3 k"), (99_949, "99.9 k"), (99_950, "100 k"), (123_456.0, "123 k"), (999_499.0, "999 k"),
    (999_500.0, "1.00 M"), (1.2e6, "1.20 M"), (999.4e33, "—"), (9.99e29, "999 R"), (9.995e29, "1.00 Q"),
    (-1.0, "-1"), (-81_500, "-81.5 k"), (1e300, "—"), (.infinity, "—"), (-.infinity, "—"), (.nan, "—"),
    (.leastNonzeroMagnitude, "0"),
  ])
  func `measured figures have three digits and an SI prefix`(value: Double, text: String) {
    #expect(Figures.short(value) == text)
  }

  @Test(arguments: [
    (0.0, "0 B"), (999.4, "999 B"), (999.5, "0.98 KiB"), (1_023.0, "1.00 KiB"), (1_024, "1.00 KiB"),
    (1_536.0, "1.50 KiB"), (139.0 * 1_048_576, "139 MiB"), (-1_536, "-1.50 KiB"), (.nan, "—"), (1e300, "—"),
  ])
  func `bytes have an IEC prefix`(value: Double, text: String) {
    #expect(Figures.bytes(value) == text)
  }

  @Test(arguments: [
    (0.0, "0 ns"), (812, "812 ns"), (999.5, "1.00 µs"), (1_250, "1.25 µs"), (999_499, "999 µs"), (999_500, "1.00 ms"),
    (3.4e6, "3.40 ms"), (999.4e6, "999 ms"), (999.5e6, "1.00 s"), (9.994e9, "9.99 s"), (12.34e9, "12.3 s"),
    (99.95e9, "100 s"), (999.4e9, "999 s"), (999.5e9, "1,000 s"), (86_400e9, "86,400 s"), (.nan, "—"),
    (.infinity, "—"), (1e300, "—"), (-1.5e6, "-1.50 ms"),
  ])
  func `times have three digits and their unit`(ns: Double, text: String) {
    #expect(Figures.time(ns: ns) == text)
  }

  @Test func `times of either kind are written alike`() {
    #expect(Figures.time(ns: UInt64(1_250_000)) == "1.25 ms")
    #expect(Figures.time(.milliseconds(1250)) == "1.25 s")
  }

  @Test func `no figure is wider than its column`() {
    for exponent in 0..<250 {
      var value = 1.0
      for _ in 0..<exponent { value *= 1.26 }
      #expect(Figures.short(value).columns <= 6)
      #expect(Figures.bytes(value).columns <= 8)
      if value < 1e13 { #expect(Figures.time(ns: value).columns <= 7) }
    }
  }

  @Test(arguments: [
    (0.0, "0 %"), (0.0001, "1 %"), (0.0049, "1 %"), (0.5, "50 %"), (0.9949, "99 %"), (0.9999, "99 %"), (1, "100 %"),
    (1.5, "150 %"), (-0.25, "-25 %"), (.nan, "—"), (.infinity, "—"), (1e300, "—"),
  ])
  func `a percentage is 0 or 100 only when it is exactly that`(fraction: Double, text: String) {
    #expect(Figures.percent(fraction) == text)
  }

  @Test func `a precise percentage has one decimal`() {
    #expect(Figures.precisePercent(0.1984) == "19.8 %")
    #expect(Figures.precisePercent(0.99949) == "99.9 %")
    #expect(Figures.precisePercent(.nan) == "—")
  }

  @Test func `durations name their two greatest units`() {
    #expect(Figures.duration(seconds: 8.9) == "8 s")
    #expect(Figures.duration(seconds: 59.999) == "59 s")
    #expect(Figures.duration(seconds: 60) == "1 m 0 s")
    #expect(Figures.duration(seconds: 192) == "3 m 12 s")
    #expect(Figures.duration(seconds: 3_600 * 52) == "2 d 4 h")
    #expect(Figures.duration(seconds: -1) == "0 s")
    #expect(Figures.duration(seconds: .infinity) == "11574 d 1 h")
    #expect(Figures.duration(seconds: .nan) == "—")
  }

  @Test func `a clock has two digits of minutes and seconds`() {
    #expect(Figures.clock(seconds: 125) == "02:05")
    #expect(Figures.clock(seconds: 3_599.9) == "59:59")
    #expect(Figures.clock(seconds: 3_725) == "1:02:05")
    #expect(Figures.clock(seconds: .nan) == "—")
  }

  @Test(arguments: [
    (2.045, 2, "2.05"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (-2.5, 0, "-3"), (0, 3, "0.000"),
    (1e15, 0, "1000000000000000"),
    (1e19, 0, "—"), (.nan, 1, "—"),
  ])
  func `decimals are rounded away from zero, and none is lost`(value: Double, places: Int, text: String) {
    #expect(Figures.decimal(value, places: places) == text)
  }

  @Test func `a slow rate has tenths`() {
    #expect(
      [0, 0.5, 52, 52.04, 99.94, 99.95, 1_234.5, .infinity, .nan].map(Figures.rate)
        == ["0", "0.5", "52", "52", "99.9", "100", "1.23 k", "—", "—"])
  }

  @Test func `a number has as few decimals as say it`() {
    #expect(Figures.number(2, placesMax: 2) == "2")
    #expect(Figures.number(2.5, placesMax: 2) == "2.5")
    #expect(Figures.number(2.05, placesMax: 2) == "2.05")
    #expect(Figures.number(100, placesMax: 1) == "100")
    #expect(Figures.number(.nan, placesMax: 1) == "—")
    #expect(Figures.factor(1.25, placesMax: 3) == "×1.25")
    #expect(Figures.factor(.infinity, placesMax: 3) == "—")
  }
}
