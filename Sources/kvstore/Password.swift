import Faces
import Glibc
import Text

/// Passwords come from a file or the environment, never from the command line, where others could read them.
enum Password {
  /// The first line of a file, else the environment's `KVSTORE_PASSWORD`; `nil` without either.
  static func read(file: String?) throws -> [UInt8]? {
    guard let path = file else {
      guard let variable = ByteText.variable("KVSTORE_PASSWORD"), !variable.isEmpty else { return nil }
      return ByteText.decode(variable)
    }
    guard let file = fopen(path, "re") else {
      throw Refusal("cannot read the password from \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1_026)
    let isRead = fgets(&line, Int32(line.count), file) != nil
    let bytes = line.prefix { $0 != 0 && $0 != 0x0A && $0 != 0x0D }.map(UInt8.init(bitPattern:))
    guard isRead, !bytes.isEmpty, bytes.count <= 1_024 else {
      throw Refusal("the first line of \(path) is no password: it has 1 to 1024 bytes")
    }
    return bytes
  }
}
