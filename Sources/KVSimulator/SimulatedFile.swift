import Glibc
import KVCluster

/// A file's bytes as programs see them, and what of them a loss of power would leave.
///
/// Handles may be many, and names may come and go; the bytes stay as long as anyone holds them, as in a real file system.
final class SimulatedInode {
  static let sectorBytes = 512
  private static let pageBytes = 4_096

  let base: UnsafeMutableRawPointer
  /// Address space; bytes from ``byteCount`` on must not be touched.
  let capacity: Int
  private(set) var byteCount = 0
  private(set) var durable: [UInt8] = []
  /// If the file is staged, its bytes: what is stored at ``base`` is its program's alone until it is written.
  private var written: [UInt8]?
  /// Sectors that a failed sync has declared clean although they are not on the disk, and their bytes: a later sync
  /// writes them only if they have changed again.
  private var abandoned: [(sector: Int, bytes: [UInt8])] = []
  var syncs = 0
  /// Open in this life of the program.
  private var handles = 0

  init(capacity: Int, isStaged: Bool = false) {
    self.capacity = capacity
    if isStaged { written = [] }
    // Whole pages matter to segments alone.
    base = .allocate(
      byteCount: max(capacity, 1), alignment: capacity < SimulatedInode.pageBytes ? 16 : SimulatedInode.pageBytes)
    memset(base, 0, capacity)
  }

  deinit { base.deallocate() }

  convenience init(bytes: [UInt8], isStaged: Bool = false) {
    self.init(capacity: bytes.count)
    if isStaged { written = bytes }
    byteCount = bytes.count
    bytes.withUnsafeBytes { if $0.count > 0 { memcpy(base, $0.baseAddress!, $0.count) } }
    durable = bytes
  }

  /// The same file, with room up to `capacity` bytes.
  func copy(capacity: Int) -> SimulatedInode {
    let copy = SimulatedInode(capacity: max(capacity, self.capacity))
    memcpy(copy.base, base, byteCount)
    copy.byteCount = byteCount
    copy.durable = durable
    copy.written = written
    copy.abandoned = abandoned
    return copy
  }

  /// While no program has it open.
  func change(isStaged: Bool) { written = isStaged ? bytes : nil }

  var bytes: [UInt8] { written ?? stored }

  private var stored: [UInt8] { Array(UnsafeRawBufferPointer(start: base, count: byteCount)) }

  private func store(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { if $0.count > 0 { memcpy(base, $0.baseAddress!, $0.count) } }
  }

  func write(_ range: Range<Int>) {
    written?.replaceSubrange(range, with: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// The program gives its copies of the range's whole pages back: it sees the file's bytes there again.
  func giveBack(_ range: Range<Int>) {
    let first = range.lowerBound & ~(SimulatedInode.pageBytes - 1)
    let end = min(range.upperBound & ~(SimulatedInode.pageBytes - 1), byteCount)
    guard let written, end > first else { return }
    written.withUnsafeBytes { _ = memcpy(base + first, $0.baseAddress! + first, end - first) }
  }

  /// Lets `body` see the file's bytes at ``base``.
  private func asFile(_ body: () -> Void) {
    guard let written else { return body() }
    let own = stored
    store(written)
    body()
    self.written = stored
    store(own)
  }

  func open() { handles += 1 }

  /// With the last handle goes what was not written.
  func close() {
    handles -= 1
    if handles == 0 { end() }
  }

  /// The program is gone, and what it had not written.
  func end() {
    handles = 0
    if let written { store(written) }
  }

  /// Makes the file longer; its new bytes are zero, on the disk too.
  func extend(to byteCount: Int) {
    guard byteCount > self.byteCount else { return }
    let zeros = [UInt8](repeating: 0, count: byteCount - self.byteCount)
    durable += zeros
    written? += zeros
    self.byteCount = byteCount
  }

  /// A store past a mapped file's end is a SIGBUS.
  func checkBounds(_ path: String) {
    let rest = capacity - byteCount
    guard rest > 0 else { return }
    let tail = UnsafeRawBufferPointer(start: base + byteCount, count: rest)
    let isUntouched = tail[0] == 0 && memcmp(tail.baseAddress!, tail.baseAddress! + 1, rest - 1) == 0
    precondition(isUntouched, "SIGBUS: a store beyond the \(byteCount) bytes of \(path)")
  }

  private func sector(_ number: Int) -> Range<Int> {
    let start = number * SimulatedInode.sectorBytes
    return start..<min(start + SimulatedInode.sectorBytes, byteCount)
  }

  /// A byte of the first sector from `start` on whose bytes are not on the disk; `nil` if all are.
  private func firstUnsynced(from start: Int) -> Int? {
    durable.withUnsafeBytes { durable in
      var start = start
      while start < byteCount {
        // Most of a segment is as it was.
        let count = min(byteCount - start, 64 * SimulatedInode.sectorBytes)
        if memcmp(durable.baseAddress! + start, base + start, count) != 0 { break }
        start += count
      }
      while start < byteCount {
        let count = min(byteCount - start, SimulatedInode.sectorBytes)
        if memcmp(durable.baseAddress! + start, base + start, count) != 0 { return start }
        start += count
      }
      return nil
    }
  }

  /// Calls `body` with each sector whose bytes are not on the disk.
  private func forEachUnsynced(_ body: (_ number: Int, Range<Int>) -> Void) {
    var start = 0
    while let first = firstUnsynced(from: start) {
      let number = first / SimulatedInode.sectorBytes
      let range = sector(number)
      body(number, range)
      start = range.upperBound
    }
  }

  private func isAbandoned(_ number: Int, _ range: Range<Int>) -> Bool {
    abandoned.contains { entry in
      entry.sector == number
        && entry.bytes.withUnsafeBytes { memcmp($0.baseAddress!, base + range.lowerBound, range.count) } == 0
    }
  }

  private func keep(_ range: Range<Int>) {
    durable.replaceSubrange(range, with: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  private func revert(_ range: Range<Int>) {
    durable.withUnsafeBytes { _ = memcpy(base + range.lowerBound, $0.baseAddress! + range.lowerBound, range.count) }
  }

  func sync() {
    syncs += 1
    // As a rule the program has written all that it has stored; then there is nothing to swap.
    if hasWrittenAll { keepAll() } else { asFile(keepAll) }
  }

  private var hasWrittenAll: Bool {
    guard let written, byteCount > 0 else { return true }
    return written.withUnsafeBytes { memcmp(base, $0.baseAddress!, byteCount) } == 0
  }

  private func keepAll() {
    forEachUnsynced { number, range in
      if !isAbandoned(number, range) { keep(range) }
    }
    if !abandoned.isEmpty { abandoned = abandoned.filter { isAbandoned($0.sector, sector($0.sector)) } }
  }

  /// A sync that fails: each sector was written, or its new bytes are gone, or they stay in memory and count as written.
  /// - Parameter keepingNone: all of them stay in memory.
  func failSync(_ random: inout SeededRandom, keepingNone: Bool) {
    asFile {
      forEachUnsynced { number, range in
        switch keepingNone ? 2 : random.below(3) {
        case 0: keep(range)
        case 1: revert(range)
        default:
          abandoned.append((number, Array(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))))
        }
      }
    }
  }

  /// Each sector that was not synced is old or new.
  func losePower(_ random: inout SeededRandom, isKeepingNone: Bool) {
    end()
    let isKeepingNone = random.chance(perMille: 150) || isKeepingNone
    forEachUnsynced { number, range in
      if !isKeepingNone, !isAbandoned(number, range), random.chance(perMille: 500) {
        keep(range)
      } else {
        revert(range)
      }
    }
    abandoned = []
    if written != nil { written = stored }
  }

  func flip(at offset: Int, mask: UInt8) {
    precondition(offset < byteCount, "no byte \(offset) in a file of \(byteCount)")
    (base + offset).storeBytes(of: base.load(fromByteOffset: offset, as: UInt8.self) ^ mask, as: UInt8.self)
    durable[offset] ^= mask
    written?[offset] ^= mask
  }
}

/// An open segment of a ``SimulatedDisk``. What a process has open ends with it: after a crash every call throws.
final class SimulatedFile: SegmentFile, @unchecked Sendable {
  let disk: SimulatedDisk
  let inode: SimulatedInode
  var path: String
  private(set) var byteCount: Int
  let capacity: Int
  /// The life of the process that opened it.
  let life: Int
  private var isClosed = false

  var base: UnsafeMutableRawPointer { inode.base }

  init(_ disk: SimulatedDisk, _ inode: SimulatedInode, path: String, capacity: Int, life: Int) {
    self.disk = disk
    self.inode = inode
    self.path = path
    self.capacity = max(capacity, inode.byteCount)
    self.life = life
    byteCount = inode.byteCount
    inode.open()
  }

  func grow(to byteCount: Int) throws(StorageError) {
    guard byteCount > self.byteCount else { return }
    precondition(byteCount <= capacity, "a segment of \(capacity) bytes cannot grow to \(byteCount)")
    try disk.grow(self, to: byteCount)
    self.byteCount = byteCount
  }

  func sync() throws(StorageError) { try disk.sync(self) }

  var isStaged: Bool { disk.isStaged }
  func write(_ range: Range<Int>) throws(StorageError) { try disk.write(self, range) }
  func prepareToWrite(_ range: Range<Int>) {}
  func finishWriting(_ range: Range<Int>) { disk.giveBack(self, range) }

  /// The handle goes, the file stays.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    if life == disk.life { inode.close() }
  }
}
