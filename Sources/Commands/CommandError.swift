import ClusterModel

/// Why a line is no command, and what to type instead. Columns count characters from 1.
package enum CommandError: Error, Equatable, CustomStringConvertible {
  case unknownCommand(String)
  case missingArgument(CommandName, label: String)
  case tooManyArguments(CommandName)
  /// A quote at `column` that nothing closes.
  case unterminatedQuote(quote: Character, column: Int)
  /// A backslash sequence that double quotes do not know.
  case unknownEscape(String, column: Int)
  /// Something touches a closing quote, or follows a quoted value that should end the line.
  case textAfterQuote(CommandName?, column: Int)

  /// An option of the command's own that it does not understand.
  case badOption(CommandName, String)

  package var description: String { words(on: nil) }

  /// The command that it is about, if the line named one.
  var command: CommandName? {
    switch self {
    case .missingArgument(let name, _), .tooManyArguments(let name), .badOption(let name, _): name
    case .textAfterQuote(let name, _): name
    case .unknownCommand, .unterminatedQuote, .unknownEscape: nil
    }
  }

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
      return "\(label) is missing. Usage: \(CommandEntry.of(name).usage)\(empty)"
    case .tooManyArguments(let name):
      let entry = CommandEntry.of(name)
      guard let label = entry.arguments.last?.label else {
        return "\(name.rawValue) takes no arguments. Usage: \(entry.usage)"
      }
      return "Too many words. Usage: \(entry.usage); a \(label) with spaces needs quotes: \"a b\""
    case .badOption(let name, let reason):
      return "\(name.rawValue): \(reason)"
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
