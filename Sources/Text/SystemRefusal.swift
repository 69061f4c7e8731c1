import Glibc

/// Why the system refused a call, in its own words, with the way out where a limit or a file's owner stands behind it:
/// no message of the system names those.
package enum SystemRefusal {
  /// - Parameters:
  ///   - code: an `errno`.
  ///   - path: the file that was refused, if that is known as the system takes it.
  package static func words(_ code: Int32 = errno, path: String? = nil) -> String {
    let reason = String(cString: strerror(code))
    return advice(code, path).map { "\(reason); \($0)" } ?? reason
  }

  private static func advice(_ code: Int32, _ path: String?) -> String? {
    switch code {
    case EFBIG:
      let limit = limit(RLIMIT_FSIZE).map { " than \(Figures.bytes($0))" } ?? ""
      return "this process may not make a file larger\(limit): raise the limit (`ulimit -f unlimited`)"
    case EMFILE:
      let limit = limit(RLIMIT_NOFILE).map { "\($0)" } ?? "so many"
      return "this process may have \(limit) files open: raise the limit (`ulimit -n`)"
    case ENFILE: return "the whole machine has no file descriptor left (fs.file-max)"
    case EACCES, EPERM: return path.map(ownership)
    default: return nil
    }
  }

  /// The soft limit; `nil` without one.
  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
    return Int(exactly: limit.rlim_cur)
  }

  private static func ownership(_ path: String) -> String {
    let folder = dataFolder(of: path)
    var info = stat()
    if path.utf8.first == 0x2F, lstat(ByteText.path(path), &info) == 0, info.st_uid == geteuid() {
      return "its mode keeps its owner out: `chmod -R u+rwX \(folder)`"
    }
    return "it is another user's, perhaps after one run as root: `chown -R \(user) \(folder)` gives all of it back"
  }

  private static var user: String {
    guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "\(geteuid())" }
    return String(cString: name)
  }

  /// The folder that holds the folders of nodes, as far as a file's path tells.
  private static func dataFolder(of path: String) -> String {
    guard path.utf8.first == 0x2F else { return "DIR" }
    let parts = path.split(separator: "/")
    let end = parts.firstIndex { $0.hasSuffix(".wal") } ?? max(0, parts.count - 1)
    return "/" + parts[..<end].joined(separator: "/")
  }
}
