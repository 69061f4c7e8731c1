/// Paths that name a file of the program's user.
package enum HomePath {
  /// `~/x` as a shell reads it: a line that is typed at our prompt, or completed, passes no shell.
  package static func expanded(_ path: [UInt8]) -> [UInt8] {
    guard path.starts(with: "~/".utf8), let home = ByteText.variable("HOME") else { return path }
    return ByteText.decode(home) + path.dropFirst()
  }

  /// The same for text that may stand for any bytes; see ``ByteText``.
  package static func expanded(_ path: String) -> String { ByteText.encode(expanded(ByteText.decode(path))) }
}
