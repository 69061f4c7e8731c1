import Commands
import Dashboard
import Faces
import Foundation

/// A terminal of cells in memory, whose clock a test sets.
///
/// The screen's loop runs on a thread of its own, as it does in the program. A test types, sends signals and lets time
/// pass; each of these returns when the loop sleeps again, so that what it then shows is its answer. Virtual time passes
/// only in ``pass(_:)``: from one moment at which the loop wants to look to the next.
final class TestTerminal: Terminal, @unchecked Sendable {
  let depth: ColorDepth
  let isUTF8: Bool
  let isConsole: Bool
  let marksPastes: Bool
  let keySequences: [[UInt8]: Key] = [Array("\u{1b}OA".utf8): .up, Array("\u{1b}OB".utf8): .down]

  /// What has happened to the terminal so far.
  struct Record: Sendable {
    var nowNs: UInt64 = 1_000_000_000
    var size: Size
    var picture: Picture?
    /// Pictures sent, and how often the loop has gone to sleep.
    var pictures = 0
    var sleeps = 0
    var repaints = 0
    var isMouseOurs: Bool?
    var suspensions = 0
    var resumptions = 0
    var closings = 0
    /// Pictures that came while the terminal was not the screen's.
    var strayPictures = 0
    /// The loop's status once it has returned, or why it could not begin.
    var status: Int32?
    /// What was said then to be lost, once the terminal was given back.
    var complaints: [String] = []
    var failure: String?

    /// Whether the loop has ended, and with it the time.
    var isOver: Bool { hasReturned || closings > 0 }

    /// Whether the loop's thread has told how it ended: a little after it closed the terminal.
    var hasReturned: Bool { status != nil || failure != nil }

    var text: String { picture?.canvas.lines.joined(separator: "\n") ?? "" }
  }

  private struct Inside {
    var record: Record
    var events: [TerminalEvent] = []
    /// Until when the loop sleeps; `nil` while it runs.
    var sleepsUntilNs: UInt64?
    var newSize: Size?
    var isSuspended = false
    var continues = false
    var waiters: [CheckedContinuation<Void, Never>] = []

    /// Whether the loop sleeps and nothing waits for it.
    var isAtRest: Bool { isSuspended || events.isEmpty && sleepsUntilNs.map { record.nowNs < $0 } ?? false }
  }

  private let condition = NSCondition()
  private var inside: Inside

  init(
    _ width: Int = 100, _ height: Int = 30, depth: ColorDepth = .truecolor, isUTF8: Bool = true,
    isConsole: Bool = false,
    marksPastes: Bool = true
  ) {
    inside = Inside(record: Record(size: Size(width: width, height: height)))
    (self.depth, self.isUTF8, self.isConsole, self.marksPastes) = (depth, isUTF8, isConsole, marksPastes)
  }

  // MARK: - The loop's side

  var size: Size { change { $0.record.size } }
  var nowNs: UInt64 { change { $0.record.nowNs } }
  var waker: @Sendable () -> Void { { [self] in change { $0.events.append(.woken) } } }

  func wait(untilNs: UInt64) -> [TerminalEvent] {
    condition.lock()
    defer { condition.unlock() }
    inside.record.sleeps += 1
    inside.sleepsUntilNs = untilNs
    tell()
    while inside.events.isEmpty, inside.record.nowNs < untilNs { condition.wait() }
    inside.sleepsUntilNs = nil
    defer { inside.events = [] }
    return inside.events
  }

  func present(_ picture: Picture) {
    change {
      if $0.record.closings > 0 || $0.isSuspended { $0.record.strayPictures += 1 }
      $0.record.picture = picture
      $0.record.pictures += 1
    }
  }

  func repaint() { change { $0.record.repaints += 1 } }
  func useMouse(_ isOurs: Bool) { change { $0.record.isMouseOurs = isOurs } }

  func adoptSize() -> Bool {
    change {
      guard let new = $0.newSize, new != $0.record.size else { return false }
      $0.record.size = new
      return true
    }
  }

  func suspend() {
    condition.lock()
    defer { condition.unlock() }
    inside.record.suspensions += 1
    inside.isSuspended = true
    tell()
    while !inside.continues { condition.wait() }
    (inside.continues, inside.isSuspended) = (false, false)
    if let new = inside.newSize { inside.record.size = new }
  }

  func resume() {
    change {
      $0.record.resumptions += 1
      if let new = $0.newSize { $0.record.size = new }
    }
  }

  func close() { change { $0.record.closings += 1 } }

  // MARK: - The test's side

  var record: Record { change { $0.record } }

  /// Shows a host's cluster on this terminal, on a thread.
  func show(_ host: any ScreenHost, _ options: ScreenOptions = ScreenOptions()) async throws -> TestTerminal {
    let onParse = Command.onParse
    let thread = Thread { [self] in
      Command.$onParse.withValue(onParse) {
        do {
          let status = try Screen.run(host, options, on: self) { words in
            change { $0.record.complaints.append($0.record.closings == 1 ? words : "too early: \(words)") }
          }
          change { $0.record.status = status }
        } catch {
          change { $0.record.failure = "\(error)" }
        }
      }
    }
    thread.stackSize = 16 << 20
    thread.start()
    try await until("the loop sleeps") { $0.record.hasReturned || $0.record.closings == 0 && $0.isAtRest }
    return self
  }

  /// Returns when the loop sleeps and nothing waits for it, or when it has ended.
  func settle() async throws {
    try await until("the loop sleeps") { $0.record.isOver || $0.isAtRest }
  }

  func type(_ text: String) async throws { try await send(.bytes(Array(text.utf8))) }

  /// Types a text between the marks of a paste.
  func paste(_ text: String) async throws { try await type("\u{1b}[200~\(text)\u{1b}[201~") }

  func send(_ event: TerminalEvent) async throws {
    change { $0.events.append(event) }
    try await settle()
  }

  /// Lets events arrive together, and does not wait for what comes of them.
  func queue(_ events: [TerminalEvent]) { change { $0.events += events } }

  func resize(_ width: Int, _ height: Int) async throws {
    change { $0.newSize = Size(width: width, height: height) }
    try await send(.resized)
  }

  /// The shell continues the program, in a window of another size if one is given.
  func go(_ size: Size? = nil) async throws {
    change {
      $0.newSize = size ?? $0.newSize
      ($0.continues, $0.isSuspended) = (true, false)
    }
    try await settle()
  }

  /// Lets virtual time pass.
  func pass(_ duration: Duration) async throws {
    let end = record.nowNs + UInt64(duration / .nanoseconds(1))
    while record.nowNs < end {
      change { $0.record.nowNs = min(end, max($0.record.nowNs + 1, $0.sleepsUntilNs ?? end)) }
      try await settle()
      if record.isOver { return }
    }
  }

  /// Returns once the screen shows the words; time passes meanwhile.
  func shows(_ words: String) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !record.text.contains(words) {
      guard ContinuousClock.now < deadline, !record.isOver else {
        throw TestFailure("there is no “\(words)” on\n\(record.text)")
      }
      // A command answers in real time, from a thread of its own.
      try await Task.sleep(for: .milliseconds(2))
      try await pass(.milliseconds(100))
    }
  }

  /// The status of the loop, which is about to end.
  func ends() async throws -> Int32 {
    try await until("the screen ends") { $0.record.status != nil || $0.record.failure != nil }
    return record.status ?? -1
  }

  // MARK: - Both

  @discardableResult
  private func change<Result>(_ body: (inout Inside) -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    defer { tell() }
    return body(&inside)
  }

  /// Called with the lock held.
  private func tell() {
    condition.broadcast()
    for waiter in inside.waiters { waiter.resume() }
    inside.waiters = []
  }

  private func until(_ what: String, _ holds: @escaping @Sendable (Inside) -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    // Wakes the waiter below once, so that a loop that hangs fails its test.
    let alarm = Task {
      try await Task.sleep(for: .seconds(31))
      change { _ in }
    }
    defer { alarm.cancel() }
    while true {
      if look(holds) { return }
      guard ContinuousClock.now < deadline else { throw TestFailure("not in time: \(what)\n\(record.text)") }
      await withCheckedContinuation { waiter in wait(waiter, unless: holds) }
    }
  }

  private func look(_ holds: (Inside) -> Bool) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    return holds(inside)
  }

  /// Keeps who waits for a change, unless it has come between the two looks.
  private func wait(_ waiter: CheckedContinuation<Void, Never>, unless holds: (Inside) -> Bool) {
    condition.lock()
    defer { condition.unlock() }
    if holds(inside) { waiter.resume() } else { inside.waiters.append(waiter) }
  }
}

/// Why a test cannot go on.
struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
