/// Where a server listens and who may come in.
package struct ServerOptions: Sendable {
  /// An address of the network.
  package struct Address: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    /// 0 lets the system choose.
    package var port: Int

    package init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// `host:port` or `[host]:port`, or a port alone, which is one of 127.0.0.1; `nil` if it is none of them.
    package init?(_ text: String) {
      let colon = text.lastIndex(of: ":")
      let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
      guard let port = Int(digits), (0...65_535).contains(port) else { return nil }
      var host = colon.map { text[..<$0] } ?? "127.0.0.1"
      if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
      guard !host.isEmpty else { return nil }
      self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  package var addresses: [Address]
  /// Unix sockets, made with mode 0600; what is left at such a path of a server that is gone is replaced.
  package var sockets: [String]
  /// What `AUTH` must say on addresses; sockets need none, their files' mode decides. `nil`: only this machine may come in.
  package var password: [UInt8]?
  /// Seconds after which a connection that says nothing is closed; 0: never.
  package var idleSeconds = 0
  package var limits = ServerLimits()
  /// Event loops, each with a thread.
  package var loops: Int

  package init(addresses: [Address] = [], sockets: [String] = [], password: [UInt8]? = nil, loops: Int) {
    self.addresses = addresses
    self.sockets = sockets
    self.password = password
    self.loops = loops
  }
}

/// Why a server cannot start.
package struct ServerError: Error, CustomStringConvertible, Sendable {
  package let description: String
}
