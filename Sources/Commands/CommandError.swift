import ClusterModel

/// Why a line is no command, and what to type instead. Columns count characters from 1.
package enum CommandError: Error, Equatable {
  case unknownCommand(String)
  case missingArgument(CommandName, label: String)
  case tooManyArguments(CommandName)
  /// A quote at `column` that nothing closes.
  case unterminatedQuote(quote: Character, column: Int)
  /// A backslash sequence that double quotes do not know.
  case unknownEscape(String, column: Int)
  /// Something touches a closing quote, or follows a quoted value that should end the line.
  case textAfterQuote(CommandName?, column: Int)

  /// An option or a word of the command's own that it does not understand.
  case badOption(CommandName, OptionFault)

  /// The command that it is about, if the line named one.
  var command: CommandName? {
    switch self {
    case .missingArgument(let name, _), .tooManyArguments(let name), .badOption(let name, _): name
    case .textAfterQuote(let name, _): name
    case .unknownCommand, .unterminatedQuote, .unknownEscape: nil
    }
  }
}

/// What is wrong with an option, or with a word that must be one of a few.
package enum OptionFault: Sendable, Equatable {
  /// No option of the command; behind `--` it would be text.
  case unknownBeforeText(String)
  /// No option of the command, which has these.
  case unknown(String, options: [String])
  /// The option's value is missing, which is one of these.
  case missing(option: String, values: [String])
  /// The word is none of these.
  case noneOf(String, [String])
  case noTime(String)
  case noLifetime(String)
  case noPart(String)
  case noNumber(String)
  case noConfirmation(String)
  /// Options of the benchmark, and no workload before them.
  case noWorkload(options: String)
  case unknownWorkload(String, words: [String])
  /// An option of the benchmark without a value that it understands.
  case badValue(option: String)
  /// The options do not go together, for this reason.
  case contradiction(String)
  /// `meant` is the topic that was probably meant.
  case unknownTopic(String, meant: Topic?)
}
