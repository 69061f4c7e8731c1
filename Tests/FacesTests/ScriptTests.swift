import Commands
import Faces
import Foundation
import Glibc
import KVCluster
import Testing

/// `exec` and the direct subcommands: streams, statuses and signals.
struct ScriptTests {
  private func run(_ commands: [String], input: String = "") async throws -> (status: Int32, out: String, err: String) {
    let test = TestConsole()
    test.type(input)
    test.endInput()
    let status = await Script.run(.folder(try .temporary()), test.console, commands: commands.map { Array($0.utf8) })
    let printed = test.finish()
    return (status, printed.out, printed.err)
  }

  @Test("Failures go to standard error and into the status; the rest is run all the same")
  func fails() async throws {
    let ended = try await run(["get nope", "put a 1"])
    #expect(ended.status == 1)
    #expect(ended.out == "✓ Stored: a -> 1\n")
    #expect(ended.err == "✗ Key not found: nope\n")
  }

  @Test("A page of graphs that cannot be written has the status of what was lost")
  func losesItsPage() async throws {
    let line = "benchmark mixed --keys 100 --seconds 0.2 --clients 1 --report"
    let lost = try await run(["get nope", "\(line) /dev/full", "put a 1"])
    #expect(lost.status == Console.lost && lost.out.contains("✓ Stored: a -> 1"), "\(lost)")
    #expect(lost.err.contains("/dev/full"))
    #expect(try await run(["\(line) /dev/null"]).status == 0)
  }

  @Test("- stands for the commands of standard input, among those that are given")
  func readsCommands() async throws {
    let ended = try await run(["put a 1", "-", "get b"], input: "get a\nput b 2\n")
    #expect(ended.status == 0)
    #expect(ended.out == "✓ Stored: a -> 1\n✓ Retrieved: a -> 1\n✓ Stored: b -> 2\n✓ Retrieved: b -> 2\n")
  }

  @Test("demo among the commands prints the tour", .timeLimit(.minutes(2)))
  func plays() async throws {
    let test = TestConsole()
    test.endInput()
    let console = test.console
    let running = Task { await Script.run(.folder(try .temporary()), console, commands: [Array("demo".utf8)]) }
    try await test.prints("1. ")
    test.signals.send(SIGTERM)
    #expect(try await running.value == 128 + SIGTERM)
    _ = test.finish()
  }

  @Test("A cluster that cannot be opened is told, with status 1, and leaves no temporary folder")
  func cannotOpen() async throws {
    let folder = try TestFolder()
    try folder.write("nonsense", to: "data/configuration")
    let test = TestConsole()
    #expect(await Script.run(.folder(.kept(folder)), test.console, commands: [[]]) == 1)
    #expect(test.finish().err.hasPrefix("kvstore: "))
  }

  @Test("A folder that was deleted while it was open is told")
  func losesItsFolder() async throws {
    let folder = try TestFolder()
    let test = TestConsole()
    let path = folder.path("data")
    let status = await HeadlessRun.run(.folder(.kept(folder)), test.console) { _ in
      try? FileManager.default.removeItem(atPath: path)
      return 0
    }
    #expect(status == 1)
    #expect(test.finish().err.contains("was deleted while it was open"))
  }

  @Test(
    "A signal cancels what runs and closes the cluster; the status is 128 + the signal",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func isCancelled(signal: Int32) async throws {
    let test = TestConsole()
    let signals = test.signals
    let status = await HeadlessRun.run(.folder(try .temporary()), test.console) { _ in
      signals.send(signal)
      // Comes back at once, because the task is cancelled.
      try? await Task.sleep(for: .seconds(60))
      return 0
    }
    #expect(status == 128 + signal)
    #expect(test.signals.ended.isEmpty)
  }

  @Test("A face that does not end is left behind a second after the signal")
  func isLeftBehind() async throws {
    let test = TestConsole()
    let signals = test.signals
    let gate = AsyncStream.makeStream(of: Void.self)
    let status = await HeadlessRun.run(.folder(try .temporary()), test.console) { _ in
      signals.send(SIGTERM)
      await Task.detached { for await _ in gate.stream {} }.value
      return 0
    }
    gate.continuation.finish()
    #expect(status == 128 + SIGTERM)
  }

  @Test("A second signal ends the program at once, unless it comes with the first")
  func endsAtOnce() async throws {
    let test = TestConsole()
    let signals = test.signals
    _ = await HeadlessRun.run(.folder(try .temporary()), test.console) { _ in
      signals.send(SIGTERM)
      signals.send(SIGTERM)
      signals.pass(ms: 50)
      signals.send(SIGINT)
      guard signals.ended.isEmpty else { return 9 }
      signals.pass(ms: 100)
      signals.send(SIGINT)
      return signals.ended == [SIGINT] ? 0 : 9
    }
    #expect(test.signals.ended == [SIGINT])
  }

  @Test("What could not be printed makes the status 74, and no more is written")
  func losesItsOutput() throws {
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let test = TestConsole()
    let console = Console(
      input: test.console.input, output: full, errors: test.console.errors, isTyped: false, isOutputTerminal: false,
      showsProgress: false, signals: test.signals.source)
    #expect(console.status(0) == 0)
    console.say("lost")
    #expect(console.failure == ENOSPC)
    #expect(console.status(0) == Console.lost)
    #expect(console.status(1) == Console.lost)
    #expect(console.status(128 + SIGTERM) == 128 + SIGTERM)
    #expect(test.finish().err.contains("cannot write to standard output: No space left on device"))
  }

  @Test("An error that could not be printed makes the status 74, unless its reader has gone")
  func losesItsErrors() {
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let test = TestConsole()
    func console(_ errors: Int32) -> Console {
      Console(
        input: test.console.input, output: test.console.output, errors: errors, isTyped: false, isOutputTerminal: false,
        showsProgress: false, signals: test.signals.source)
    }
    let lost = console(full)
    lost.note("progress")
    #expect(lost.status(1) == 1)
    lost.complain("why")
    #expect(lost.status(1) == Console.lost && lost.status(128 + SIGTERM) == 128 + SIGTERM)
    #expect(lost.status(0) == 0)
    let gone = TestConsole(isRead: false)
    let unread = console(gone.console.output)
    unread.complain("why")
    #expect(unread.status(1) == 1)
    _ = (gone.finish(), test.finish())
  }

  @Test("A reader that has gone changes only a success")
  func losesItsReader() throws {
    let test = TestConsole(isRead: false)
    test.console.say("lost")
    #expect(test.console.status(0) == 128 + SIGPIPE)
    #expect(test.console.status(1) == 1)
    let closed = Console(
      input: -1, output: -1, errors: test.console.errors, isTyped: false, isOutputTerminal: false, showsProgress: false,
      signals: test.signals.source)
    closed.say("lost")
    #expect(closed.status(0) == Console.lost)
    #expect(test.finish().err.contains("standard output is closed"))
  }
}
