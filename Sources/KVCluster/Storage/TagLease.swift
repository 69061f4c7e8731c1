/// The small file beside the configuration, and in each node's folder, that bounds the tags handed out so far.
enum TagLease {
  /// Where the configuration lies.
  static let clusterFolder = ""

  static func path(_ folder: String) -> String { folder.isEmpty ? "lease" : "\(folder)/lease" }

  static func write(_ bound: UInt64, to disk: any Disk, folder: String) throws(StorageError) {
    try disk.replace(path(folder), with: CheckedText.encode("kvstore tag lease 1\nbelow \(bound)\n"))
  }

  /// The bound, or `nil` if there is no readable lease.
  static func read(from disk: any Disk, folder: String) throws(StorageError) -> UInt64? {
    guard let bytes = try disk.read(path(folder)), let body = CheckedText.decode(bytes) else { return nil }
    let lines = body.split(separator: "\n")
    guard lines.count == 2, lines[0] == "kvstore tag lease 1", lines[1].hasPrefix("below ") else { return nil }
    // A bound beyond what tags can have was never written.
    return UInt64(lines[1].dropFirst(6)).flatMap { $0 <= Tag.counterMax ? $0 : nil }
  }
}
