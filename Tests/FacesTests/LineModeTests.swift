import Commands
import Faces
import Foundation
import Glibc
import KVCluster
import Testing

/// Line mode over pipes, where no one types.
struct LineModeTests {
  private func session(_ input: String) async throws -> (status: Int32, out: String, err: String) {
    let test = TestConsole()
    test.type(input)
    test.endInput()
    let folder = try TestFolder()
    let status = await LineMode.run(.folder(try .temporary()), test.console, historyPath: folder.path("history"))
    let printed = test.finish()
    return (status, printed.out, printed.err)
  }

  @Test("The original's words, one line an answer, without a prompt; the status is 0 whatever failed")
  func answers() async throws {
    let ended = try await session("put user:1001 Alice\nget user:1001\nget nope\nnodes\nnonsense\nget user:1001")
    #expect(ended.status == 0)
    #expect(
      ended.out.hasPrefix(
        """
        ✓ Stored: user:1001 -> Alice
        ✓ Retrieved: user:1001 -> Alice
        ✗ Key not found: nope
        Cluster has 3 nodes:
        - Node: node1
        - Node: node2
        - Node: node3

        """))
    #expect(ended.out.hasSuffix("✓ Retrieved: user:1001 -> Alice\n"))
    #expect(ended.out.contains("✗"))
    #expect(ended.err == "")
  }

  @Test("exit ends it, and what stands behind it is not run")
  func exits() async throws {
    let ended = try await session("put a 1\nexit\nput b 2\n")
    #expect(ended.status == 0)
    #expect(ended.out == "✓ Stored: a -> 1\n")
  }

  @Test("A command may read the rest of the input")
  func loads() async throws {
    let ended = try await session("load -\na\t1\nb\t2\n")
    #expect(ended.out.hasSuffix("✓ Loaded: 2 lines, 0 skipped\n") || ended.out.contains("Loaded: 2 lines"))
  }

  @Test("A verdict is given on what was answered")
  func judges() async throws {
    let ended = try await session("put a 1\nget a\nverdict\n")
    #expect(ended.out.contains("✓ 2 operations checked, 0 violations"))
  }

  @Test("A reader that has gone ends it as a shell shows SIGPIPE")
  func losesItsReader() async throws {
    let test = TestConsole(isRead: false)
    test.type("nodes\nput a 1\n")
    test.endInput()
    #expect(await LineMode.run(.folder(try .temporary()), test.console) == 128 + SIGPIPE)
    #expect(test.finish().err == "")
  }

  @Test("An input that cannot be read is told")
  func cannotRead() async throws {
    let folder = try TestFolder()
    let descriptor = open(folder.path, O_RDONLY)
    defer { close(descriptor) }
    let test = TestConsole()
    let console = Console(
      input: descriptor, output: test.console.output, errors: test.console.errors, isTyped: false,
      isOutputTerminal: false, showsProgress: false, signals: test.signals.source)
    #expect(await LineMode.run(.folder(try .temporary()), console) == 1)
    #expect(test.finish().err.hasPrefix("kvstore: cannot read the commands: "))
  }
}

/// Line mode where a person types: editing, history, completion, pastes and interrupts, without a pty.
struct TypedLinesTests {
  /// Line mode with a person before it.
  private final class Typed {
    let test: TestConsole
    let folder: TestFolder
    private let running: Task<Int32, any Error>

    init(history: String = "", isEdited: Bool = true) async throws {
      test = TestConsole(isTyped: true, isEdited: isEdited)
      folder = try TestFolder()
      if !history.isEmpty { try folder.write(history, to: "history") }
      let (console, path) = (test.console, folder.path("history"))
      running = Task { await LineMode.run(.folder(try .temporary()), console, historyPath: path) }
      try await test.prints("kvstore> ")
    }

    func type(_ keys: String, _ words: String) async throws {
      test.type(keys)
      try await test.prints(words)
    }

    func ends() async throws -> Int32 {
      let status = try await running.value
      _ = test.finish()
      return status
    }
  }

  @Test("Lines are edited, remembered and completed as at the dashboard's prompt")
  func edits() async throws {
    let typed = try await Typed(history: "put old 1\n")
    try await typed.type("\u{1b}[A\r", "Stored: old -> 1")
    try await typed.type("get ol\t\r", "Retrieved: old -> 1")
    try await typed.type("put a 12\u{7f}3\r", "Stored: a -> 13")
    try await typed.type("pa\t", "partition")
    try await typed.type("\u{03}", "kvstore> ")
    try await typed.type("\u{04}", "\n")
    #expect(try await typed.ends() == 0)
    let history = try typed.folder.text("history")
    #expect(history == "put old 1\nget old \nput a 13\n")
    #expect(typed.test.terminal?.isOurs == false)
  }

  @Test("A value never acts on the terminal")
  func escapes() async throws {
    let typed = try await Typed()
    try await typed.type("put esc \"\\x1b[31mred\"\r", "Stored: esc -> \\x1b[31mred")
    try await typed.type("exit\r", "\r\n")
    #expect(try await typed.ends() == 0)
    #expect(!typed.test.printed.contains("\u{1b}[31m"))
  }

  @Test("Pasted lines run in order, each with its number; what follows the last end is edited")
  func pastes() async throws {
    let typed = try await Typed()
    try await typed.type("\u{1b}[200~put a 1\nget a\nget \u{1b}[201~", "(1 of 2) kvstore> put a 1")
    try await typed.test.prints("Retrieved: a -> 1")
    try await typed.type("a\r", "Retrieved: a -> 1")
    try await typed.type("exit\r", "\r\n")
    #expect(try await typed.ends() == 0)
  }

  @Test("A paste of many lines in pieces arrives as it was, and how much has come is told")
  func pastesMany() async throws {
    let typed = try await Typed()
    let paste = Array(("\u{1b}[200~" + (0..<300).map { "put k\($0) é\($0)\r" }.joined() + "\u{1b}[201~").utf8)
    for start in stride(from: 0, to: paste.count, by: 97) {
      typed.test.type(Array(paste[start..<min(start + 97, paste.count)]))
      if start == 97 * 5 { try await typed.test.prints("receiving a paste: ") }
    }
    try await typed.test.prints("Stored: k299 -> é299")
    try await typed.type("exit\r", "\r\n")
    #expect(try await typed.ends() == 0)
    let stored = typed.test.printed.split(separator: "\n").filter { $0.contains("Stored: ") }
    #expect(stored.count == 300)
  }

  @Test("Ctrl-C ends the command that runs and the pasted lines behind it, and says how many those were")
  func interrupts() async throws {
    let typed = try await Typed()
    typed.test.type("\u{1b}[200~benchmark\r" + String(repeating: "put never 1\r", count: 50) + "\u{1b}[201~")
    try await typed.test.prints("Writing: ")
    typed.test.signals.send(SIGINT)
    try await typed.test.prints("Benchmark cancelled")
    try await typed.test.prints("Not done: 50 pasted lines")
    try await typed.type("get never\r", "Key not found: never")
    // With nothing to end it ends the program.
    typed.test.type("\u{03}")
    #expect(try await typed.ends() == 128 + SIGINT)
    #expect(typed.test.terminal?.isOurs == false)
  }

  @Test("Pasted lines behind an exit are counted")
  func countsWhatIsLeft() async throws {
    let typed = try await Typed()
    try await typed.type("\u{1b}[200~put a 1\rexit\rput b 1\rput c 1\r\u{1b}[201~", "Not done: 2 pasted lines")
    #expect(try await typed.ends() == 0)
    #expect(typed.test.printed.contains("Stored: a -> 1") && !typed.test.printed.contains("Stored: b"))
  }

  @Test("Ctrl-Z gives the terminal back, stops, and takes it again; Ctrl-L clears the screen")
  func stops() async throws {
    let typed = try await Typed()
    try await typed.type("half\u{1a}", "kvstore> half")
    typed.test.type("\u{0c}")
    try await typed.test.prints("\u{1b}[H\u{1b}[2J")
    try await typed.type("\u{15}exit\r", "\r\n")
    #expect(try await typed.ends() == 0)
    let steps = try #require(typed.test.terminal?.steps)
    let stop = try #require(steps.firstIndex(of: .suspended))
    #expect(steps[stop - 1] == .givenBack)
    #expect(steps[stop + 1] == .taken(.editing))
  }

  @Test("A command that reads standard input gets the terminal as it was")
  func givesTheTerminalToACommand() async throws {
    let typed = try await Typed()
    try await typed.type("load -\r", "kvstore> load -")
    typed.test.type("b\t2\n")
    typed.test.endInput()
    try await typed.test.prints("Loaded: 1 line")
    #expect(try await typed.ends() == 0)
    let steps = try #require(typed.test.terminal?.steps)
    #expect(steps.contains(.givenBack) && !steps.contains(.taken(.command)))
  }

  @Test("A line too long to be edited is not taken, and said so")
  func refuses() async throws {
    let typed = try await Typed()
    try await typed.type(
      "\u{1b}[200~\(String(repeating: "x", count: 3 << 20))\u{1b}[201~", "Not taken: a pasted line of 3145728 bytes")
    try await typed.type("exit\r", "\r\n")
    #expect(try await typed.ends() == 0)
  }

  @Test("A paste that has lost its end is given up with Ctrl-C")
  func losesItsEnd() async throws {
    let typed = try await Typed()
    try await typed.type("\u{1b}[200~get a", "receiving a paste: ")
    try await typed.type("\u{03}", "kvstore> ")
    try await typed.type("get b\r", "Key not found: b")
    try await typed.type("exit\r", "\r\n")
    #expect(try await typed.ends() == 0)
  }

  @Test("Where lines cannot be edited the terminal's own editing is used, with a prompt")
  func isDumb() async throws {
    let typed = try await Typed(isEdited: false)
    try await typed.type("put a 1\n", "Stored: a -> 1")
    typed.test.endInput()
    #expect(try await typed.ends() == 0)
    #expect(typed.test.printed.hasSuffix("kvstore> \n"))
  }
}
