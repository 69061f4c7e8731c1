import KVSimulator
import Testing

@testable import KVCluster
@testable import LiveVerdict

/// Which keys are watched under which load.
@Suite struct WatchControlTests {
  private static let warmUpNs: UInt64 = 6_000_000_000

  /// Seconds of a load of so many operations a second, evenly over all hashes; `check` is called after every pass.
  private static func run(
    _ control: inout WatchControl, seconds: Int, load: Double, keys: Int = 100, check: (WatchControl) -> Void = { _ in }
  ) {
    for _ in 0..<(seconds * 50) {
      let recorded = control.watch == .none ? 0 : Int(load / 50 / Double(1 << control.watch.bits))
      let pass = WatchControl.Pass(elapsedNs: 20_000_000, busyNs: 100_000, recorded: recorded, keys: keys)
      _ = control.step(pass)
      check(control)
    }
  }

  @Test("Under a light load all keys are watched, from the start")
  func light() {
    var control = WatchControl(warmUpNs: Self.warmUpNs, isFromStart: true)
    #expect(control.isJudged(123))
    Self.run(&control, seconds: 200, load: 1_000) { #expect($0.watch == .all && $0.judged == .all) }
  }

  @Test("When watching begins late, keys are judged only after the warm-up")
  func late() {
    var control = WatchControl(warmUpNs: Self.warmUpNs, isFromStart: false)
    Self.run(&control, seconds: 5, load: 10)
    #expect(!control.isJudged(123))
    Self.run(&control, seconds: 2, load: 10)
    #expect(control.isJudged(123))
  }

  @Test("Under a heavy load as many are watched as give ten thousand operations a second, and others in turn")
  func heavy() {
    var control = WatchControl(warmUpNs: Self.warmUpNs, isFromStart: true)
    Self.run(&control, seconds: 2, load: 2_000_000)
    var watched: Set<UInt32> = []
    Self.run(&control, seconds: 1_000, load: 2_000_000) { control in
      let rate = 2_000_000 / Double(1 << control.watch.bits)
      #expect((WatchControl.recordedMin...WatchControl.recordedMax).contains(rate), "\(rate)")
      #expect(control.judged != .none && control.judged.bits >= control.watch.bits)
      watched.insert(control.judged.pattern)
    }
    #expect(watched.count >= 8, "other keys in turn")
  }

  @Test("A rotation leaves half of the time with both, and the old ones judged while the new ones warm up")
  func turning() {
    var control = WatchControl(warmUpNs: Self.warmUpNs, isFromStart: true)
    Self.run(&control, seconds: 2, load: 2_000_000)
    let old = control.judged
    Self.run(&control, seconds: 60, load: 2_000_000)
    #expect(control.judged == old && control.watch.bits == old.bits - 1 && !control.isWarm)
    Self.run(&control, seconds: 6, load: 2_000_000)
    #expect(control.judged != old && control.judged == control.watch && control.watch.bits == old.bits)
  }

  @Test("When the load ends all keys come back, after a warm-up")
  func loadEnds() {
    var control = WatchControl(warmUpNs: Self.warmUpNs, isFromStart: true)
    Self.run(&control, seconds: 2, load: 2_000_000)
    Self.run(&control, seconds: 2, load: 10)
    #expect(control.watch.bits < control.judged.bits)
    Self.run(&control, seconds: 13, load: 10)
    #expect(control.judged == .all)
  }

  @Test("What operations took out of the watch is not judged, and comes back only through a warm-up")
  func narrowedByOperations() {
    var control = WatchControl(warmUpNs: Self.warmUpNs, isFromStart: true)
    let hash: UInt64 = 0x1234_5678_9abc_def0
    control.found(control.watch.excluding(hash))
    #expect(!control.isJudged(hash) && control.isJudged(hash ^ 1))
    Self.run(&control, seconds: 1, load: 10)
    #expect(control.watch == .all && !control.isJudged(hash) && control.isJudged(hash ^ 1))
    control.found(control.watch.excluding(hash))
    Self.run(&control, seconds: 5, load: 10) { #expect(!$0.isJudged(hash)) }
    Self.run(&control, seconds: 14, load: 10)
    #expect(control.isJudged(hash))
    control.found(.none)
    Self.run(&control, seconds: 1, load: 10) { #expect(!$0.isJudged(hash)) }
    Self.run(&control, seconds: 20, load: 10)
    #expect(control.isJudged(hash))
  }
}
