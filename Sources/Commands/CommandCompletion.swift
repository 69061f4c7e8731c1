import ClusterModel

/// Completions at a place in a line: candidates for Tab, dimmed text to show ahead, and the usage.
///
/// A pure function of line, cursor and nodes, so that a prompt may ask on every key.
package struct CommandCompletion: Sendable, Equatable {
  /// Bytes of the line that a candidate replaces: the word under the cursor, up to the cursor.
  package var replaced: Range<Int>
  /// Completions of the word, most likely first: commands and nodes, nothing for keys, values and paths.
  package var candidates: [String]
  /// Dimmed text behind the cursor: the rest of the first candidate; empty in the middle of a line.
  package var ghost: String
  /// The command of the line; `nil` as long as there is none that the backend has.
  package var command: CommandName?
  /// The first word, complete or not, as it was typed; `nil` in an empty line.
  package var called: String?
  /// The place of the word under the cursor: 0 for the command, then its arguments from 1; `nil` within quotes.
  package var place: Int?

  /// How the command is used, `put KEY VALUE`; `nil` as long as there is no command.
  package var usage: String? { command.map { CommandEntry.of($0).usage } }
  /// The command's one-line help, together with ``usage``.
  package var summary: String? { command.map { CommandEntry.of($0).summary } }

  /// - Parameters:
  ///   - line: the whole line, in UTF-8.
  ///   - cursor: bytes of the line before the cursor.
  ///   - nodes: the cluster's nodes, from its status.
  ///   - capabilities: what the backend can do; `nil` for everything.
  package static func at(
    _ cursor: Int, in line: [UInt8], nodes: [NodeStatus], _ capabilities: Capabilities? = nil
  ) -> CommandCompletion {
    precondition((0...line.count).contains(cursor), "cursor outside the line: \(cursor) of \(line.count)")
    let typed = line[..<cursor]
    let start = typed.lastIndex(where: Ascii.isWhiteSpace).map { $0 + 1 } ?? 0
    let word = String(decoding: typed[start...], as: UTF8.self)
    let (before, isQuoted) = words(in: Array(typed[..<start]))

    let called = before.first.map { String(decoding: $0, as: UTF8.self) } ?? word
    let entry = CommandEntry.called(called).flatMap { $0.name.isOffered(by: capabilities) ? $0 : nil }
    let names = CommandName.allCases.filter { $0.isOffered(by: capabilities) }.map(\.rawValue)
    let pool: [String]
    if isQuoted {
      pool = []
    } else if before.isEmpty {
      pool = names
    } else if let argument = entry?.argument(at: before.count - 1) {
      pool = argument.kind == .command ? names : words(for: argument.kind, nodes: nodes, capabilities)
    } else {
      pool = []
    }
    var completion = CommandCompletion(
      word, replacing: start..<cursor, pool: pool, entry: entry, isAtEnd: cursor == line.count)
    completion.called = called.isEmpty ? nil : called
    completion.place = isQuoted ? nil : before.count
    return completion
  }

  /// The words of a part of a line as the parser cuts them, and whether the part ends within quotes.
  private static func words(in part: [UInt8]) -> (words: [[UInt8]], isQuoted: Bool) {
    var rest = CommandWords(part)
    var words: [[UInt8]] = []
    do throws(CommandError) {
      while let word = try rest.next() { words.append(word) }
      return (words, false)
    } catch {
      return (words, true)
    }
  }

  private init(_ word: String, replacing range: Range<Int>, pool: [String], entry: CommandEntry?, isAtEnd: Bool) {
    replaced = range
    command = entry?.name
    candidates = pool.filter { $0.hasPrefix(word) && $0 != word }
    let rest = candidates.first.map { String($0.dropFirst(word.count)) } ?? ""
    // An empty prompt stays quiet, and so does a whole name: `node1` must not look like the beginning of `node10`.
    let isQuiet = (entry == nil && word.isEmpty) || pool.contains(word)
    ghost = isAtEnd && !isQuiet ? rest : ""
  }

  private static func words(
    for kind: CommandEntry.ArgumentKind, nodes: [NodeStatus], _ capabilities: Capabilities?
  ) -> [String] {
    let names = nodes.map(\.name)
    switch kind {
    case .bytes, .figure: return []
    case .command: return CommandName.allCases.map(\.rawValue)
    case .steering: return ChangeSteering.allCases.map(\.rawValue)
    case .topic: return Topic.allCases.map(\.rawValue)
    case .workload: return BenchmarkRequest.words(on: capabilities)
    case .benchmarkOption: return capabilities?.has(.workloads) ?? true ? BenchmarkRequest.options : []
    case .newNode: return [nextName(after: names)]
    case .node: return names
    case .liveNode: return nodes.filter(\.state.isServing).map(\.name)
    case .deadNode: return nodes.filter { !$0.state.isServing }.map(\.name)
    }
  }

  /// The first of node1, node2, … that no node has.
  private static func nextName(after names: [String]) -> String {
    var number = 1
    while names.contains("node\(number)") { number += 1 }
    return "node\(number)"
  }
}

extension CommandEntry {
  /// The argument that the word at this place is, counted from 0.
  fileprivate func argument(at place: Int) -> Argument? {
    if place < arguments.count { return arguments[place] }
    return arguments.last.flatMap { $0.repeats ? $0 : nil }
  }
}
