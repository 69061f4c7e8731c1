extension Command {
  /// Reads one line. `nil` for a line of white space.
  ///
  /// - Throws: ``CommandError``, whose description says what to type instead.
  /// - Complexity: O(bytes of the line).
  package static func parse(_ line: [UInt8]) throws(CommandError) -> Command? {
    var words = CommandWords(line)
    guard let first = try words.next() else { return nil }
    let word = String(decoding: first, as: UTF8.self)
    guard let entry = CommandEntry.called(word) else { throw unknown(word) }
    return try make(entry.name, arguments(of: entry, from: &words))
  }

  /// The words that belong in the places of `entry`'s arguments: all that must be there, and none beyond.
  private static func arguments(
    of entry: CommandEntry, from words: inout CommandWords
  ) throws(CommandError) -> [[UInt8]] {
    var values: [[UInt8]] = []
    for argument in entry.arguments {
      if argument.repeats {
        while let word = try words.next() { values.append(word) }
        break
      }
      guard let value = argument.takesRest ? try words.rest(of: entry.name) : try words.next() else {
        if argument.isOptional { break }
        throw .missingArgument(entry.name, label: argument.label)
      }
      values.append(value)
    }
    guard try words.next() == nil else { throw .tooManyArguments(entry.name) }
    return values
  }

  private static func make(_ name: CommandName, _ values: [[UInt8]]) throws(CommandError) -> Command {
    switch name {
    case .put: return .put(key: values[0], value: values[1])
    case .get: return .get(key: values[0])
    case .del: return .delete(key: values[0])
    case .nodes: return .nodes
    case .addnode: return .addNode(text(values[0]))
    case .removenode: return .removeNode(text(values[0]))
    case .kill: return .kill(text(values[0]))
    case .restart: return .restart(text(values[0]))
    case .benchmark: return .benchmark(try BenchmarkRequest(values.map(text)))
    case .load: return .load(path: values[0])
    case .keys: return .keys(prefix: values.first ?? [], limit: keysListedDefault)
    case .verdict: return .verdict
    case .backup: return .backup(path: values[0])
    case .help:
      guard let word = values.first.map(text) else { return .help(nil) }
      guard let entry = CommandEntry.called(word) else { throw unknown(word) }
      return .help(entry.name)
    case .exit: return .exit
    }
  }

  /// Something pasted by mistake is shown by its beginning.
  private static func unknown(_ word: String) -> CommandError {
    .unknownCommand(word.count > 64 ? "\(word.prefix(64))…" : word)
  }

  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}
