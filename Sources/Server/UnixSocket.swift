import Glibc

/// Unix sockets, as far as the transport does not do what is needed.
package enum UnixSocket {
  /// Binds a socket whose file has mode 0600 before anybody can connect. What a server that is gone has left at the path is
  /// replaced.
  static func bind(_ path: String) throws(ServerError) -> Int32 {
    guard var address = address(path) else {
      throw ServerError(
        description: "the path of a socket has at most \(pathBytesMax) bytes, this one has \(path.utf8.count): \(path)")
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure("make a socket", path) }
    var isBound = call(Glibc.bind, descriptor, &address)
    if !isBound, errno == EADDRINUSE {
      guard !isListenedOn(&address) else {
        close(descriptor)
        throw ServerError(description: "another program listens on \(path)")
      }
      unlink(path)
      isBound = call(Glibc.bind, descriptor, &address)
    }
    guard isBound, chmod(path, 0o600) == 0 else {
      let failure = failure("listen on", path)
      close(descriptor)
      throw failure
    }
    return descriptor
  }

  /// As `sockaddr_un` has it, without the zero byte at the end.
  package static let pathBytesMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// Whether a server listens at a path. Costs two system calls.
  package static func isListenedOn(_ path: String) -> Bool {
    guard var address = address(path) else { return false }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return call(Glibc.connect, descriptor, &address)
  }

  private static func address(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count <= pathBytesMax else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return address
  }

  private static func isListenedOn(_ address: inout sockaddr_un) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return descriptor < 0 || call(Glibc.connect, descriptor, &address) || errno != ECONNREFUSED
  }

  private static func call(
    _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32, _ address: inout sockaddr_un
  ) -> Bool {
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  private static func failure(_ what: String, _ path: String) -> ServerError {
    ServerError(description: "cannot \(what) \(path): \(String(cString: strerror(errno)))")
  }
}
