import Synchronization

/// The small file beside the configuration, and in each node's folder, that bounds the tags handed out so far, and the times
/// at which values have been seen to expire.
struct TagLease: Equatable {
  /// Tags drawn have smaller counters.
  var tagsBelow: UInt64
  /// Values that expire after this time have not been seen to be expired; Unix milliseconds, 0 if none has.
  var expiredBy: UInt64 = 0

  /// Where the configuration lies.
  static let clusterFolder = ""

  static func path(_ folder: String) -> String { folder.isEmpty ? "lease" : "\(folder)/lease" }

  func write(to disk: any Disk, folder: String) throws(StorageError) {
    let times = expiredBy == 0 ? "" : "expired by \(expiredBy)\n"
    let version = expiredBy == 0 ? 1 : 2
    try disk.replace(
      Self.path(folder), with: CheckedText.encode("kvstore tag lease \(version)\nbelow \(tagsBelow)\n\(times)"))
  }

  /// `nil` if there is no readable lease.
  static func read(from disk: any Disk, folder: String) throws(StorageError) -> TagLease? {
    guard let bytes = try disk.read(path(folder)), let body = CheckedText.decode(bytes) else { return nil }
    let lines = body.split(separator: "\n")
    guard lines.count >= 2, let version = Int(lines[0].trimmingPrefix("kvstore tag lease ")),
      version == lines.count - 1,
      (1...2).contains(version), let tags = number(lines[1], after: "below "), tags <= Tag.counterMax
    else { return nil }
    guard version == 2 else { return TagLease(tagsBelow: tags) }
    guard let time = number(lines[2], after: "expired by "), time <= Expiry.timeMax else { return nil }
    return TagLease(tagsBelow: tags, expiredBy: time)
  }

  private static func number(_ line: Substring, after word: String) -> UInt64? {
    line.hasPrefix(word) ? UInt64(line.dropFirst(word.count)) : nil
  }
}

/// Writes the leases of one data folder: beside the configuration, and into the folders of the nodes that answer.
final class Leases: Sendable {
  private let disk: any Disk
  private let logFolders: @Sendable () -> [String]
  private let before: @Sendable () throws(StorageError) -> Void
  private let lease = Mutex(TagLease(tagsBelow: 0))

  /// - Parameter before: is done before each lease.
  init(
    _ disk: any Disk, logFolders: @escaping @Sendable () -> [String],
    before: @escaping @Sendable () throws(StorageError) -> Void
  ) {
    (self.disk, self.logFolders, self.before) = (disk, logFolders, before)
  }

  /// The lease in force: what a node that comes back must write into its folder before it serves.
  var current: TagLease { lease.withLock { $0 } }

  /// What earlier lives of the cluster have left; call before the first ``raise(_:)``.
  func takeUp(expiredBy: UInt64) { lease.withLock { $0.expiredBy = expiredBy } }

  /// Makes a greater lease durable.
  func raise(_ change: (inout TagLease) -> Void) throws(StorageError) {
    try lease.withLock { lease throws(StorageError) in
      var wanted = lease
      change(&wanted)
      try before()
      try wanted.write(to: disk, folder: TagLease.clusterFolder)
      // One node's full disk must not keep the others from writing.
      for folder in logFolders() { try? wanted.write(to: disk, folder: folder) }
      lease = wanted
    }
  }
}
