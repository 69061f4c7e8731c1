import Dashboard
import Faces
import Foundation
import Glibc
import KVCluster
import Testing
import Text

/// The files of the program's user, and the folders of clusters that are not kept.
struct FileTests {
  @Test("Typed lines are written whole, once for many saves, for their owner's eyes only")
  func keepsHistory() throws {
    let folder = try TestFolder()
    let path = folder.path("state/kvstore/history")
    let history = HistoryFile(path)
    #expect(history.load().isEmpty)
    for count in 1...100 { history.save((1...count).map { "put k\($0) 1" }) }
    history.finish()
    #expect(HistoryFile(path).load() == (1...100).map { "put k\($0) 1" })
    var facts = stat()
    #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("state/kvstore")) == ["history"])
  }

  @Test("A folder that cannot be made loses the history and nothing else")
  func cannotKeepHistory() throws {
    let folder = try TestFolder()
    try folder.write("a file", to: "state")
    let history = HistoryFile(folder.path("state/history"))
    history.save(["put a 1"])
    history.finish()
    #expect(history.load().isEmpty)
  }

  @Test(
    "The data's folder is the one that is typed, else the user's, whatever of the environment is set",
    arguments: [
      ("/data/a", [:], "/data/a"), (nil, ["XDG_DATA_HOME": "/xdg", "HOME": "/home/u"], "/xdg/kvstore"),
      (nil, ["XDG_DATA_HOME": "relative", "HOME": "/home/u"], "/home/u/.local/share/kvstore"),
      (nil, ["HOME": "/home/u"], "/home/u/.local/share/kvstore"), (nil, [:], nil),
    ] as [(String?, [String: String], String?)])
  func choosesFolder(data: String?, environment: [String: String], path: String?) throws {
    var choice = ClusterChoice()
    choice.data = data
    guard let path else {
      #expect(throws: Refusal.self) { try choice.folder { environment[$0] } }
      return
    }
    let chosen = try choice.folder { environment[$0] }
    #expect(chosen == path)
  }

  @Test("A relative folder begins in the current one")
  func choosesRelativeFolder() throws {
    var choice = ClusterChoice()
    choice.data = "a/b"
    let chosen = try choice.folder()
    #expect(chosen == FileManager.default.currentDirectoryPath + "/a/b")
  }

  @Test("Another number of nodes than a folder has is refused; its own, or none, is not")
  func refusesOtherNodes() async throws {
    let folder = try TestFolder()
    let cluster = try Cluster.open(ClusterOptions(dataFolder: folder.path("data"), initialNodes: ["b10", "b2"]))
    try await cluster.ready()
    var choice = ClusterChoice()
    choice.data = folder.path("data")
    // While it is open, as a shell that completes looks at it.
    #expect(FolderAtRest.nodeNames(of: folder.path("data")) == ["b2", "b10"])
    #expect(FolderAtRest.nodeNames(of: folder.path("none")) == nil)
    await cluster.close()
    for (nodes, isGood) in [(3, false), (2, true), (nil, true)] {
      choice.nodes = nodes
      let made = try? choice.clusterOptions(TestConsole().console)
      #expect((made != nil) == isGood)
    }
  }

  @Test("A new cluster has three nodes; more copies than nodes are noted, and an absurd number of nodes is refused")
  func choosesNodes() throws {
    var choice = ClusterChoice()
    choice.data = "/nowhere/at/all"
    let made = try choice.clusterOptions()
    #expect(made.initialNodes == ["node1", "node2", "node3"])
    choice.cacheMiB = 1 << 24
    choice.nodes = 1_024
    #expect(throws: Refusal.self) { try choice.clusterOptions() }
  }

  @Test("A path at home is expanded, and nothing else")
  func expandsHome() {
    guard let home = ByteText.variable("HOME") else { return }
    #expect(HomePath.expanded("~/x") == "\(home)/x")
    for path in ["~", "~user/x", "/~/x", "x~/"] { #expect(HomePath.expanded(path) == path) }
  }

  @Test("Settings and themes are read from their folder; what cannot be read is told")
  func readsSettings() throws {
    let folder = try TestFolder()
    try folder.write("theme = mine\nrefresh_ms = 250\nmouse = off\nnonsense = 1\n", to: "config")
    try folder.write("theme[main_bg]=\"#2E3440\"\n", to: "themes/mine.theme")
    try folder.write("theme[main_bg]=\"#2E3440\"\n", to: "themes/midnight.theme")
    let options = ScreenOptions(given: Settings(), recordingPath: "x", config: ConfigFolder(path: folder.path))
    #expect(options.theme?.name == "mine")
    #expect(options.periodNs == 250_000_000)
    #expect(!options.usesMouse && options.recordingPath == "x")
    #expect(options.themes.count { $0.name == "midnight" } == 1)
    #expect(options.warnings.contains { $0.contains("nonsense") })
    var given = Settings()
    given.theme = "nord"
    #expect(
      ScreenOptions(given: given, recordingPath: nil, config: ConfigFolder(path: folder.path)).theme?.name == "nord")
  }

  @Test("A theme may be a file; one that is missing is told with those there are")
  func choosesATheme() throws {
    let folder = try TestFolder()
    try folder.write("theme[main_bg]=\"#2E3440\"\n", to: "own.theme")
    var options = ScreenOptions()
    options.choose(theme: folder.path("own.theme"))
    #expect(options.theme?.name == "own" && options.warnings.isEmpty)
    options.choose(theme: folder.path("none.theme"))
    options.choose(theme: "nonesuch")
    #expect(options.warnings.count == 2)
    #expect(options.warnings[1].hasPrefix("there is no theme “nonesuch”; there are midnight, "))
  }

  @Test("Settings that are no file are told, and those that are missing are none")
  func cannotReadSettings() throws {
    let folder = try TestFolder()
    let config = ConfigFolder(path: folder.path)
    #expect(ScreenOptions(given: Settings(), recordingPath: nil, config: config).warnings.isEmpty)
    try folder.write("", to: "config/something")
    let options = ScreenOptions(given: Settings(), recordingPath: nil, config: config)
    #expect(options.warnings.count == 1 && options.warnings[0].contains("it is no regular file"))
  }

  @Test("A kept theme replaces its line in the settings and leaves the rest, also behind a link")
  func keepsATheme() throws {
    let folder = try TestFolder()
    try folder.write("mouse = off\ntheme = nord\n", to: "dotfiles/config")
    try FileManager.default.createDirectory(atPath: folder.path("kvstore"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("kvstore/config"), withDestinationPath: folder.path("dotfiles/config"))
    var options = ScreenOptions()
    options.config = ConfigFolder(path: folder.path("kvstore"))
    #expect(options.keep(theme: "gruvbox").contains("also at the next start"))
    #expect(try folder.text("dotfiles/config") == "mouse = off\ntheme = gruvbox\n")
    #expect(options.keep(theme: "of-a-file").contains("to keep it, copy its file"))
    try folder.write("", to: "blocked")
    options.config = ConfigFolder(path: folder.path("blocked/kvstore"))
    #expect(options.keep(theme: "nord").contains("cannot be written"))
  }

  @Test("The folders of this process's clusters are removed at its end; those of dead processes by the next start")
  func sweeps() throws {
    let folder = try TestFolder()
    try folder.write("a record", to: "kvstore-ephemeral-dead/node1.wal/1.segment")
    try folder.write("", to: "kvstore-ephemeral-dead/lock")
    try folder.write("", to: "kvstore-ephemeral-alive/lock")
    try folder.write("", to: "somebody-elses/lock")
    // Made a moment ago; and one whose removal was cut short long ago.
    try folder.write("", to: "kvstore-ephemeral-new/node1.wal/1.segment")
    try folder.write("", to: "kvstore-ephemeral-rest/node1.wal/1.segment")
    var times = [timeval(tv_sec: 1_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000, tv_usec: 0)]
    #expect(utimes(folder.path("kvstore-ephemeral-rest"), &times) == 0)
    let lock = open(folder.path("kvstore-ephemeral-alive/lock"), O_RDONLY)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX) == 0)
    TemporaryFolder.sweep(folder.path)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(left == ["kvstore-ephemeral-alive", "kvstore-ephemeral-new", "somebody-elses"])
  }

  @Test("Files are read and written whole; what is no file, too long or missing says so")
  func readsWhole() throws {
    let folder = try TestFolder()
    try WholeFile.write("one\ntwo\n", to: folder.path("text"))
    #expect(try WholeFile.read(folder.path("text")) == Array("one\ntwo\n".utf8))
    try WholeFile.write("a line", to: folder.path("long"))
    #expect(throws: WholeFile.Failure.self) { try WholeFile.read(folder.path("none")) }
    #expect(throws: WholeFile.Failure.self) { try WholeFile.read(regular: folder.path, bytesMax: 10) }
    #expect(throws: WholeFile.Failure.self) { try WholeFile.read(folder.path("text"), bytesMax: 7) }
    #expect(throws: WholeFile.Failure.self) { try WholeFile.read(folder.path("long"), lineBytesMax: 2) }
    #expect(throws: WholeFile.Failure.self) { try WholeFile.write("x", to: folder.path("none/text")) }
  }

  @Test("The cluster in a folder has as many nodes as its configuration names")
  func countsNodes() async throws {
    let folder = try TestFolder()
    #expect(FolderAtRest.nodeNames(of: folder.path("data")) == nil)
    let test = TestConsole()
    _ = await Script.run(.folder(.kept(folder)), test.console, commands: [])
    #expect(FolderAtRest.nodeNames(of: folder.path("data"))?.count == 3)
  }

  @Test("Limits of the process are told before a cluster is opened, with what to do")
  func checksLimits() {
    #expect(ProcessLimits.problem(nodes: 3, cacheBytes: ProcessLimits.cacheBytesDefault) == nil)
    let memory = ProcessLimits.problem(nodes: 3, cacheBytes: 1 << 44)
    #expect(memory?.contains("--cache-mib") == true)
    ProcessLimits.checkAtStart()
  }
}
