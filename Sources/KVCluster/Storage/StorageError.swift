import Glibc
import Text

/// The disk's faults, as one node sees them. Bugs of ours trap instead.
package enum StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No space for more records; what is stored stays readable.
  case diskFull(path: String)
  /// A call to the operating system failed.
  case io(operation: String, path: String, code: Int32)
  /// Bytes on disk are not what was written. Nothing was deleted.
  case damaged(path: String, offset: Int, reason: String)
  /// What is there is not a file that could be used as this one; nothing was changed.
  case unusable(path: String, reason: String)
  /// A whole segment of another log; nothing was changed. The log is that of `owner`, or of another cluster if that is `nil`.
  case foreign(path: String, node: String, owner: String?)
  /// The file was written by a newer version of kvstore.
  case newerFormat(path: String, version: UInt32)
  /// A log has at most 65,535 segments.
  case tooManySegments
  /// The node is closed.
  case closed

  var isDiskFull: Bool { if case .diskFull = self { true } else { false } }

  /// The system does not let this process open the file, which says nothing of what is in it.
  var isRefusal: Bool {
    guard case .io(_, _, let code) = self else { return false }
    return [EACCES, EPERM, EMFILE, ENFILE, ENOMEM].contains(code)
  }

  /// Why a write got no version, so that nothing was changed.
  var refusingWrite: ClusterError.Detail {
    if case .diskFull = self { return .init(description) }
    return .init("the write was refused, and nothing was changed: no version could be reserved for it (\(description))")
  }

  /// The fault with the steps that may mend it.
  var detail: ClusterError.Detail {
    switch self {
    case .foreign(_, _, .none): .init(description, advice: .repair(folder: nil))
    case .foreign(_, _, .some): .init(description, advice: .verify(folder: nil))
    default: .init(description)
    }
  }

  package var description: String {
    switch self {
    case .diskFull(let path):
      return "disk full while growing \(path): the write was refused, everything stored stays readable; free some space"
    case .io(let operation, let path, let code):
      return "\(operation) \(path): \(SystemRefusal.words(code, path: path))"
    case .damaged(let path, let offset, let reason):
      let isReplicated = path.hasSuffix(".segment")
      return "\(path) is damaged at byte \(offset): \(reason). Nothing was deleted"
        + (isReplicated ? "; the other replicas serve its keys" : "")
    case .unusable(let path, let reason):
      return "\(path) cannot be used: \(reason)"
    case .foreign(let path, let node, nil):
      return "\(path) cannot be used: it belongs to another cluster. Nothing was changed; close kvstore and put "
        + "\(node)'s own folder back, or move this one away"
    case .foreign(let path, let node, let owner?):
      return
        "\(path) cannot be used: it belongs to the log of \(owner), not of \(node). Nothing was changed; close kvstore "
        + "and put each node's folder back under its own name, this one as \(DataFolder.logFolder(owner))"
    case .newerFormat(let path, let version):
      return "\(path) has format \(version), this program reads \(LogFormat.version): use a newer kvstore"
    case .tooManySegments:
      return "the log has reached its 65,535 segments; delete keys and let compaction work, or add nodes"
    case .closed:
      return "the node is closed"
    }
  }
}
