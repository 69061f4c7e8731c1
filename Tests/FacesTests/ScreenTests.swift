import Dashboard
import Faces
import Foundation
import Glibc
import Testing

/// The whole loop of the screen, in process: keys, signals and time in, cells out.
struct ScreenTests {
  // MARK: - Commands

  @Test("A typed line is run, and its answer stands among the events")
  func runsALine() async throws {
    let host = ScriptedHost()
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("put a 1\r")
    try await terminal.shows("did put a 1")
    #expect(host.ran == ["put a 1"])
    #expect(host.saved == ["put a 1"])
    try await end(terminal)
  }

  @Test("Keys typed while a command runs stay at the prompt; its progress and what it announces are shown")
  func goesOnWhileACommandRuns() async throws {
    let host = ScriptedHost(
      holding: ["long"], says: { $0 == "long" ? [.announcement("Begun"), .progress("half of it")] : [] })
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("long\r")
    try await terminal.shows("half of it")
    try await terminal.shows("Begun")
    try await terminal.type("next")
    try await terminal.shows("> next")
    host.release("long")
    try await terminal.shows("did long")
    #expect(!terminal.record.text.contains("half of it"))
    try await end(terminal)
  }

  @Test("An answer that ends the program ends it with status 0")
  func exits() async throws {
    let host = ScriptedHost { CommandAnswer(lines: [], isSuccess: true, endsProgram: $0 == "exit") }
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("exit\r")
    #expect(try await terminal.ends() == 0)
    #expect(terminal.record.closings == 1)
  }

  @Test("What deletes is asked about: only y runs it, and anything else that is typed is no answer")
  func asks() async throws {
    let advice = CommandAdvice(
      read: {
        AdvisedLine(TypedLine($0), question: $0 == "drop it" ? Question("Really?", confirmed: "drop it yes") : nil)
      })
    let host = ScriptedHost(advice: advice)
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("drop it\r")
    try await terminal.shows("Really?")
    try await terminal.type("g")
    try await terminal.shows("y or n first")
    try await terminal.type("n")
    try await terminal.shows("not done: drop it")
    #expect(host.ran.isEmpty)
    try await terminal.type("drop it\ry")
    try await terminal.shows("did drop it yes")
    #expect(host.ran == ["drop it yes"])
    try await end(terminal)
  }

  @Test("Lines of earlier runs come back with the arrow, and Ctrl-R searches them")
  func remembers() async throws {
    let host = ScriptedHost(history: ["put old 1", "get old"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("\u{1b}[A\u{1b}[A\r")
    try await terminal.shows("did put old 1")
    try await terminal.type("\u{12}get\r")
    try await terminal.shows("did get old")
    #expect(host.saved == ["put old 1", "get old", "put old 1", "get old"])
    try await end(terminal)
  }

  @Test("The terminal's own sequences for keys are known")
  func knowsTheTerminalsKeys() async throws {
    let host = ScriptedHost(history: ["first"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("\u{1b}OA\r")
    try await terminal.shows("did first")
    try await end(terminal)
  }

  // MARK: - Focus, pages and help

  @Test("Tab on an empty line goes to the panels; z zooms and comes back, Esc returns to the prompt")
  func moves() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type("\t")
    let all = terminal.record.text
    try await terminal.type("z")
    let zoomed = terminal.record.text
    #expect(all.contains("events") && all.contains("nodes"))
    #expect(!zoomed.contains("┐events┌"))
    try await terminal.type("z")
    #expect(terminal.record.text.contains("events"))
    try await escape(terminal)
    try await terminal.type("hello")
    try await terminal.shows("> hello")
    try await end(terminal)
  }

  @Test("Space in a panel freezes the picture, and what is run thaws it")
  func freezes() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type("\t ")
    try await terminal.shows("Space go on")
    try await escape(terminal)
    try await terminal.type("go\r")
    try await terminal.shows("did go")
    #expect(!terminal.record.text.contains("Space go on"))
    try await end(terminal)
  }

  @Test("F1 opens the help, and closes it again; Esc by itself closes it once nothing follows it")
  func helps() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    let before = terminal.record.text
    try await terminal.type("\u{1b}OP")
    #expect(terminal.record.text != before)
    try await terminal.type("\u{1b}OP")
    #expect(terminal.record.text == before)
    try await terminal.type("\u{1b}OP")
    let open = terminal.record.text
    try await terminal.type("\u{1b}")
    #expect(terminal.record.text == open)
    try await terminal.pass(.milliseconds(25))
    #expect(terminal.record.text == before)
    try await end(terminal)
  }

  @Test("An answer with a page opens it; it scrolls, and q closes it")
  func reads() async throws {
    let page = Page(
      title: "quorum", paragraphs: (1...60).map { "Paragraph \($0)." }, figures: [], question: "", hint: "")
    let host = ScriptedHost { _ in CommandAnswer(lines: [], isSuccess: true, page: page) }
    let terminal = try await TestTerminal(100, 20).show(host)
    try await terminal.type("explain\r")
    try await terminal.shows("Paragraph 1.")
    try await terminal.type("\u{1b}[F")
    #expect(terminal.record.text.contains("Paragraph 60."))
    try await terminal.type("q")
    #expect(!terminal.record.text.contains("Paragraph"))
    try await end(terminal)
  }

  @Test("Half a key sequence types nothing, and what comes after a quarter of a second and cannot be its rest is text")
  func givesUpHalfAKey() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type("\u{1b}[9")
    try await terminal.pass(.milliseconds(260))
    try await terminal.type("word")
    try await terminal.shows("> word")
    try await end(terminal)
  }

  @Test(
    "A key sequence that is torn is a key, however late its rest comes",
    arguments: [("\u{1b}[", "D"), ("\u{1b}O", "D"), ("\u{1b}[1", ";2D"), ("\u{1b}[1;2", "D")])
  func joinsTornKeys(begin: String, rest: String) async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type("word")
    try await terminal.type(begin)
    try await terminal.pass(.milliseconds(2_000))
    try await terminal.type(rest)
    try await terminal.type("x")
    try await terminal.shows("> worxd")
    try await terminal.type("\u{05}")
    try await end(terminal)
  }

  @Test("A click and the wheel are no keys, wherever they are and however many")
  func takesTheMouse() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    #expect(terminal.record.isMouseOurs == true)
    for column in stride(from: 1, to: 120, by: 7) {
      for row in stride(from: 1, to: 40, by: 3) {
        try await terminal.type("\u{1b}[<0;\(column);\(row)M\u{1b}[<64;\(column);\(row)M")
      }
    }
    try await terminal.type("\u{1b}OS")
    #expect(terminal.record.isMouseOurs == false)
    try await terminal.send(.endAsked(signal: SIGTERM))
    // A click on the key line may have been one on the key that quits.
    let status = try await terminal.ends()
    #expect([0, 128 + SIGTERM].contains(status))
  }

  @Test("Ctrl-L has every cell sent again")
  func repaints() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type("\u{0c}")
    #expect(terminal.record.repaints == 1)
    try await end(terminal)
  }

  // MARK: - Sizes and looks

  @Test("The picture always has the window's size", arguments: [(1, 1), (20, 5), (80, 24), (300, 100)])
  func resizes(width: Int, height: Int) async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.resize(width, height)
    #expect(terminal.record.picture?.canvas.size == Size(width: width, height: height))
    let pictures = terminal.record.pictures
    try await terminal.resize(width, height)
    #expect(terminal.record.picture?.canvas.size == Size(width: width, height: height))
    #expect(terminal.record.pictures - pictures <= 1)
    try await terminal.send(.gone)
    #expect(try await terminal.ends() == 128 + SIGHUP)
  }

  @Test("Where the terminal has no UTF-8 only ASCII is drawn, whatever was asked for")
  func drawsASCII() async throws {
    var options = ScreenOptions()
    options.glyphs = .braille
    let terminal = try await TestTerminal(isUTF8: false).show(ScriptedHost(), options)
    #expect(terminal.record.text.unicodeScalars.allSatisfy { $0.isASCII })
    try await end(terminal)
  }

  @Test("Settings that could not be read are told among the events")
  func warns() async throws {
    var options = ScreenOptions()
    options.warnings = ["the settings cannot be read"]
    options.usesMouse = false
    let terminal = try await TestTerminal(depth: .ansi8, isConsole: true).show(ScriptedHost(), options)
    #expect(terminal.record.text.contains("the settings cannot be read"))
    #expect(terminal.record.isMouseOurs == false)
    try await end(terminal)
  }

  @Test("What is shown is recorded; where that cannot be, nothing is shown and the terminal is given back")
  func records() async throws {
    let folder = try TestFolder()
    var options = ScreenOptions()
    options.recordingPath = folder.path("talk.cast")
    let terminal = try await TestTerminal().show(ScriptedHost(), options)
    try await terminal.type("put a 1\r")
    try await terminal.shows("did put a 1")
    try await end(terminal)
    let lines = try folder.text("talk.cast").split(separator: "\n")
    #expect(lines[0].contains(#""version": 2"#) || lines[0].contains(#""version":2"#))
    #expect(lines.count >= 3)
    options.recordingPath = folder.path("missing/talk.cast")
    let refused = try await TestTerminal().show(ScriptedHost(), options)
    #expect(refused.record.failure?.contains("cannot write ") == true)
    #expect(refused.record.pictures == 0)
    #expect(refused.record.closings == 1)
  }

  @Test("A recording or a session's file that could not be written whole is told at the end, with a status of its own")
  func tellsALostFile() async throws {
    var options = ScreenOptions()
    options.recordingPath = "/dev/full"
    let terminal = try await TestTerminal().show(ScriptedHost(), options)
    try await terminal.type("put a 1\r")
    try await terminal.shows("did put a 1")
    try await terminal.type("\u{15}\u{03}")
    #expect(try await terminal.ends() == Console.lost)
    #expect(terminal.record.complaints == ["/dev/full is not whole: No space left on device"])
  }

  @Test("A pipe that nothing reads is refused, and not waited for")
  func refusesAPipe() async throws {
    let folder = try TestFolder()
    let pipe = folder.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    var options = ScreenOptions()
    options.sessionPath = pipe
    let refused = try await TestTerminal().show(ScriptedHost(), options)
    #expect(refused.record.failure?.hasSuffix("it is a pipe that nothing reads") == true)
    #expect(refused.record.closings == 1)
    #expect(throws: WholeFile.Failure.self) { try WholeFile.write("", to: pipe) }
  }

  // MARK: - Time

  @Test("While the cluster opens it is looked at ten times a second, and no more")
  func looksWhileOpening() async throws {
    let host = ScriptedHost()
    let terminal = try await TestTerminal().show(host)
    // Without a status the screen waits for the cluster to open, and looks as often as when it is busy.
    let (before, looks) = (terminal.record, host.inside.withLock { $0.looks })
    try await terminal.pass(.seconds(10))
    #expect(terminal.record.sleeps - before.sleeps <= 101)
    #expect(host.inside.withLock { $0.looks } - looks <= 101)
    try await end(terminal)
  }

  // MARK: - Helpers

  /// Esc by itself.
  private func escape(_ terminal: TestTerminal) async throws {
    try await terminal.type("\u{1b}")
    try await terminal.pass(.milliseconds(30))
  }

  /// Ctrl-C on an empty line quits, and leaves the terminal as it was.
  private func end(_ terminal: TestTerminal) async throws {
    try await terminal.type("\u{15}\u{03}")
    #expect(try await terminal.ends() == 0)
    #expect(terminal.record.closings == 1)
    #expect(terminal.record.strayPictures == 0)
  }
}
