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
    #expect(result.failures.hasPrefix(#"✗ Key not found: \x1b[A"# + "\n" + #"✗ Unknown command: \x1b[A."#))
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
