import ClusterModel

extension CommandError: CustomStringConvertible {
  package var description: String { words(on: nil) }

  /// - Parameter capabilities: of the backend, whose commands alone are named; `nil` for all.
  package func words(on capabilities: Capabilities?) -> String {
    switch self {
    case .unknownCommand(let word):
      if let meant = Suggestion.command(for: word, on: capabilities) {
        return "Unknown command: \(word). Did you mean \(meant.rawValue)? help lists all"
      }
      let names = HelpText.entries(capabilities).map(\.name.rawValue)
      return "Unknown command: \(word). Commands: \(names.joined(separator: ", "))"
    case .missingArgument(let name, let label):
      let empty = name == .put && label == "VALUE" ? "; an empty value is \"\"" : ""
      let usage =
        name == .cas
        ? "\(CommandEntry.of(name).usage), or cas \(Command.absentOption) KEY NEW" : CommandEntry.of(name).usage
      return "\(label) is missing. Usage: \(usage)\(empty)"
    case .tooManyArguments(let name):
      let entry = CommandEntry.of(name)
      guard let last = entry.arguments.last else {
        return "\(name.rawValue) takes no arguments. Usage: \(entry.usage)"
      }
      let quotes = last.kind == .bytes ? "; a \(last.label) with spaces needs quotes: \"a b\"" : ""
      return "Too many words. Usage: \(entry.usage)\(quotes)"
    case .badOption(let name, let fault): return "\(name.rawValue): \(fault.words(name))"
    case .unterminatedQuote(let quote, let column):
      let advice =
        quote == "\"" ? "; inside double quotes a quote is \\\"" : "; a word that begins with ' goes in \" \""
      return "No closing \(quote) for the one at column \(column)\(advice)"
    case .unknownEscape(let escape, let column):
      return "Unknown escape \(escape) at column \(column). Double quotes take \\n \\t \\\\ \\\" \\xHH; "
        + "single quotes take everything literally"
    case .textAfterQuote(let name, let column):
      let usage = name.map { " Usage: \(CommandEntry.of($0).usage)." } ?? ""
      return "Text after the closing quote at column \(column).\(usage) Quote the whole, or nothing of it"
    }
  }
}

extension Answer {
  /// To a line that was cut off, because no command is as long.
  static let lineTooLong = Answer(.failure, "The line is longer than any command can be")
}

extension OptionFault {
  /// - Parameter name: the command.
  fileprivate func words(_ name: CommandName) -> String {
    switch self {
    case .unknownBeforeText(let option):
      "there is no option \(option)\(Self.others(name)); behind -- it is text: \(name.rawValue) -- \(option)"
    case .unknown(let option, let options): "there is no option \(option); there are \(Self.list(options))"
    case .missing(let option, let values): "\(option) takes one of \(Self.list(values))"
    case .noneOf(let word, let words): "'\(word)' should be one of \(Self.list(words))"
    case .noTime(let word): "'\(word)' should be a time as in 20ms or 1.5s"
    case .noLifetime(let word): "'\(word)' should be a time from 1 ms on, as in 90, 500ms, 5m, 2h or 1d"
    case .noPart(let word): "'\(word)' should be a part as in 30%"
    case .noNumber(let word): "'\(word)' should be a whole number of 64 bits, as in incr k 5"
    case .noConfirmation(let word): "'\(word)' should be yes, or nothing"
    case .noWorkload(let options): "options follow a workload, as in: benchmark mixed \(options)"
    case .unknownWorkload(let word, let words):
      "there is no workload \(word); there are \(Self.list(words)); benchmark stop ends what runs, benchmark results lists "
        + "what was measured"
    case .badValue(let option): "\(option) takes \(Self.kind(of: option)), as in \(option) \(Self.example(of: option))"
    case .contradiction(let reason): reason
    case .unknownTopic(let word, let meant):
      "there is no topic \(word).\(meant.map { " Did you mean \($0.rawValue)?" } ?? "") "
        + "Topics: \(Self.list(Topic.allCases.map(\.rawValue)))"
    }
  }

  /// The options that the command has.
  private static func others(_ name: CommandName) -> String {
    let options = CommandEntry.of(name).options
    return options.isEmpty ? "" : "; there is \(list(options))"
  }

  private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }

  /// The kind of an option's value.
  private static func kind(of option: String) -> String {
    switch option {
    case "--distribution": "one of \(BenchmarkRequest.distributions.joined(separator: ", "))"
    case "--report": "a file"
    case "--value-bytes": "a number, uniform:MIN-MAX or zipfian:MIN-MAX"
    default: "a number"
    }
  }

  private static func example(of option: String) -> String {
    switch option {
    case "--distribution": "zipfian"
    case "--value-bytes": "uniform:100-1000"
    case "--rate": "5000"
    case "--report": "run.html"
    default: "10"
    }
  }
}
