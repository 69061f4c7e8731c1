import ClusterModel
import Glibc

/// Whether this process may open the files of one more node.
///
/// Looked at before a node is added: the move of its data could neither begin nor give up without them.
enum FileRoom {
  /// The node's own few, and some to spare for clients.
  static let filesOfNode = 8

  /// - Throws: ``ClusterError/refused(_:)``, which names the limit.
  static func check() throws(ClusterError) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
      return
    }
    let open = openCount()
    guard open.map({ rlim_t($0 + filesOfNode) > limit.rlim_cur }) ?? true else { return }
    throw .noRoomForFiles(limit: Int(clamping: limit.rlim_cur), open: open, needed: filesOfNode)
  }

  /// `nil` if there is no room to look.
  private static func openCount() -> Int? {
    guard let folder = opendir("/proc/self/fd") else { return errno == EMFILE || errno == ENFILE ? nil : 0 }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) { if entry.pointee.d_name.0 != 0x2E { count += 1 } }
    return count - 1
  }
}
