/// The limits of a request. Nothing is ever allocated by an announced size alone: a size beyond these ends the connection
/// before its bytes come, and one within them costs memory only as its bytes come.
package struct RequestLimits: Sendable, Equatable {
  /// Arguments, the command's name included.
  package var argumentsMax: Int
  /// Bytes of one argument.
  package var argumentBytesMax: Int
  /// Bytes of the whole request, lengths and line ends included.
  package var requestBytesMax: Int
  /// Bytes of a request that is one line of words.
  package var inlineBytesMax: Int
  /// Whether they are those of a client that has not said the password, which the errors then name.
  package var isUnauthenticated: Bool

  package init(
    argumentsMax: Int, argumentBytesMax: Int, requestBytesMax: Int, inlineBytesMax: Int, isUnauthenticated: Bool = false
  ) {
    self.argumentsMax = argumentsMax
    self.argumentBytesMax = argumentBytesMax
    self.requestBytesMax = requestBytesMax
    self.inlineBytesMax = inlineBytesMax
    self.isUnauthenticated = isUnauthenticated
  }

  /// Redis takes as many arguments and as long lines; 64 MiB is what a value may have, and 1 MiB more leaves room for the
  /// rest of its request.
  package static let usual = RequestLimits(
    argumentsMax: 1 << 20, argumentBytesMax: 64 << 20, requestBytesMax: 65 << 20, inlineBytesMax: 64 << 10)

  /// Before the password: enough for `HELLO 3 AUTH name password SETNAME name`, and no way to fill our memory
  /// (CVE-2021-32675).
  package static let unauthenticated = RequestLimits(
    argumentsMax: 10, argumentBytesMax: 16 << 10, requestBytesMax: 64 << 10, inlineBytesMax: 16 << 10,
    isUnauthenticated: true)
}

/// Why the bytes of a connection are no requests. The connection ends with it: where the next request begins is not known.
package enum ProtocolError: Error, Equatable, Sendable {
  case multibulkLength
  case bulkLength
  case unauthenticatedMultibulkLength
  case unauthenticatedBulkLength
  /// Another byte than `$` where an argument begins.
  case expectedBulk(UInt8)
  /// An argument is not followed by CR LF.
  case bulkTrailer
  case requestTooLarge
  case inlineTooLong
  case unbalancedQuotes

  /// The error reply's text, without the `-`. Where Redis has the error the text is Redis' own: clients match on it.
  package var reply: String {
    switch self {
    case .multibulkLength: "ERR Protocol error: invalid multibulk length"
    case .bulkLength: "ERR Protocol error: invalid bulk length"
    case .unauthenticatedMultibulkLength: "ERR Protocol error: unauthenticated multibulk length"
    case .unauthenticatedBulkLength: "ERR Protocol error: unauthenticated bulk length"
    case .expectedBulk(let byte): "ERR Protocol error: expected '$', got '\(Self.printable(byte))'"
    case .bulkTrailer: "ERR Protocol error: an argument is longer than its length says"
    case .requestTooLarge: "ERR Protocol error: the request is too large"
    case .inlineTooLong: "ERR Protocol error: too big inline request"
    case .unbalancedQuotes: "ERR Protocol error: unbalanced quotes in request"
    }
  }

  private static func printable(_ byte: UInt8) -> String {
    (0x20...0x7E).contains(byte) ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
  }
}
