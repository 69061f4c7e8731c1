import Synchronization

/// The one monotone counter behind every tag of this process.
///
/// Tags must never repeat, not even after a crash, so the counter is leased: a bound is written durably beside the
/// configuration before a tag beyond the last bound is handed out, and into the folder of every node that answers and
/// has room; a start goes above every lease it can read. Drawing a tag is one atomic add and one comparison.
final class TagSource: Sendable {
  private let next = Atomic<UInt64>(1)
  private let bound = Atomic<UInt64>(1)
  private let extending = Mutex<Void>(())
  /// Makes a bound durable.
  private let writeLease: @Sendable (UInt64) throws(StorageError) -> Void

  init(writeLease: @escaping @Sendable (UInt64) throws(StorageError) -> Void) {
    self.writeLease = writeLease
  }

  /// Begins above every counter that may have been handed out; call once, before the first draw. Without room for a
  /// lease reads are served all the same, and whoever draws the first tag hears of it.
  func start(at first: UInt64) throws(StorageError) {
    next.store(first, ordering: .relaxed)
    bound.store(first, ordering: .releasing)
    do {
      try extend()
    } catch {
      guard case .diskFull = error else { throw error }
    }
  }

  @inline(__always)
  func draw() throws(StorageError) -> Tag {
    let counter = next.wrappingAdd(1, ordering: .relaxed).oldValue
    if counter >= bound.load(ordering: .acquiring) { try waitForLease(counter) }
    return Tag(counter: counter, coordinator: 0)
  }

  /// Extends the lease ahead of need; call now and then from a background thread.
  func extendEarly() throws(StorageError) {
    if next.load(ordering: .relaxed) &+ Limits.tagLease / 2 > bound.load(ordering: .relaxed) { try extend() }
  }

  /// The bound in force: what a node that comes back must write into its folder before it serves.
  var lease: UInt64 { bound.load(ordering: .acquiring) }

  @inline(never)
  private func waitForLease(_ counter: UInt64) throws(StorageError) {
    while counter >= bound.load(ordering: .acquiring) { try extend() }
  }

  private func extend() throws(StorageError) {
    try extending.withLock { _ throws(StorageError) in
      let wanted = next.load(ordering: .relaxed) + Limits.tagLease
      guard wanted > bound.load(ordering: .relaxed) else { return }
      try writeLease(wanted)
      bound.store(wanted, ordering: .releasing)
    }
  }
}

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
