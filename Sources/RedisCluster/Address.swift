/// Where a server listens.
package struct Address: Sendable, Hashable, CustomStringConvertible {
  package var host: String
  package var port: Int

  package init(_ host: String, _ port: Int) { (self.host, self.port) = (host, port) }

  /// Reads `host:port`, `[address]:port` or, as Redis writes it, an IPv6 address and a port with nothing between but a colon.
  /// The host may be empty; `nil` if there is no port from 1 to 65535.
  package init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (1...65_535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    (self.host, self.port) = (String(host), port)
  }

  /// `host:port`; an IPv6 address stands in brackets.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
