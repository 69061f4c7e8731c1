import ClusterModel
import Text

extension Command {
  /// Is told of each line that is parsed, for the tests that count them.
  @TaskLocal package static var onParse: (@Sendable (_ line: [UInt8]) -> Void)?

  /// Reads one line. `nil` for a line of white space.
  ///
  /// - Throws: ``CommandError``, whose description says what to type instead.
  /// - Complexity: O(bytes of the line).
  package static func parse(_ line: [UInt8]) throws(CommandError) -> Command? {
    onParse?(line)
    var words = CommandWords(line)
    guard let first = try words.next() else { return nil }
    let word = String(decoding: first, as: UTF8.self)
    guard let entry = CommandEntry.called(word) else { throw unknown(word) }
    var options = try leadingOptions(of: entry.name, from: &words)
    let values = try arguments(of: entry, from: &words, &options)
    if !options.isLiteral { options.level = try consistency(of: entry.name, from: &words) ?? options.level }
    guard try words.next() == nil else { throw .tooManyArguments(entry.name) }
    return try make(entry.name, values, options)
  }

  /// Reads a line as an editor holds it, which may stand for any bytes: see `ByteText`.
  package static func parse(typed line: String) throws(CommandError) -> Command? { try parse(ByteText.decode(line)) }

  /// The word before a level of consistency.
  package static let consistencyOption = "--consistency"

  /// Stands for a value that is not there.
  package static let absentOption = "--absent"

  /// Commands whose first argument is free text, which may look like an option.
  private static let takingText = CommandName.ofKeys.union([.keys, .load, .backup])

  /// What the options of a line say.
  private struct LineOptions {
    var level: Consistency?
    /// No value is expected.
    var expectsNone = false
    /// `--` ended the options: what follows it is taken as it is.
    var isLiteral = false
  }

  /// Options before the arguments.
  private static func leadingOptions(
    of name: CommandName, from words: inout CommandWords
  ) throws(CommandError) -> LineOptions {
    var found = LineOptions()
    while takingText.contains(name), let option = words.option() {
      if option == "--" {
        words.skipWord()
        words.takesRestLiterally = true
        found.isLiteral = true
        return found
      }
      if name == .cas, option == absentOption {
        words.skipWord()
        found.expectsNone = true
        continue
      }
      guard name == .put || name == .get || name == .del,
        option == consistencyOption || option.hasPrefix("\(consistencyOption)=")
      else {
        throw .badOption(name, .unknownBeforeText(String(option.prefix(64))))
      }
      found.level = try consistency(of: name, from: &words)
    }
    return found
  }

  /// `--consistency LEVEL` or `--consistency=LEVEL`, before or behind the arguments of `put`, `get` and `del`.
  private static func consistency(
    of name: CommandName, from words: inout CommandWords
  ) throws(CommandError) -> Consistency? {
    guard name == .put || name == .get || name == .del, let word = try words.next() else { return nil }
    let levels = Consistency.allCases.map(\.rawValue)
    let parts = text(word).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.first.map(String.init) == consistencyOption else { throw .tooManyArguments(name) }
    guard let level = try parts.count > 1 ? Array(parts[1].utf8) : words.next() else {
      throw .badOption(name, .missing(option: consistencyOption, values: levels))
    }
    guard let consistency = Consistency(rawValue: text(level).lowercased()) else {
      throw .badOption(name, .noneOf(text(level), levels))
    }
    return consistency
  }

  /// The words that belong in the places of `entry`'s arguments: all that must be there.
  private static func arguments(
    of entry: CommandEntry, from words: inout CommandWords, _ options: inout LineOptions
  ) throws(CommandError) -> [[UInt8]] {
    var values: [[UInt8]] = []
    for argument in entry.arguments {
      if entry.name == .cas, argument.label == "OLD" {
        // The option may stand in OLD's place, too.
        if !options.isLiteral, words.option() == absentOption {
          words.skipWord()
          options.expectsNone = true
        }
        if options.expectsNone { continue }
      }
      // Between KEY and VALUE, as a shell's user may put it: only with a level, and with a value behind it.
      if argument.takesRest, entry.name == .put, !options.isLiteral, let level = words.levelBeforeRest() {
        options.level = level
      }
      if argument.repeats {
        let count = values.count
        while let word = try words.next() { values.append(word) }
        if values.count == count, CommandName.ofKeys.contains(entry.name) {
          throw .missingArgument(entry.name, label: "KEY")
        }
        break
      }
      guard let value = argument.takesRest ? try words.rest(of: entry.name) : try words.next() else {
        if argument.isOptional { break }
        throw .missingArgument(entry.name, label: argument.label)
      }
      values.append(value)
    }
    return values
  }

  private static func make(
    _ name: CommandName, _ values: [[UInt8]], _ options: LineOptions
  ) throws(CommandError) -> Command {
    switch name {
    case .put: return .put(key: values[0], value: values[1], consistency: options.level)
    case .get: return .get(key: values[0], consistency: options.level)
    case .del: return .delete(key: values[0], consistency: options.level)
    case .mget: return .getAll(keys: values)
    case .mset:
      guard values.count.isMultiple(of: 2) else { throw .missingArgument(name, label: "VALUE") }
      let pairs = stride(from: 0, to: values.count, by: 2).map { KeyValue(values[$0], values[$0 + 1]) }
      return .putTogether(pairs)
    case .cas:
      let expected = options.expectsNone ? nil : values[1]
      return .update(key: values[0], .compareAndSet(expected: expected, value: values[values.count - 1]))
    case .incr:
      guard values.count > 1 else { return .update(key: values[0], .increment(by: 1)) }
      guard let amount = Int64(text(values[1])) else {
        throw .badOption(name, .noNumber(text(values[1])))
      }
      return .update(key: values[0], .increment(by: amount))
    case .append: return .update(key: values[0], .append(values[1]))
    case .getdel: return .update(key: values[0], .take)
    case .expire: return .update(key: values[0], .expire(try lifetime(text(values[1]))))
    case .ttl: return .update(key: values[0], .timeToLive)
    case .persist: return .update(key: values[0], .persist)
    case .nodes: return .nodes
    case .addnode: return .order(.addNode(text(values[0])))
    case .removenode: return .order(.removeNode(text(values[0])))
    case .replacenode: return .order(.replaceNode(text(values[0]), replacement: text(values[1])))
    case .failover: return .order(.failOver(text(values[0])))
    case .change:
      guard let wish = ChangeSteering(rawValue: text(values[0]).lowercased()) else {
        throw .badOption(name, .noneOf(text(values[0]), ChangeSteering.allCases.map(\.rawValue)))
      }
      return .order(.steer(wish))
    case .kill: return .order(.kill(text(values[0])))
    case .restart: return .order(.restart(text(values[0])))
    case .pause: return .order(.pause(text(values[0])))
    case .resume: return .order(.resume(text(values[0])))
    case .partition: return .order(.partition(sides(values.map(text))))
    case .heal: return .order(.heal)
    case .slow: return .order(.slow(text(values[0]), byNs: try delayNs(text(values[1]))))
    case .drop: return .order(.drop(text(values[0]), perMille: try perMille(text(values[1]))))
    case .corrupt: return .order(.corrupt(text(values[0])), isMeant: try isMeant(name, values))
    case .fsyncFail: return .order(.failSync(text(values[0])), isMeant: try isMeant(name, values))
    case .benchmark: return .benchmark(try BenchmarkRequest(values.map { ByteText.encode($0) }))
    case .load: return .load(path: values[0])
    case .keys: return .keys(prefix: values.first ?? [], limit: keysListedDefault)
    case .verdict: return .verdict
    case .backup: return .backup(path: values[0])
    case .compact: return .order(.compact(values.first.map(text)))
    case .explain: return .explain(try values.first.map(text).map(Topic.called))
    case .demo: return .demo
    case .help:
      guard let word = values.first.map(text) else { return .help(nil) }
      guard let entry = CommandEntry.called(word) else { throw unknown(word) }
      return .help(entry.name)
    case .exit: return .exit
    }
  }

  /// Words between bars; a bar may stand alone or at a word: `node1| node2`.
  private static func sides(_ words: [String]) -> [[String]] {
    let separated = words.joined(separator: " ").split(separator: "|", omittingEmptySubsequences: false)
    return separated.map { $0.split(separator: " ").map(String.init) }
  }

  /// `90`, `1.5`, `500ms`, `90s`, `5m`, `2h`, `1d`.
  package static func lifetime(_ word: String) throws(CommandError) -> ExpiryTime {
    let units = [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7), ("", 1e3)]
    for (unit, milliseconds) in units where word.hasSuffix(unit) {
      guard let number = Double(word.dropLast(unit.count)), number.isFinite else { break }
      let wanted = (number * milliseconds).rounded()
      guard (1...1e16).contains(wanted) else { break }
      return .after(milliseconds: Int64(wanted))
    }
    throw .badOption(.expire, .noLifetime(word))
  }

  /// `20ms`, `1.5s`; a day at most.
  private static func delayNs(_ word: String) throws(CommandError) -> UInt64 {
    let units = [("ms", 1e6), ("s", 1e9)]
    for (unit, ns) in units where word.hasSuffix(unit) {
      guard let number = Double(word.dropLast(unit.count)), number >= 0, number * ns <= 86_400e9 else { break }
      return UInt64(number * ns)
    }
    throw .badOption(.slow, .noTime(word))
  }

  /// `30%`, `0.5%`.
  private static func perMille(_ word: String) throws(CommandError) -> Int {
    guard let number = Double(word.hasSuffix("%") ? String(word.dropLast()) : word), (0...100).contains(number) else {
      throw .badOption(.drop, .noPart(word))
    }
    return Int((number * 10).rounded())
  }

  private static func isMeant(_ name: CommandName, _ values: [[UInt8]]) throws(CommandError) -> Bool {
    guard values.count > 1 else { return false }
    let word = text(values[1])
    guard word.lowercased() == "yes" else { throw .badOption(name, .noConfirmation(word)) }
    return true
  }

  /// Something pasted by mistake is shown by its beginning.
  private static func unknown(_ word: String) -> CommandError {
    .unknownCommand(word.count > 64 ? "\(word.prefix(64))…" : word)
  }

  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}
