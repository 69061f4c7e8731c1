import CKernels
import Glibc
import Synchronization
import Text

/// The disk seam over the operating system: files under one data folder.
package final class PosixDisk: Disk {
  private let root: String
  private let syncFaults = SyncFaults()
  private let isStaged: Bool

  /// - Parameter isStaged: whether what is stored in segments reaches them only when it is written; see
  ///   ``PosixSegmentFile``.
  package init(root: String, isStaged: Bool = false) {
    self.root = root
    self.isStaged = isStaged
  }

  package func names(in folder: String) throws(StorageError) -> [String] {
    guard let directory = opendir(place(folder)) else {
      if errno == ENOENT { return [] }
      throw failure("list", folder)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in ByteText.encode(bytes.prefix { $0 != 0 }) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// About 1 µs. A file system that does not say is taken to have room.
  package var freeBytes: Int {
    var info = statvfs()
    guard statvfs(place(""), &info) == 0 else { return .max }
    return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
  }

  package func makeFolder(_ path: String) throws(StorageError) {
    if mkdir(place(path), 0o700) != 0, errno != EEXIST { throw failure("make folder", path) }
    try syncFolder(of: path)
  }

  package func removeFolder(_ path: String) throws(StorageError) {
    for name in try names(in: path) {
      if unlink(place("\(path)/\(name)")) != 0 { throw failure("remove", "\(path)/\(name)") }
    }
    if rmdir(place(path)) != 0, errno != ENOENT { throw failure("remove folder", path) }
    try syncFolder(of: path)
  }

  package func read(_ path: String) throws(StorageError) -> [UInt8]? {
    guard let fd = try PosixDisk.openFile(absolute(path), O_RDONLY) else { return nil }
    defer { Glibc.close(fd) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = Glibc.read(fd, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("read", path)
      }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  private static let notRegular = "it is not a regular file; nothing was changed"

  /// Opens a file that is there; `nil` if none is. Whatever else has its name, a pipe for instance, is refused: opening
  /// or reading it might never end.
  static func openFile(_ path: String, _ flags: Int32) throws(StorageError) -> Int32? {
    let fd = Glibc.open(ByteText.path(path), flags | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    if fd < 0 {
      if errno == ENOENT { return nil }
      if errno == ENXIO || errno == EISDIR || errno == ELOOP { throw .unusable(path: path, reason: notRegular) }
      throw .io(operation: "open", path: path, code: errno)
    }
    do throws(StorageError) {
      var info = stat()
      guard fstat(fd, &info) == 0 else { throw .io(operation: "stat", path: path, code: errno) }
      guard info.st_mode & S_IFMT == S_IFREG else { throw .unusable(path: path, reason: notRegular) }
      try LogFormat.checkLength(Int(info.st_size), onDisk: Int(info.st_blocks) * 512, of: path)
      return fd
    } catch {
      Glibc.close(fd)
      throw error
    }
  }

  package func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    let temporary = path + ".new"
    // What a crash left there goes, and nothing else is written to in its place: not a pipe, nor where a link leads.
    if unlink(place(temporary)) != 0, errno != ENOENT { throw failure("remove", temporary) }
    let fd = Glibc.open(place(temporary), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    if fd < 0 { throw failure("create", temporary) }
    do throws(StorageError) {
      try produce { bytes throws(StorageError) in try write(bytes, to: fd, temporary) }
      if fsync(fd) != 0 { throw failure("sync", temporary) }
    } catch {
      Glibc.close(fd)
      unlink(place(temporary))
      throw error
    }
    Glibc.close(fd)
    if Glibc.rename(place(temporary), place(path)) != 0 { throw failure("rename", temporary) }
    try syncFolder(of: path)
  }

  private func write(_ bytes: UnsafeRawBufferPointer, to fd: Int32, _ path: String) throws(StorageError) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(fd, bytes.baseAddress! + written, bytes.count - written)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { throw failure("write", path) }
      written += count
    }
  }

  package func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    let fd = Glibc.open(place(path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if fd < 0 { throw failure("create", path) }
    do throws(StorageError) {
      let file = try PosixSegmentFile(
        path: path, in: root, fd: fd, capacity: capacity, isStaged: isStaged, syncFaults: syncFaults)
      try syncFolder(of: path)
      return file
    } catch {
      unlink(place(path))
      throw error
    }
  }

  package func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    guard let fd = try PosixDisk.openFile(absolute(path), O_RDWR) else {
      throw .io(operation: "open", path: absolute(path), code: ENOENT)
    }
    return try PosixSegmentFile(
      path: path, in: root, fd: fd, capacity: capacity, isStaged: isStaged, syncFaults: syncFaults)
  }

  package func rename(_ file: any SegmentFile, to path: String) throws(StorageError) {
    guard let file = file as? PosixSegmentFile else { preconditionFailure("a segment of another disk") }
    if Glibc.rename(place(file.path), place(path)) != 0 { throw failure("rename", file.path) }
    file.path = path
    kv_mapping_rename(file.base, place(path))
    try syncFolder(of: path)
  }

  package func remove(_ path: String) throws(StorageError) {
    if unlink(place(path)) != 0, errno != ENOENT { throw failure("remove", path) }
    try syncFolder(of: path)
  }

  // MARK: - Faults to play with

  /// Flips the bits of one byte of a file.
  func flip(_ path: String, at offset: Int) throws(StorageError) {
    let fd = Glibc.open(place(path), O_RDWR | O_CLOEXEC)
    if fd < 0 { throw failure("open", path) }
    defer { Glibc.close(fd) }
    var byte: UInt8 = 0
    guard pread(fd, &byte, 1, off_t(offset)) == 1 else { throw failure("read", path) }
    byte = ~byte
    guard pwrite(fd, &byte, 1, off_t(offset)) == 1 else { throw failure("write", path) }
  }

  /// The next sync of a segment in the folder fails.
  func failNextSync(in folder: String) { syncFaults.add(folder) }

  private func absolute(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  /// The path as the system takes it.
  private func place(_ path: String) -> [CChar] { ByteText.path(absolute(path)) }

  /// A new or renamed entry is durable only once its folder is synced.
  private func syncFolder(of path: String) throws(StorageError) {
    let parent = path.split(separator: "/").dropLast().joined(separator: "/")
    let fd = Glibc.open(place(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if fd < 0 { throw failure("open folder", parent) }
    let result = fsync(fd)
    let error = failure("sync folder", parent)
    Glibc.close(fd)
    if result != 0 { throw error }
  }

  private func failure(_ operation: String, _ path: String) -> StorageError {
    errno == ENOSPC || errno == EDQUOT
      ? .diskFull(path: absolute(path)) : .io(operation: operation, path: absolute(path), code: errno)
  }
}

/// Syncs that shall fail, by folder.
final class SyncFaults: Sendable {
  private let folders = Mutex<[String]>([])

  func add(_ folder: String) { folders.withLock { $0.append(folder) } }

  /// Whether the sync of this file fails; once.
  func takes(_ path: String) -> Bool {
    folders.withLock { folders in
      guard let i = folders.firstIndex(where: { path.hasPrefix($0 + "/") }) else { return false }
      folders.remove(at: i)
      return true
    }
  }
}

/// A segment mapped with room to grow: the address range is reserved once, the file grows under it.
///
/// Space is allocated on disk before it is touched (`posix_fallocate`), so a full disk is an error here and never a
/// SIGBUS at a store; and it is written with zeros. Without that, each first store to a page has to have its
/// blocks converted from "allocated" to "written" in the file system's journal, which an fdatasync of the same file
/// holds: measured with `everysec`, the rate of puts fell to a tenth for a third of every second. (Pages that begin and
/// end between the zeros' writes would be zeroed twice, hence whole pages only.) The zeros are put on the disk where each
/// write is synced. Where not, that wrote everything twice: 15 seconds of puts went from 647,000 and 493,000 to 693,000
/// and 627,000 a second, the longest from 161 and 114 to 48 and 39 ms, on a machine that was busy otherwise.
///
/// Where bytes must survive a `kill -9` at once, the mapping is shared: a store is in the page cache. Its price is paid
/// at each sync: the pages must be taken from the writers' page tables, with an interrupt to every core, and fault again
/// at the next store. That is little once a second and much several thousand times a second. So where nothing counts before a sync
/// anyway, the file is *staged*: the mapping is private, stores go to copies of pages, and ``write(_:)`` hands them to
/// the file in one call before the sync. Readers notice nothing: the copy and, once it is given back, the page of the
/// file are at the same address and say the same. Measured with 256 durable writers, two alternating runs: 171,000 and
/// 165,000 puts a second before, 298,000 and 341,000 staged (and with zeros written in whole pages).
final class PosixSegmentFile: SegmentFile, @unchecked Sendable {
  /// Changed only while one owner has the file, between two uses.
  fileprivate(set) var path: String
  let base: UnsafeMutableRawPointer
  let capacity: Int
  let isStaged: Bool
  private let fd: Int32
  private let syncFaults: SyncFaults
  private let growing = Mutex<Void>(())
  /// Taken inside `growing`, if both are.
  private let mapping = Mutex<Void>(())
  /// Guarded by `mapping`; changed with `growing` held too.
  private var isClosed = false
  /// Written under `growing`, read by anyone.
  private let allocated: Atomic<Int>

  private static let pageBytes = 4_096
  /// The size of the writes that bring the zeros also decides the size of the pieces they are cached in: large ones cost
  /// fewer faults.
  private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

  var byteCount: Int { allocated.load(ordering: .acquiring) }

  init(path: String, in root: String, fd: Int32, capacity: Int, isStaged: Bool, syncFaults: SyncFaults)
    throws(StorageError)
  {
    var info = stat()
    guard fstat(fd, &info) == 0 else {
      Glibc.close(fd)
      throw .io(operation: "stat", path: path, code: errno)
    }
    let room = max(capacity, Int(info.st_size))
    let flags = isStaged ? MAP_PRIVATE : MAP_SHARED
    guard let map = mmap(nil, room, PROT_READ | PROT_WRITE, flags, fd, 0), map != MAP_FAILED else {
      Glibc.close(fd)
      throw .io(operation: "map", path: path, code: errno)
    }
    self.path = path
    self.fd = fd
    self.capacity = room
    self.isStaged = isStaged
    self.syncFaults = syncFaults
    base = map
    kv_mapping_add(map, room, ByteText.path("\(root)/\(path)"))
    allocated = Atomic(Int(info.st_size))
  }

  func grow(to byteCount: Int) throws(StorageError) {
    let pages = (byteCount + PosixSegmentFile.pageBytes - 1) & ~(PosixSegmentFile.pageBytes - 1)
    try growing.withLock { _ throws(StorageError) in try growLocked(to: min(pages, max(capacity, byteCount))) }
  }

  private func growLocked(to byteCount: Int) throws(StorageError) {
    let from = self.byteCount
    guard byteCount > from else { return }
    if isClosed { throw .closed }
    precondition(byteCount <= capacity, "a segment of \(capacity) bytes cannot grow to \(byteCount)")
    var result: Int32
    repeat { result = posix_fallocate(fd, off_t(from), off_t(byteCount - from)) } while result == EINTR
    guard result == 0 else {
      throw result == ENOSPC || result == EDQUOT
        ? .diskFull(path: path) : .io(operation: "allocate", path: path, code: result)
    }
    try fillWithZeros(from: from, to: byteCount)
    allocated.store(byteCount, ordering: .releasing)
  }

  private func fillWithZeros(from: Int, to end: Int) throws(StorageError) {
    var at = from
    while at < end {
      let zeros = PosixSegmentFile.zeros
      let count = zeros.withUnsafeBytes { pwrite(fd, $0.baseAddress, min($0.count, end - at), off_t(at)) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw errno == ENOSPC ? .diskFull(path: path) : .io(operation: "write", path: path, code: errno)
      }
      // Only what is synced for every write need not find its blocks new: else what is stored meanwhile is written in
      // place of the zeros, once. Not fdatasync, which would write what is being appended as well. One piece at a time:
      // an fdatasync of the file waits for all that is on its way to the disk.
      if isStaged, kv_write_back(fd, Int64(at), Int64(count)) != 0 { try sync() }
      at += count
    }
  }

  func write(_ range: Range<Int>) throws(StorageError) {
    guard isStaged else { return }
    var at = range.lowerBound
    while at < range.upperBound {
      let count = pwrite(fd, base + at, range.upperBound - at, off_t(at))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .io(operation: "write", path: path, code: errno) }
      at += count
    }
  }

  func sync() throws(StorageError) {
    if syncFaults.takes(path) { throw .io(operation: "fdatasync", path: path, code: EIO) }
    // fdatasync also writes pages dirtied through the mapping; measured faster than msync of the range.
    if fdatasync(fd) != 0 { throw .io(operation: "fdatasync", path: path, code: errno) }
  }

  var isDeleted: Bool {
    mapping.withLock { _ in
      var info = stat()
      return !isClosed && fstat(fd, &info) == 0 && info.st_nlink == 0
    }
  }

  func prepareToWrite(_ range: Range<Int>) {
    let first = range.lowerBound & ~(PosixSegmentFile.pageBytes - 1)
    let end = min(range.upperBound, byteCount)
    guard end > first else { return }
    mapping.withLock { _ in
      if !isClosed { madvise(base + first, end - first, PosixSegmentFile.populateForWriting) }
    }
  }

  /// Of a shared mapping: a sync takes each page that may be written from the page tables, with an interrupt to every
  /// core for each; measured, those took a fifth of the time of puts. Taken from the tables all at once beforehand it is
  /// one interrupt; a reader gets them back, read-only, sixteen at a time. Of a private one: gives the copies back.
  func finishWriting(_ range: Range<Int>) {
    let mask = ~(PosixSegmentFile.pageBytes - 1)
    let first = range.lowerBound & mask
    // The copy of a page that is half written must stay.
    let end = min((isStaged ? range.upperBound : range.upperBound + PosixSegmentFile.pageBytes - 1) & mask, capacity)
    mapping.withLock { _ in
      if end > first, !isClosed { madvise(base + first, end - first, Int32(MADV_DONTNEED)) }
    }
  }

  /// MADV_POPULATE_WRITE of Linux 5.14; on an older system it fails and changes nothing.
  private static let populateForWriting: Int32 = 23

  func close() {
    // Whoever makes room or gives pages back does not hold the log: neither may happen to memory or a descriptor that
    // already belongs to someone else.
    growing.withLock { _ in
      mapping.withLock { _ in
        guard !isClosed else { return }
        isClosed = true
        kv_mapping_remove(base)
        munmap(base, capacity)
        Glibc.close(fd)
      }
    }
  }

  deinit { close() }
}
