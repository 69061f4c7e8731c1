import ClusterModel
import Dashboard
import Glibc
import Text

/// The dashboard on a terminal: asks for statuses, draws them, and turns keys into commands.
///
/// One thread does all of it and sleeps in ``Terminal/wait(untilNs:)``: for keys, for signals, and for answers. A frame is
/// drawn only when something changed.
package struct Screen {
  private var host: any ScreenHost
  private let terminal: any Terminal
  private let options: ScreenOptions
  private var mailbox: Mailbox
  private let recording: RecordingFile?
  private let session: SessionWriter?
  private var keys: KeyReader
  private var state: DashboardState
  private var lastEvent: UInt64 = 0
  private var clusterNumber = 0
  /// The screen that returns when the guest has left.
  private var below: Below?
  private var nextStatusNs: UInt64 = 0
  /// No frame is drawn before.
  private var nextFrameNs: UInt64 = 0
  /// For tests of what a crash leaves of the terminal: with it set, F12 traps.
  private let trapsOnF12 = getenv("KVSTORE_TEST_TRAP") != nil
  /// Whether anything has changed that the last frame does not show.
  private var isStale = true
  /// The exit status, once the screen is to end.
  private var exitCode: Int32?

  /// A picture that waits below a guest's.
  private struct Below {
    var host: any ScreenHost
    var state: DashboardState
    var lastEvent: UInt64
    var mailbox: Mailbox
    /// The number of the line that brought the guest.
    var number: Int
  }

  /// Shows the dashboard until its reader quits or a signal ends it, and gives the terminal back, also when it throws.
  ///
  /// Keeps the thread until then. With ``CursesTerminal`` that has to be the main thread.
  /// - Parameters:
  ///   - host: what is shown.
  ///   - options: how.
  ///   - terminal: where.
  ///   - complain: takes what was lost, once the terminal is given back: pasted lines that still waited, a file.
  /// - Returns: the program's exit status: 0 after a quit, 128 + the signal's number after a signal, ``Console/lost`` if a
  ///   file that was asked for is not whole.
  package static func run(
    _ host: any ScreenHost, _ options: ScreenOptions, on terminal: any Terminal, complain: (String) -> Void
  ) throws(ScreenError) -> Int32 {
    var lost: [String] = []
    defer {
      terminal.close()
      for words in lost { complain(words) }
    }
    var screen = try Screen(host, options, on: terminal)
    let status = screen.loop()
    lost = [screen.recording?.finish(), screen.session?.finish()].compactMap { $0 }
    let isWhole = lost.isEmpty
    let waiting = screen.state.pasted.waiting.count + (screen.below?.state.pasted.waiting.count ?? 0)
    if waiting > 0 { lost.append("not done: \(Figures.count(waiting, "pasted line"))") }
    return status == 0 && !isWhole ? Console.lost : status
  }

  private init(_ host: any ScreenHost, _ options: ScreenOptions, on terminal: any Terminal) throws(ScreenError) {
    self.host = host
    self.terminal = terminal
    mailbox = Mailbox(wake: terminal.waker)
    keys = KeyReader(known: terminal.keySequences, marksPastes: terminal.marksPastes)
    self.options = options
    let glyphs: [Glyphs.Kind] = terminal.isUTF8 ? Glyphs.Kind.allCases : [.ascii]
    let preferred = options.glyphs ?? (terminal.isConsole ? .blocks : .braille)
    state = DashboardState(
      size: terminal.size, history: host.loadHistory(), advice: host.advice,
      appearance: Appearance(
        themes: options.themes, theme: options.theme ?? (terminal.depth >= .palette256 ? .midnight : .terminal),
        glyphs: glyphs.contains(preferred) ? preferred : .ascii, depth: terminal.depth, glyphChoices: glyphs,
        isMouseOn: options.usesMouse, isMotionReduced: options.isMotionReduced, isSinglePanel: options.isSinglePanel,
        isThemeChosen: options.theme != nil))
    if let background = terminal.background { _ = state.handle(.background(background)) }
    recording = try options.recordingPath.map { path throws(ScreenError) in
      try RecordingFile(path: path, terminal.size, depth: terminal.depth, nowNs: terminal.nowNs)
    }
    session = try options.sessionPath.map { path throws(ScreenError) in try SessionWriter(path: path) }
    for warning in options.warnings { state.warn(warning) }
    clusterNumber = host.clusterNumber
    if let guide = host.guide { state.apply(guide: guide) }
    terminal.useMouse(options.usesMouse)
  }

  // MARK: The loop

  /// Twenty times a second while a key walks: a walk of 600 ms has twelve steps.
  private static let walkPeriodNs: UInt64 = 50_000_000

  /// While pasted lines run: a frame costs as much as hundreds of puts, and nobody reads each answer.
  private static let pastedFrameNs: UInt64 = 100_000_000

  private mutating func loop() -> Int32 {
    // Before the first status: it may have to wait for the cluster to open.
    draw()
    while true {
      takeNews()
      draw()
      waitForSomething()
      if let exitCode { return exitCode }
    }
  }

  private mutating func takeNews() {
    if let progress = mailbox.takeProgress() {
      state.apply(progress: progress)
      isStale = true
    }
    for notice in mailbox.takeNotices() {
      state.say(notice)
      isStale = true
    }
    for answer in mailbox.takeAll() {
      for action in state.apply(answer: answer) { perform(action) }
      isStale = true
      if answer.endsProgram { exitCode = exitCode ?? 0 }
    }
    let now = terminal.nowNs
    let overdue = keys.overdue(atNs: now)
    if !overdue.isEmpty { isStale = true }
    handle(overdue)
    if state.apply(bytesReceived: keys.pastedCount) { isStale = true }
    if host.clusterNumber != clusterNumber { beginAnew() }
    if let guide = host.guide, state.apply(guide: guide) { isStale = true }
    guard now >= nextStatusNs else { return }
    let rates = state.seen.rates
    let isBusy = state.isAnimated || state.guide != nil || rates.map { $0.reads + $0.writes > 0 } ?? false
    // Without anything under way half as often is still faster than people read figures.
    // Messages that cross the ring are to be seen moving.
    let periodNs = state.playback == nil ? options.periodNs : min(options.periodNs, Self.walkPeriodNs)
    nextStatusNs = now + (isBusy ? periodNs : periodNs * 2)
    if let seen = host.playback(), state.apply(playback: seen.playback, seen.frames) { isStale = true }
    let status = host.status()
    if let status, state.apply(status: status, nowNs: terminal.nowNs) { isStale = true }
    if state.apply(benchmark: host.benchmark()) { isStale = true }
    for event in host.events(after: lastEvent) {
      lastEvent = max(lastEvent, event.sequence)
      state.apply(event: event)
      if below == nil { session?.add(event) }
      isStale = true
    }
    // A guest's cluster is not the session's.
    if let status, below == nil { session?.add(status, atNs: terminal.nowNs) }
  }

  /// Draws a frame if it would differ from the last: at rest making one costs more than all the rest of the screen.
  private mutating func draw() {
    guard isStale || state.isAnimated, terminal.nowNs >= nextFrameNs else { return }
    isStale = false
    nextFrameNs = state.pasted.isBusy ? terminal.nowNs + Self.pastedFrameNs : 0
    if state.isWalking { state.advance(toNs: terminal.nowNs) }
    let picture = Picture(state, state.appearance.look)
    recording?.add(picture, atNs: terminal.nowNs)
    terminal.present(picture)
  }

  private mutating func waitForSomething() {
    let now = terminal.nowNs
    var next = state.isWalking ? min(nextStatusNs, now + Self.walkPeriodNs) : nextStatusNs
    if let deadline = keys.deadlineNs { next = min(next, deadline) }
    if isStale { next = min(next, nextFrameNs) }
    guard exitCode == nil else { return }
    let events = terminal.wait(untilNs: next)
    if !events.isEmpty { isStale = true }
    for event in events { take(event) }
  }
}

// MARK: - Keys and signals

extension Screen {
  private mutating func take(_ event: TerminalEvent) {
    switch event {
    case .woken: break
    case .bytes(let bytes):
      let now = terminal.nowNs
      let pressed = keys.take(bytes, atNs: now)
      // A walk begins when its key was asked for, not at the last status.
      state.advance(toNs: now)
      handle(pressed)
    case .resized:
      if terminal.adoptSize() { state.size = terminal.size }
    case .stopAsked: suspend()
    case .continued:
      terminal.resume()
      state.size = terminal.size
    case .endAsked(let signal): exitCode = exitCode ?? 128 + signal
    // Nobody is left to ask.
    case .gone: exitCode = exitCode ?? 128 + SIGHUP
    }
  }

  private mutating func suspend() {
    terminal.suspend()
    state.size = terminal.size
  }

  private mutating func handle(_ pressed: [Key]) {
    for key in pressed {
      if trapsOnF12, key == .function(12) { fatalError("a test asked for a trap") }
      for action in state.handle(key) { perform(action) }
    }
  }

  private mutating func perform(_ action: Action) {
    switch action {
    case .quit: exitCode = exitCode ?? 0
    case .redraw: terminal.repaint()
    case .useMouse(let isOurs): terminal.useMouse(isOurs)
    case .suspend: suspend()
    case .guide(.quit):
      host.take(GuideKey.quit)
      leave()
    case .guide(let key): host.take(key)
    case .playback(.quit):
      host.take(PlaybackKey.quit)
      leave()
    case .playback(let key):
      host.take(key)
      nextStatusNs = 0
    case .run(let line):
      host.saveHistory(state.prompt.editor.history.lines)
      if let guest = host.guest(for: line) { return visit(guest, line.number) }
      Task { [host, mailbox] in
        var answer = await host.run(line) { mailbox.post($0) }
        answer.number = line.number
        mailbox.post(answer)
      }
    case .keepTheme(let name):
      Task.detached { [mailbox, options] in mailbox.post(.announcement(options.keep(theme: name))) }
    }
  }
}

// MARK: - Guests

extension Screen {
  private mutating func visit(_ guest: any ScreenHost, _ number: Int) {
    below = Below(host: host, state: state, lastEvent: lastEvent, mailbox: mailbox, number: number)
    host = guest
    mailbox = Mailbox(wake: terminal.waker)
    beginAnew()
  }

  /// An empty picture that looks as the one before, for another cluster.
  private mutating func beginAnew() {
    clusterNumber = host.clusterNumber
    isStale = true
    state = DashboardState(size: terminal.size, advice: host.advice, appearance: state.appearance)
    if let guide = host.guide { state.apply(guide: guide) }
    lastEvent = 0
    nextStatusNs = 0
  }

  /// Back to the screen below, or out.
  private mutating func leave() {
    guard let below else {
      exitCode = exitCode ?? 0
      return
    }
    var answer = host.farewell
    answer.number = below.number
    let appearance = state.appearance
    (host, state, lastEvent, mailbox) = (below.host, below.state, below.lastEvent, below.mailbox)
    self.below = nil
    clusterNumber = host.clusterNumber
    (state.size, state.appearance) = (terminal.size, appearance)
    nextStatusNs = 0
    for action in state.apply(answer: answer) { perform(action) }
  }
}
