import Synchronization

/// Bounds that outlive the program, in small files beside the configuration and in each node's folder: `lease`, of the tags
/// handed out so far, and, once there are values that expire, `clock`, of the times by which values have expired.
struct TagLease: Equatable {
  /// Tags drawn have smaller counters.
  var tagsBelow: UInt64
  /// Values that expire after this time have not been seen to be expired; Unix milliseconds, 0 if none has.
  var expiredBy: UInt64 = 0

  /// Where the configuration lies.
  static let clusterFolder = ""

  static func path(_ folder: String) -> String { path(folder, "lease") }
  static func clockPath(_ folder: String) -> String { path(folder, "clock") }
  private static func path(_ folder: String, _ name: String) -> String { folder.isEmpty ? name : "\(folder)/\(name)" }

  /// - Parameter known: what the folder has already.
  func write(to disk: any Disk, folder: String, replacing known: TagLease? = nil) throws(StorageError) {
    if tagsBelow != known?.tagsBelow {
      try disk.replace(Self.path(folder), with: CheckedText.encode("kvstore tag lease 1\nbelow \(tagsBelow)\n"))
    }
    if expiredBy != known?.expiredBy ?? 0 {
      try disk.replace(Self.clockPath(folder), with: CheckedText.encode("kvstore clock 1\nexpired by \(expiredBy)\n"))
    }
  }

  /// `nil` if there is no readable lease.
  static func read(from disk: any Disk, folder: String) throws(StorageError) -> TagLease? {
    guard let tags = try number(path(folder), of: disk, "kvstore tag lease 1", "below "), tags <= Tag.counterMax else {
      return nil
    }
    return TagLease(tagsBelow: tags, expiredBy: try readClock(from: disk, folder: folder) ?? 0)
  }

  /// `nil` if no value has expired yet, or the file is not readable.
  static func readClock(from disk: any Disk, folder: String) throws(StorageError) -> UInt64? {
    let time = try number(clockPath(folder), of: disk, "kvstore clock 1", "expired by ")
    return time.flatMap { $0 <= Expiry.timeMax ? $0 : nil }
  }

  /// The number in a file of two lines.
  private static func number(
    _ path: String, of disk: any Disk, _ title: String, _ word: String
  ) throws(StorageError) -> UInt64? {
    guard let bytes = try disk.read(path), let body = CheckedText.decode(bytes) else { return nil }
    let lines = body.split(separator: "\n")
    guard lines.count == 2, lines[0] == title, lines[1].hasPrefix(word) else { return nil }
    return UInt64(lines[1].dropFirst(word.count))
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
      try wanted.write(to: disk, folder: TagLease.clusterFolder, replacing: lease)
      // One node's full disk must not keep the others from writing.
      for folder in logFolders() { try? wanted.write(to: disk, folder: folder, replacing: lease) }
      lease = wanted
    }
  }
}
