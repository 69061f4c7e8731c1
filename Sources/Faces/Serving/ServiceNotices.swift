import Glibc
import Text

/// Tells systemd how the service is (`Type=notify`): a datagram to the socket that `NOTIFY_SOCKET` names; nothing without it.
struct ServiceNotices: Sendable {
  private let path: [UInt8]?

  init(path: String? = ByteText.variable("NOTIFY_SOCKET")) {
    guard var bytes = path.map({ Array($0.utf8) }), bytes.count > 1 else {
      self.path = nil
      return
    }
    // A name that begins with @ is in the system's own space, where it begins with NUL.
    if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
    self.path = bytes
  }

  func send(_ state: String) {
    var address = sockaddr_un()
    guard let path, path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let length = MemoryLayout<sa_family_t>.size + path.count
    let bytes = Array(state.utf8)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
      }
    }
  }
}
