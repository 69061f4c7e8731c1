import KVCluster
import Synchronization
import Testing

@testable import Commands

/// Loading many lines at once while counting them in order.
struct LoaderTests {
  private func line(_ key: String, _ value: String = "v") throws -> LoadLine {
    try LoadLine(.bytes(Array("\(key)\t\(value)".utf8)))
  }

  @Test("A line counts as stored only when all before it are settled")
  func countsInOrder() throws {
    var window = LoadWindow()
    let lines = try (0..<4).map { try line("k\($0)") }
    for line in lines { window.start(line) }
    window.finish(3, lines[2], isStored: true)
    window.finish(2, lines[1], isStored: false)
    #expect(window.linesSettled == 0)
    window.finish(1, lines[0], isStored: true)
    #expect(window.linesStored == 2)
    #expect(window.linesFailed == 1)
    window.reject(5)
    window.finish(4, lines[3], isStored: true)
    #expect(window.linesSettled == 5)
  }

  @Test("A key that is on its way keeps a later line with it waiting")
  func keepsOrderOfOneKey() throws {
    var window = LoadWindow()
    let first = try line("k", "1")
    let second = try line("k", "2")
    window.start(first)
    #expect(!window.admits(second))
    #expect(window.admits(try line("other")))
    window.finish(1, first, isStored: true)
    #expect(window.admits(second))
  }

  @Test("Lines, bytes and the gap to the oldest line are bounded; one huge line alone may go")
  func isBounded() throws {
    var window = LoadWindow()
    let huge = LoadLine(key: [1], value: [UInt8](repeating: 0, count: LoadWindow.bytesInFlightMax))
    #expect(window.admits(huge))
    window.start(try line("slow"))
    #expect(!window.admits(huge))
    #expect(window.reaches(LoadWindow.span))
    #expect(!window.reaches(LoadWindow.span + 1))
    for number in 1..<LoadWindow.linesInFlightMax { window.start(try line("k\(number)")) }
    #expect(!window.admits(try line("one more")))
  }

  @Test(
    "A bad line says why",
    arguments: [
      ("", "no tab between key and value"), ("novalue", "no tab between key and value"), ("\tv", "the key is empty"),
      (String(repeating: "k", count: 65_536) + "\tv", "the key has 65,536 bytes, 65,535 are allowed"),
    ])
  func explainsBadLines(text: String, fault: String) {
    #expect(throws: LoadLine.Fault.self) { try LoadLine(.bytes(Array(text.utf8))) }
    do throws(LoadLine.Fault) {
      _ = try LoadLine(.bytes(Array(text.utf8)))
    } catch {
      #expect(error.words == fault)
    }
  }

  @Test("The longest key and a value of nothing are fine; a line beyond all limits is not")
  func takesLimits() throws {
    #expect(try line(String(repeating: "k", count: 65_535), "").key.count == 65_535)
    #expect(throws: LoadLine.Fault.valueTooLong(allowed: 64 << 20)) { try LoadLine(.tooLong) }
  }

  /// Loads `text` through `put` and returns what was said and whether all was stored.
  private func load(
    _ text: String, lineBytesMax: Int = 1 << 20,
    put: @escaping @Sendable ([UInt8], [UInt8]) async throws(ClusterError) -> Void
  ) async throws -> (recorder: Recorder, isGood: Bool) {
    let file = TemporaryFile(Array(text.utf8))
    let recorder = Recorder()
    let reader = try LineReader(path: file.path, lineBytesMax: lineBytesMax)
    let result = await Loader(put: put, emit: recorder.record).load(reader)
    for answer in result.answers(on: nil) { recorder.record(.answer(answer)) }
    return (recorder, result.outcome == .success)
  }

  @Test("At most 64 puts are on their way, and more than one")
  func loadsConcurrently() async throws {
    let flight = Mutex((now: 0, most: 0))
    let text = (0..<1_000).map { "k\($0)\tv\n" }.joined()
    let result = try await load(text) { _, _ throws(ClusterError) in
      flight.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      try? await Task.sleep(for: .milliseconds(1))
      flight.withLock { $0.now -= 1 }
    }
    #expect(result.isGood)
    #expect(result.recorder.lines.first?.hasPrefix("✓ Loaded: 1000 lines in ") == true)
    #expect((2...64).contains(flight.withLock { $0.most }))
  }

  @Test("Of two lines with one key the later wins, however long the earlier takes")
  func laterLineWins() async throws {
    let values = Mutex<[[UInt8]: [UInt8]]>([:])
    let text = (0..<50).map { "k\($0 % 5)\t\($0)\n" }.joined()
    let result = try await load(text) { key, value throws(ClusterError) in
      try? await Task.sleep(for: .milliseconds(Int.random(in: 0...3)))
      values.withLock { $0[key] = value }
    }
    #expect(result.isGood)
    for key in 0..<5 { #expect(values.withLock { $0[Array("k\(key)".utf8)] } == Array("\(45 + key)".utf8)) }
  }

  @Test("Progress never counts a line that is not stored, nor one behind it")
  func progressIsTrue() async throws {
    let isSlowStored = Atomic(false)
    let text = "slow\tv\n" + (0..<30).map { "k\($0)\tv\n" }.joined()
    let violations = Atomic(0)
    let recorder = Recorder()
    let file = TemporaryFile(Array(text.utf8))
    let loader = Loader { key, _ throws(ClusterError) in
      try? await Task.sleep(for: .milliseconds(key == Array("slow".utf8) ? 500 : 20))
      if key == Array("slow".utf8) { isSlowStored.store(true, ordering: .sequentiallyConsistent) }
    } emit: { output in
      if case .progress(.load(let progress)) = output, progress.linesStored > 0,
        !isSlowStored.load(ordering: .sequentiallyConsistent)
      {
        violations.add(1, ordering: .relaxed)
      }
      recorder.record(output)
    }
    #expect(await loader.load(try LineReader(path: file.path)).outcome == .success)
    #expect(violations.load(ordering: .relaxed) == 0)
    #expect(!recorder.progress.isEmpty)
  }

  @Test("A line that the engine refuses is named, and the load goes on")
  func namesRefusedLines() async throws {
    let result = try await load("a\t1\nb\t2\nc\t3\n") { key, _ throws(ClusterError) in
      if key == Array("b".utf8) { throw .storage("disk is full") }
    }
    #expect(!result.isGood)
    #expect(result.recorder.lines.first == "✗ Line 2: disk is full")
    #expect(result.recorder.lines.last?.hasPrefix("✗ Loaded: 2 of 3 lines in ") == true)
  }

  @Test("A load that is refused line after line gives up")
  func givesUp() async throws {
    let text = (0..<10_000).map { "k\($0)\tv\n" }.joined()
    let result = try await load(text) { _, _ throws(ClusterError) in throw .storage("disk is full") }
    #expect(!result.isGood)
    #expect(result.recorder.lines.count < 200)
    #expect(result.recorder.lines.last?.hasPrefix("✗ Load stopped, too many lines could not be stored: ") == true)
  }

  @Test("A cancelled load stops reading, even where nothing comes any more")
  func cancels() async throws {
    let pipe = Pipe()
    let recorder = Recorder()
    let task = Task {
      let reader = LineReader(descriptor: pipe.readEnd)
      return await Loader(put: { _, _ throws(ClusterError) in }, emit: recorder.record).load(reader)
    }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    let result = await task.value
    for answer in result.answers(on: nil) { recorder.record(.answer(answer)) }
    #expect(result.outcome == .failure)
    #expect(recorder.lines.last?.hasPrefix("✗ Load cancelled: stored 0 lines") == true)
    _ = pipe.drain()
  }

  @Test("An empty input is loaded")
  func loadsNothing() async throws {
    let result = try await load("") { _, _ throws(ClusterError) in }
    #expect(result.isGood)
    #expect(result.recorder.lines.first?.hasPrefix("✓ Loaded: 0 lines in ") == true)
  }

  @Test("The reader returns lines of every length, and throws away those beyond its limit")
  func readsLines() async throws {
    let long = String(repeating: "x", count: 300_000)
    let file = TemporaryFile(Array("a\n\n\(long)\nb\r\n\(long)\(long)\n\(long)\(long)".utf8))
    let reader = try LineReader(path: file.path, lineBytesMax: 300_000)
    var lines: [LineReader.Line] = []
    while let line = try await reader.next() { lines.append(line) }
    let texts = ["a", "", long, "b\r"].map { LineReader.Line.bytes(Array($0.utf8)) }
    #expect(lines == texts + [.tooLong, .tooLong])
    #expect(reader.bytesConsumed == reader.bytesTotal)
  }
}
