import Commands
import Glibc
import KVCluster
import Testing
import Text

/// Commands one after another, as line mode and `exec` run them.
struct SessionTests {
  /// Runs `work` in a session and returns what came out on both outputs, and whether something failed.
  private func session(
    input: String = "", isLineMode: Bool, _ work: @Sendable (Session) async throws -> Void
  ) async throws -> (output: String, failures: String, hasFailed: Bool) {
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    stdin.fill(Array(input.utf8))
    var hasFailed = false
    try await withCluster { cluster in
      let printer = Printer(output: stdout.writeEnd, failures: isLineMode ? stdout.writeEnd : stderr.writeEnd)
      let session = Session(
        CommandRunner(cluster: cluster), printer: printer, input: LineReader(descriptor: stdin.readEnd))
      try await work(session)
      hasFailed = session.hasFailed
    }
    close(stdin.readEnd)
    return (stdout.drain(), stderr.drain(), hasFailed)
  }

  @Test("Line mode prints everything to one output and stops at exit")
  func lineMode() async throws {
    let result = try await session(input: "put a 1\n\nget b\nnope\nexit\nget a\n", isLineMode: true) {
      try await $0.runInput()
    }
    #expect(result.output.hasPrefix("✓ Stored: a -> 1\n✗ Key not found: b\n✗ Unknown command: nope. "))
    #expect(!result.output.contains("Retrieved"))
    #expect(result.failures == "")
  }

  @Test("A last line without a newline is run")
  func lastLine() async throws {
    let result = try await session(input: "put a 1\nget a", isLineMode: true) { try await $0.runInput() }
    #expect(result.output == "✓ Stored: a -> 1\n✓ Retrieved: a -> 1\n")
    #expect(!result.hasFailed)
  }

  @Test("A prompt stands before each line, and the end of the input ends its line")
  func prompts() async throws {
    let result = try await session(input: "get a\n", isLineMode: true) { try await $0.runInput(prompt: "kvstore> ") }
    #expect(result.output == "kvstore> ✗ Key not found: a\nkvstore> \n")
  }

  @Test("exec puts failures on standard error, goes on after them and remembers them")
  func exec() async throws {
    let result = try await session(input: "get b\n", isLineMode: false) { session in
      await session.run(line: Array("get a".utf8))
      await session.run(line: Array("put b 2".utf8))
      try await session.runInput()
    }
    #expect(result.output == "✓ Stored: b -> 2\n✓ Retrieved: b -> 2\n")
    #expect(result.failures == "✗ Key not found: a\n")
    #expect(result.hasFailed)
  }

  @Test("exec without failures has not failed, and exit ends it")
  func execSucceeds() async throws {
    let result = try await session(isLineMode: false) { session in
      for line in ["put b 2", "exit", "get nope"] { await session.run(line: Array(line.utf8)) }
    }
    #expect(result.output == "✓ Stored: b -> 2\n")
    #expect(!result.hasFailed)
  }

  @Test("load - reads on where the commands stopped")
  func loadsFromTheSameInput() async throws {
    let result = try await session(input: "load -\na\t1\nb\t2\n", isLineMode: false) { session in
      try await session.runInput()
      await session.run(line: Array("get b".utf8))
    }
    // On a slow day lines of progress come first.
    #expect(result.output.contains("✓ Loaded: 2 lines in "))
    #expect(result.output.hasSuffix("\n✓ Retrieved: b -> 2\n"))
  }

  @Test("A session ends when nobody reads its answers any more")
  func endsWithItsReader() async throws {
    signal(SIGPIPE, SIG_IGN)
    let stdout = Pipe()
    close(stdout.readEnd)
    try await withCluster { cluster in
      let printer = Printer(output: stdout.writeEnd, failures: stdout.writeEnd)
      let session = Session(CommandRunner(cluster: cluster), printer: printer, input: LineReader(descriptor: 0))
      await session.run(.put(key: [1], value: [2]))
      #expect(printer.failure == EPIPE)
      #expect(session.isOver)
      await session.run(.put(key: [3], value: [4]))
      let value = try await cluster.get([3])
      #expect(value == nil)
    }
    close(stdout.writeEnd)
  }

  @Test(
    "On a terminal a key cannot begin a line of its own, and a value that is long is told by its beginning and size")
  func cannotForge() async throws {
    let stdout = Pipe()
    try await withCluster { cluster in
      let printer = Printer(output: stdout.writeEnd, failures: stdout.writeEnd, isTerminal: true)
      let session = Session(CommandRunner(cluster: cluster), printer: printer, input: LineReader(descriptor: 0))
      let key = Array("k\n✓ Stored: x".utf8)
      await session.run(.put(key: key, value: Array("1".utf8), consistency: nil))
      await session.run(.get(key: key, consistency: nil))
      await session.run(.update(key: key, .increment(by: 1)))
      await session.run(.update(key: key, .append([0x0A])))
      await session.run(.update(key: key, .compareAndSet(expected: [], value: [])))
      await session.run(.update(key: key, .take))
      await session.run(.delete(key: key, consistency: nil))
      let long = [UInt8](repeating: UInt8(ascii: "v"), count: 5_000)
      try await cluster.put([0x6C], long)
      await session.run(.update(key: [0x6C], .compareAndSet(expected: [], value: [])))
      await session.run(.load(path: key))
    }
    let name = #""k\n✓ Stored: x""#
    let lines = stdout.drain().split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(7) == [
        "✓ Stored: \(name) -> 1", "✓ Retrieved: \(name) -> 1", "✓ Incremented: \(name) -> 2",
        "✓ Appended: \(name) -> 2 bytes", "✗ Not swapped: \(name) holds 2\\n",
        // A value that was asked for keeps its lines.
        "✓ Retrieved and deleted: \(name) -> 2", "✗ Not found: \(name)",
      ])
    #expect(lines.count == 9 && lines[7].hasPrefix("✗ Not swapped: l holds vvv"))
    #expect(lines[7].hasSuffix("v… (5,000 bytes)") && lines[7].count < 1_200)
    #expect(lines[8].hasPrefix("✗ Cannot open \(name): "))
    let huge = Answer(
      .success, Array("Retrieved: ".utf8), [0x6B], Array(" -> ".utf8), [UInt8](repeating: 0x76, count: 64 << 20))
    #expect(huge.harmless.count < 2 * Answer.valueBytesMax)
    close(stdout.writeEnd)
  }

  @Test("A value that was taken and could not be printed is told to be gone")
  func tellsOfTheLostValue() async throws {
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    for (command, lost) in [
      (Command.update(key: [0x6B], .take), [0x6B] as [UInt8]?), (.get(key: [0x6B], consistency: nil), nil),
    ] {
      try await withCluster { cluster in
        try await cluster.put([0x6B], [0x76])
        let printer = Printer(output: full, failures: full)
        let session = Session(CommandRunner(cluster: cluster), printer: printer, input: LineReader(descriptor: 0))
        await session.run(command)
        #expect(session.keyOfLostValue == lost && session.isOver)
      }
    }
  }

  @Test("Progress of a load is printed line by line where there is no terminal, that of a benchmark is not")
  func printsProgress() {
    let stdout = Pipe()
    let printer = Printer(output: stdout.writeEnd, failures: stdout.writeEnd)
    for (stored, failed, seconds) in [(1_200, 0, 2), (2_400, 1, 3)] {
      let progress = LoadProgress(linesStored: stored, linesFailed: failed, elapsed: .seconds(seconds))
      printer.print(.progress(.load(progress)))
    }
    printer.print(.progress(.benchmark(BenchmarkProgress(phase: .write, operations: 5))))
    #expect(stdout.drain() == "Stored 1200 lines, 600 lines/sec\nStored 2400 lines, 1 not stored, 800 lines/sec\n")
  }

  @Test("A pipe gets a value's bytes as they are, an error never repeats a control character")
  func escapesErrors() async throws {
    let result = try await session(input: #"put e "\x1b[31m""# + "\nget e\nget \u{1b}[A\n\u{1b}[A\n", isLineMode: false)
    {
      try await $0.runInput()
    }
    #expect(result.output == "✓ Stored: e -> \u{1b}[31m\n✓ Retrieved: e -> \u{1b}[31m\n")
    #expect(result.failures.hasPrefix(#"✗ Key not found: "\x1b[A""# + "\n" + #"✗ Unknown command: \x1b[A."#))
  }

  @Test(
    "On a terminal control characters are escaped, and the line of progress is gone before anything else is written")
  func printsOnTerminals() {
    let stdout = Pipe()
    let printer = Printer(output: stdout.writeEnd, failures: stdout.writeEnd, isTerminal: true)
    printer.print(.answer(Answer(.success, Array("Retrieved: e -> \u{1b}[31m".utf8))))
    printer.print(.progress(.benchmark(BenchmarkProgress(phase: .write, operations: 5))))
    printer.print(raw: "kvstore> ")
    let blanks = String(repeating: " ", count: "Writing: 5 operations".count)
    #expect(
      stdout.drain() == #"✓ Retrieved: e -> \x1b[31m"# + "\nWriting: 5 operations\r\(blanks)\rkvstore> ")
  }

  @Test(
    "A command that is interrupted ends, and the session goes on with the next line, also with those that load - reads")
  func interrupts() async throws {
    let stdin = Pipe(), stdout = Pipe()
    try await withCluster { cluster in
      let running = RunningCommand()
      #expect(!running.interrupt())
      let session = Session(
        CommandRunner(cluster: cluster), printer: Printer(output: stdout.writeEnd, failures: stdout.writeEnd),
        input: LineReader(descriptor: stdin.readEnd))
      let typist = Task {
        for line in ["load -\n", "benchmark\n"] {
          _ = write(stdin.writeEnd, line, line.utf8.count)
          while !running.interrupt() { try await Task.sleep(for: .milliseconds(5)) }
        }
        _ = write(stdin.writeEnd, "get a\n", 6)
        close(stdin.writeEnd)
      }
      try await session.runInput(running: running)
      try await typist.value
      #expect(!session.isOver && session.hasFailed)
    }
    close(stdin.readEnd)
    #expect(stdout.drain().hasSuffix("✗ Key not found: a\n"))
  }

  @Test(
    "Arguments that are not UTF-8 survive the argument parser's strings",
    arguments: [
      [], Array("Grüße 🌍".utf8), [0xFF], [0x61, 0xC3], [0xC3, 0x28], [0xF0, 0x9F, 0x8C], [0x80, 0x80],
      Array("\u{10FE41}".utf8), Array("x\u{10FE41}".utf8) + [0xFE], Array(0...255),
    ] as [[UInt8]])
  func carriesAnyBytes(bytes: [UInt8]) {
    #expect(ByteText.decode(ByteText.encode(bytes)) == bytes)
  }

  @Test("Arguments that are UTF-8 stay as they are")
  func keepsText() {
    #expect(ByteText.encode(Array("Grüße".utf8)) == "Grüße")
  }
}
