import Commands
import Dashboard
import Demo
import Faces
import Foundation
import Glibc
import KVCluster
import Testing

/// The dashboard and the tour as they are started, on a terminal of cells and a real cluster.
struct DashboardFaceTests {
  /// A dashboard on a cluster that is gone afterwards.
  private final class Session {
    let terminal: TestTerminal
    let test = TestConsole()
    let folder: TestFolder
    let running: Task<Int32, Never>

    init(
      _ width: Int = 120, _ height: Int = 40, kept: Bool = false, history: String = "",
      _ change: (inout ScreenOptions, TestFolder) -> Void = { _, _ in }
    ) async throws {
      let terminal = TestTerminal(width, height)
      folder = try TestFolder()
      if !history.isEmpty { try folder.write(history, to: "history") }
      var display = ScreenOptions()
      display.historyPath = folder.path("history")
      display.config = ConfigFolder(path: folder.path("config"))
      change(&display, folder)
      let options = try kept ? ClusterOptions.kept(folder) : .temporary()
      let console = test.console
      running = Task { [display] in
        await DashboardFace.run(.folder(options), display, console) { () throws(ScreenError) in terminal }
      }
      self.terminal = terminal
    }

    func run(_ line: String, _ words: String) async throws {
      try await terminal.type(line + "\r")
      try await terminal.shows(words)
    }

    func quit() async throws {
      try await terminal.type("\u{15}\u{03}")
      #expect(await running.value == 0)
      #expect(terminal.record.closings == 1)
      #expect(terminal.record.strayPictures == 0)
    }
  }

  @Test("Commands are run on the cluster that is shown, and their lines are kept for the next time")
  func runs() async throws {
    let session = try await Session(history: "get old\n")
    try await session.terminal.shows("node3")
    try await session.run("put a 1", "Stored: a -> 1")
    try await session.run("get a", "Retrieved: a -> 1")
    try await session.run("get nope", "Key not found: nope")
    try await session.run("kill node2", "Killed node: node2")
    try await session.quit()
    #expect(try session.folder.text("history") == "get old\nput a 1\nget a\nget nope\nkill node2\n")
  }

  @Test("Help and explanations are pages; help on a short command stands among the events")
  func tells() async throws {
    let session = try await Session()
    try await session.run("help", "F1 names the keys")
    try await session.terminal.type("q")
    try await session.run("explain quorum", "ASKED NEXT")
    try await session.terminal.type("q")
    try await session.run("explain", "consistent-hashing")
    try await session.terminal.type("q")
    try await session.run("help nodes", "nodes")
    try await session.quit()
  }

  @Test("Commands, nodes and keys are completed, and what was probably meant is told")
  func completes() async throws {
    let session = try await Session(history: "put user:1001 Alice\n")
    try await session.terminal.shows("node3")
    try await session.terminal.type("kill node2\u{15}")
    try await session.terminal.type("kil\t")
    #expect(session.terminal.record.text.contains("kvstore> kill"))
    try await session.terminal.type("\u{15}get us\t")
    #expect(session.terminal.record.text.contains("kvstore> get user:1001"))
    try await session.terminal.type("\u{15}frobnicate x")
    #expect(session.terminal.record.text.contains("no such command; try help"))
    try await session.terminal.type("\u{15}gett x")
    #expect(session.terminal.record.text.contains("did you mean get?"))
    try await session.terminal.type("\u{15}describe")
    #expect(session.terminal.record.text.contains("the screen in sentences"))
    try await session.quit()
  }

  @Test(
    "What deletes or damages is asked about, on a cluster that is kept",
    arguments: [
      ("removenode node1", "Remove node1?"), ("replacenode node1 node9", "Replace node1 by node9?"),
      ("corrupt node1", "Corrupt node1?"), ("fsync-fail node1", "next fdatasync fail?"),
    ])
  func asks(line: String, question: String) async throws {
    let session = try await Session(kept: true)
    try await session.terminal.shows("node3")
    try await session.run(line, question)
    try await session.terminal.type("n")
    try await session.terminal.shows("not done: \(line)")
    try await session.quit()
  }

  @Test("Nothing is asked where nothing is kept")
  func doesNotAsk() async throws {
    let session = try await Session()
    try await session.terminal.shows("node3")
    try await session.run("removenode node3", "Removed node: node3")
    try await session.quit()
  }

  @Test("The plain benchmark is drawn while it runs, and so is a workload", .timeLimit(.minutes(2)))
  func drawsBenchmarks() async throws {
    let session = try await Session()
    try await session.terminal.shows("node3")
    try await session.run("benchmark", "Running benchmark...")
    try await session.terminal.shows("writes and reads of 64 clients")
    try await session.terminal.shows("Read throughput")
    try await session.run("benchmark mixed --seconds 1 --keys 2000", "mixed, ")
    try await session.run("benchmark results", "mixed")
    try await session.quit()
  }

  @Test("demo plays a tour over the cluster, which is there again afterwards", .timeLimit(.minutes(2)))
  func visitsATour() async throws {
    let session = try await Session()
    try await session.run("put mine 1", "Stored: mine")
    try await session.run("demo", "Your cluster")
    try await session.terminal.type(" ")
    try await session.terminal.shows("waits for you")
    try await session.terminal.type("q")
    try await session.terminal.shows("Back from the tour")
    try await session.run("get mine", "Retrieved: mine -> 1")
    try await session.quit()
  }

  @Test("A theme that is chosen stands in the settings file and is told to")
  func keepsATheme() async throws {
    let session = try await Session()
    try await session.terminal.shows("node3")
    try await session.terminal.type("\u{1b}OR\u{1b}[B\r")
    try await session.terminal.shows("theme daylight, also at the next start")
    try await session.quit()
    #expect(try session.folder.text("config/config") == "theme = daylight\n")
  }

  @Test("At rest the cluster is looked at five times a second, and hardly anything is drawn")
  func isQuiet() async throws {
    let session = try await Session()
    try await session.terminal.shows("node3")
    try await session.terminal.shows("healthy")
    let before = session.terminal.record
    try await session.terminal.pass(.seconds(20))
    #expect(session.terminal.record.sleeps - before.sleeps <= 101)
    // Graphs and the uptime move twice a second of the terminal's time.
    #expect(session.terminal.record.pictures - before.pictures <= 41)
    try await session.quit()
  }

  @Test("Without a terminal it says how to do without, with status 1")
  func needsATerminal() async throws {
    let test = TestConsole()
    let options = try ClusterOptions.temporary()
    let status = await DashboardFace.run(.folder(options), ScreenOptions(), test.console) { () throws(ScreenError) in
      throw ScreenError(description: "there is none")
    }
    #expect(status == 1)
    #expect(test.finish().err == "kvstore: there is none; `kvstore --interactive` reads commands line by line\n")
  }

  @Test("What cannot be recorded or opened is told before anything is shown")
  func refuses() async throws {
    let folder = try TestFolder()
    let test = TestConsole()
    var display = ScreenOptions()
    display.recordingPath = folder.path("missing/talk.cast")
    func run() async -> Int32 {
      await DashboardFace.run(.folder(.kept(folder)), display, test.console) { () throws(ScreenError) in
        throw ScreenError(description: "not reached")
      }
    }
    #expect(await run() == Console.lost)
    (display.recordingPath, display.sessionPath) = (nil, display.recordingPath)
    #expect(await run() == Console.lost)
    display.sessionPath = nil
    try folder.write("nonsense", to: "data/configuration")
    #expect(await run() == 1)
    let err = test.finish().err
    #expect(err.contains("cannot write") && !err.contains("not reached"))
  }
}

struct TourFaceTests {
  private static func settings(_ chapter: String) -> TourSettings {
    var settings = TourSettings { try TemporaryFolder.make() }
    settings.speed = 50
    settings.first = Chapter.number(called: chapter) ?? 0
    return settings
  }

  @Test("A tour on the screen takes its keys; left early it says what held", .timeLimit(.minutes(2)))
  func isLeft() async throws {
    let terminal = TestTerminal(80, 24)
    let test = TestConsole()
    let console = test.console
    let running = Task {
      await TourFace.run(Self.settings("data"), ScreenOptions(), console) { () throws(ScreenError) in terminal }
    }
    try await terminal.shows("tour 2/12")
    try await terminal.type(" ")
    try await terminal.shows("waits for you")
    try await terminal.type("\u{1b}[6~")
    try await terminal.shows("tour 3/12")
    try await terminal.type("b")
    try await terminal.shows("tour 2/12")
    // What is typed are keys of the tour, and no command.
    try await terminal.type("put a 1\r")
    try await terminal.type("q")
    #expect(await running.value == 0)
    #expect(terminal.record.closings == 1)
    #expect(test.finish().out.contains("claim"))
  }

  @Test("Without a terminal the tour says how it is printed")
  func needsATerminal() async throws {
    let test = TestConsole()
    let status = await TourFace.run(Self.settings("data"), ScreenOptions(), test.console) { () throws(ScreenError) in
      throw ScreenError(description: "there is none")
    }
    #expect(status == 1)
    #expect(test.finish().err == "kvstore: there is none; `kvstore demo --text` prints the tour\n")
  }

  @Test(
    "Printed, the last chapter ends with the claims; a signal ends it, and a reader that has gone",
    .timeLimit(.minutes(2)))
  func isPrinted() async throws {
    let test = TestConsole()
    #expect(await TextTour.run(Self.settings("summary"), test.console) == 0)
    #expect(test.finish().out.contains("\(Chapter.all.count). "))
    let stopped = TestConsole()
    let console = stopped.console
    let running = Task { await TextTour.run(Self.settings("setup"), console) }
    try await stopped.prints("1. ")
    stopped.signals.send(SIGTERM)
    #expect(await running.value == 128 + SIGTERM)
    let unread = TestConsole(isRead: false)
    #expect(await TextTour.run(Self.settings("summary"), unread.console) == 128 + SIGPIPE)
  }
}
