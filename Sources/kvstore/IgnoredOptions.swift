import ArgumentParser
import Faces

/// A subcommand. The root's options may stand on either side of its name, and the root has those of both.
protocol Subcommand: ParsableCommand {
  var parent: KVStore { get }
}

/// Options that a subcommand has no use for: they are refused, because an option that is taken and
/// does nothing is one that somebody waits for.
enum IgnoredOptions {
  /// - Throws: `ValidationError` with the first that would be ignored.
  static func refuse(for command: any ParsableCommand) throws {
    if let root = command as? KVStore {
      guard root.interactive || !Console.standard.isTyped,
        let option = root.display.given.first(where: { ["--record", "--history"].contains($0) })
      else { return }
      throw ValidationError("\(option) records the dashboard, and here is none: commands are read line by line.")
    }
    guard let root = (command as? any Subcommand)?.parent else { return }
    let type = type(of: command)
    let name = type._commandName
    let taken: [String] =
      switch type {
      case is DemoCommand.Type, is Replay.Type: DisplayOptions.words.filter { $0 != "--history" }
      case is Simulate.Type:
        (command as? Simulate)?.isShown == true ? DisplayOptions.words.filter { $0 != "--history" } : []
      case is Frame.Type: ["--theme", "--glyphs"]
      default: []
      }
    if let option = root.display.given.first(where: { !taken.contains($0) }) {
      throw ValidationError("\(option) is about the dashboard, and \(name) shows none.")
    }
    if root.interactive { throw ValidationError("--interactive reads commands line by line, and \(name) does not.") }
    let isTool = [
      Verify.self, RepairCommand.self, Backup.self, Dump.self, Simulate.self, CheckHistory.self, Replay.self,
    ].contains { $0 == type }
    if isTool, let option = root.options.given.first {
      throw ValidationError("\(option) is about a cluster that runs, and \(name) opens none with it.")
    }
  }
}

extension DisplayOptions {
  /// The options as they are typed.
  static let words = [
    "--theme", "--glyphs", "--refresh-ms", "--layout", "--mouse", "--reduced-motion", "--record", "--history",
  ]

  /// Those that were given.
  var given: [String] {
    let isGiven = [
      theme != nil, glyphs != nil, refreshMs != nil, layout != nil, mouse != nil, reducedMotion != nil, record != nil,
      history != nil,
    ]
    return zip(Self.words, isGiven).filter(\.1).map(\.0)
  }

  /// These options where they were given, else `others`.
  func filled(from others: DisplayOptions) -> DisplayOptions {
    var filled = self
    (filled.theme, filled.glyphs) = (theme ?? others.theme, glyphs ?? others.glyphs)
    (filled.refreshMs, filled.layout) = (refreshMs ?? others.refreshMs, layout ?? others.layout)
    (filled.mouse, filled.reducedMotion) = (mouse ?? others.mouse, reducedMotion ?? others.reducedMotion)
    (filled.record, filled.history) = (record ?? others.record, history ?? others.history)
    return filled
  }
}

extension StartOptions {
  /// Those of ``allWords`` that were given.
  var given: [String] {
    let isGiven = [
      data != nil, ephemeral, nodes != nil, replicas != nil, readQuorum != nil, writeQuorum != nil, fsync != nil,
      cacheMib != nil, replaceAfter != nil,
    ]
    return zip(Self.words, isGiven).filter(\.1).map(\.0) + redis.given
  }
}
