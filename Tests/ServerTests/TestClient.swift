import Dispatch
import Glibc
import RESP

/// A client over a real socket, on a thread of its own: it waits, and tests' tasks do not.
final class TestClient: @unchecked Sendable {
  enum Failure: Error { case system(String), timedOut, closed }

  private let queue = DispatchQueue(label: "client")
  // Touched on the queue only.
  private var descriptor: Int32
  private var reader = ReplyReader()

  private init(_ descriptor: Int32) {
    self.descriptor = descriptor
    var timeout = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  convenience init(port: Int) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    try self.init(AF_INET, &address)
  }

  convenience init(socket path: String) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    try self.init(AF_UNIX, &address)
  }

  private convenience init<Address>(_ family: Int32, _ address: inout Address) throws {
    let descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue), 0)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard result == 0 else {
      Glibc.close(descriptor)
      throw Failure.system(String(cString: strerror(errno)))
    }
    self.init(descriptor)
  }

  private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result(catching: body)) }
    }
  }

  /// Sends bytes as they are.
  func send(_ bytes: [UInt8]) async throws {
    try await onThread { [self] in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { throw Failure.closed }
        rest = rest.dropFirst(count)
      }
    }
  }

  func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  /// Sends the same again and again until nobody takes any more for a moment; returns how many bytes were taken.
  func flood(_ bytes: [UInt8]) async throws -> Int {
    try await onThread { [self] in
      var timeout = timeval(tv_sec: 0, tv_usec: 500_000)
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
      var sent = 0
      while sent < 1 << 30 {
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count > 0 else { break }
        sent += count
      }
      return sent
    }
  }

  /// The next reply.
  func reply() async throws -> ReplyValue {
    try await onThread { [self] in
      while true {
        if let reply = try reader.next() { return reply }
        guard let bytes = try read(65_536) else { throw Failure.closed }
        reader.feed(bytes)
      }
    }
  }

  /// Whether the server closes the connection; replies that come before are dropped.
  func isClosed() async throws -> Bool {
    try await onThread { [self] in
      while try read(65_536) != nil {}
      return true
    }
  }

  /// The bytes up to the end of the connection.
  func rest() async throws -> [UInt8] {
    try await onThread { [self] in
      var all: [UInt8] = []
      while let bytes = try read(65_536) { all += bytes }
      return all
    }
  }

  /// `nil` at the end.
  private func read(_ count: Int) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = recv(descriptor, &bytes, count, 0)
    if got < 0, errno == EAGAIN { throw Failure.timedOut }
    // A connection that is cut while bytes wait is reset.
    return got <= 0 ? nil : Array(bytes[..<got])
  }

  /// Says that nothing more comes.
  func finishSending() async throws { try await onThread { [self] in _ = shutdown(descriptor, Int32(SHUT_WR)) } }

  func close() async throws {
    try await onThread { [self] in
      Glibc.close(descriptor)
      descriptor = -1
    }
  }

  /// One command's reply.
  func ask(_ words: String...) async throws -> ReplyValue { try await ask(words) }

  func ask(_ words: [String]) async throws -> ReplyValue {
    try await send(RequestWriter.bytes(words.map { Array($0.utf8) }))
    return try await reply()
  }
}
