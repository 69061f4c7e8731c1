import Commands
import Dashboard

/// Watches a cluster as the dashboard would, and draws what it would show at the end.
package struct FrameRun: Sendable {
  package enum Output: Sendable {
    case text, ansi, description
    case svg(path: String)
  }

  let size: Size
  let appearance: Appearance
  let lines: [String]
  let output: Output

  package init(size: Size, appearance: Appearance, lines: [String], output: Output) {
    (self.size, self.appearance, self.lines, self.output) = (size, appearance, lines, output)
  }

  /// Returns the exit status.
  package func draw(_ runner: CommandRunner, _ console: Console = .standard) async -> Int32 {
    let (state, hasFailed) = await watch(runner, console)
    let canvas = Picture(state, state.appearance.look).canvas
    switch output {
    case .text: for line in canvas.lines { console.say(line) }
    case .ansi: console.write(AnsiText.text(canvas, depth: .truecolor))
    case .description: for line in Description.lines(state) { console.say(line) }
    case .svg(let path):
      do throws(WholeFile.Failure) {
        try WholeFile.write(SvgPicture.text(canvas), to: path)
      } catch {
        console.complain("cannot write \(path): \(error)")
        return Console.lost
      }
    }
    return hasFailed ? 1 : 0
  }

  /// Runs the commands, and looks at the cluster meanwhile ten times a second. Says which failed.
  private func watch(
    _ runner: CommandRunner, _ console: Console
  ) async -> (state: DashboardState, hasFailed: Bool) {
    var hasFailed = false
    let host = ClusterHost(runner, history: HistoryFile())
    // Nobody is there to be asked.
    var advice = host.advice
    advice.read = { [read = advice.read] in
      var line = read($0)
      line.question = nil
      return line
    }
    var state = DashboardState(size: size, advice: advice, appearance: appearance)
    var lastEvent: UInt64 = 0
    func look() {
      if let status = host.status() { state.apply(status: status, nowNs: MonotonicClock.nowNs()) }
      for event in host.events(after: lastEvent) {
        lastEvent = event.sequence
        state.apply(event: event)
      }
      state.apply(benchmark: host.benchmark())
    }
    look()
    for line in lines {
      _ = state.handle(.paste(line))
      let actions = state.handle(.enter)
      guard case .run(let typed)? = actions.first else { continue }
      let running = Task { await host.run(typed) { _ in } }
      let waiting = Waiting(running)
      while await !waiting.isOver {
        try? await Task.sleep(for: .milliseconds(100))
        look()
      }
      let answer = await running.value
      if !answer.isSuccess {
        hasFailed = true
        for said in answer.lines { console.complain("\(line): \(said.text)") }
      }
      _ = state.apply(answer: answer)
    }
    // A rate is the difference of two looks.
    try? await Task.sleep(for: .milliseconds(200))
    look()
    return (state, hasFailed)
  }
}

/// Whether a task has ended, without waiting for it.
private actor Waiting {
  private(set) var isOver = false

  init(_ task: Task<CommandAnswer, Never>) {
    Task {
      _ = await task.value
      await self.end()
    }
  }

  private func end() { isOver = true }
}
