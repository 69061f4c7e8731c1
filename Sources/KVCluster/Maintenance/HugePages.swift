import CKernels

/// Has the operating system put a store's busy memory into huge pages.
///
/// Index and cache are read at random places, and with small pages every access first misses the processor's table of
/// pages: measured, that took as long as the memory itself. Huge pages from the start would cost a small cluster a
/// hundred megabytes; so memory is moved into them piece by piece, once it is in use. Where the system cannot, nothing
/// changes.
struct HugePages {
  /// Pieces asked for, so that none is twice.
  private var done: Set<UInt> = []
  private var pending: [UInt] = []
  private var plannedFor = 0

  private static let pageBytes = UInt(KV_HUGE_PAGE_BYTES)
  /// An index of less memory is not worth the work.
  private static let indexBytesMin = 4 << 20

  var hasPending: Bool { !pending.isEmpty }

  /// Looks for memory that has come into use since the last call.
  mutating func plan(_ store: Store, withPartition: (_ partition: Int, _ body: () -> Void) -> Void) {
    var indexBytes = 0
    var cacheBytes = 0
    for number in 0..<Store.partitionCount {
      withPartition(number) {
        let stripe = store.stripes + number
        cacheBytes += stripe.pointee.cache.usedBytes
        stripe.pointee.index.forEachTable { indexBytes += $0.count }
      }
    }
    // Tables move when they grow: look again when they have grown by an eighth.
    guard indexBytes + cacheBytes > plannedFor + plannedFor / 8 else { return }
    plannedFor = indexBytes + cacheBytes
    if indexBytes >= HugePages.indexBytesMin {
      // The nodes of a cluster share the heap, so a piece holds tables of several indexes.
      var used: [UInt: Int] = [:]
      for number in 0..<Store.partitionCount {
        withPartition(number) {
          store.stripes[number].index.forEachTable { table in
            used[UInt(bitPattern: table.baseAddress) / HugePages.pageBytes, default: 0] += table.count
          }
        }
      }
      for (piece, bytes) in used where bytes > Int(HugePages.pageBytes / 8) { add(piece) }
    }
    let rings = store.stripeTable.rings
    if let start = rings.baseAddress, cacheBytes > rings.count / 4 {
      let first = (UInt(bitPattern: start) + HugePages.pageBytes - 1) / HugePages.pageBytes
      let end = UInt(bitPattern: start + rings.count) / HugePages.pageBytes
      for piece in first..<max(first, end) { add(piece) }
    }
    pending.sort()
  }

  private mutating func add(_ piece: UInt) {
    if done.insert(piece).inserted { pending.append(piece) }
  }

  /// Moves one piece: a few milliseconds.
  mutating func step() {
    guard let piece = pending.popLast() else { return }
    _ = kv_collapse(UnsafeMutableRawPointer(bitPattern: piece * HugePages.pageBytes))
  }
}
