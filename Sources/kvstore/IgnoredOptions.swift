import ArgumentParser
import Faces

/// Options that a subcommand has no use for: they are refused, because an option that is taken and
/// does nothing is one that somebody waits for.
enum IgnoredOptions {
  /// - Throws: `ValidationError` with the first that would be ignored.
  static func refuse(_ arguments: [String], for command: any ParsableCommand) throws {
    if let root = command as? KVStore {
      guard root.interactive || !Console.standard.isTyped,
        let option = root.display.given.first(where: { ["--record", "--history"].contains($0) })
      else { return }
      throw ValidationError("\(option) records the dashboard, and here is none: commands are read line by line.")
    }
    // A direct command's options may stand on either side of its name, and those of the dashboard are read on both.
    guard let root = (command as? any DirectCommand)?.parent ?? root(of: arguments) else { return }
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

  /// What stands before the subcommand.
  private static func root(of arguments: [String]) -> KVStore? {
    let names = KVStore.configuration.subcommands.map { $0._commandName }
    for (place, word) in arguments.enumerated() where names.contains(word) {
      // A value may have the name of a subcommand: what stands before it is then incomplete.
      if let root = try? KVStore.parse(Array(arguments[..<place])) { return root }
    }
    return nil
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
