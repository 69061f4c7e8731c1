import ClusterModel

/// Errors as clients get them: a code that programs look at, then words for people.
enum ErrorReply {
  /// Clients try again after `LOADING`; after `INDETERMINATE` they must not take the write for failed.
  static func text(_ error: ClusterError) -> String {
    switch error {
    case .unavailable: "NOQUORUM \(error)"
    case .indeterminate: "INDETERMINATE \(error)"
    case .notServing: "LOADING \(error)"
    case .storage: "IOERR \(error)"
    case .invalidArgument, .refused, .dataFolder, .unsupported: "ERR \(error)"
    }
  }

  /// Clients look for this text to find out what a server has. The words repeat at most 128 bytes of what was asked.
  static func unknownCommand(_ name: [UInt8], _ arguments: [[UInt8]]) -> String {
    var words = ""
    for argument in arguments where words.utf8.count < 128 { words += "'\(shown(argument.prefix(128)))' " }
    return "ERR unknown command '\(shown(name.prefix(128)))', with args beginning with: \(words)"
  }

  static func unknownSubcommand(_ name: [UInt8], of command: String) -> String {
    "ERR unknown subcommand '\(shown(name.prefix(128)))'. Try \(command) HELP."
  }

  static func wrongArguments(_ command: String) -> String {
    "ERR wrong number of arguments for '\(command)' command"
  }

  private static func shown(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  static let syntax = "ERR syntax error"
  static let notAnInteger = "ERR value is not an integer or out of range"
  static let noAuthentication = "NOAUTH Authentication required."
  static let wrongPassword = "WRONGPASS invalid username-password pair or user is disabled."
  static let noPassword =
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
  static let tooManyClients = "ERR max number of clients reached"

  /// The ways out of protected mode.
  static let denied =
    "DENIED kvstore runs in protected mode: no password is set, so it answers only connections from its own machine. "
    + "To connect from another one: 1) set a password (KVSTORE_PASSWORD or --password-file) and use AUTH; "
    + "2) forward a port with ssh -L; 3) connect from the same machine; 4) use the socket in the data folder."
}
