import Glibc

/// The disk seam for tools that must not change anything: what would write traps, for it would be a bug of ours.
///
/// Files are read into memory and not mapped: a sector that the disk cannot read is then an error with a place, and not
/// a SIGBUS that ends the program whose work is to find it.
final class ReadOnlyDisk: Disk {
  let root: String

  init(root: String) {
    self.root = root
  }

  func names(in folder: String) throws(StorageError) -> [String] { try PosixDisk(root: root).names(in: folder) }

  func read(_ path: String) throws(StorageError) -> [UInt8]? { try PosixDisk(root: root).read(path) }

  /// A copy of the file in memory.
  func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    guard let descriptor = try PosixDisk.openFile("\(root)/\(path)", O_RDONLY) else {
      throw .io(operation: "open", path: "\(root)/\(path)", code: ENOENT)
    }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw .io(operation: "stat", path: "\(root)/\(path)", code: errno) }
    return LoadedFile(path: path, descriptor, byteCount: Int(info.st_size))
  }

  func makeFolder(_ path: String) throws(StorageError) { refuse(path) }
  func removeFolder(_ path: String) throws(StorageError) { refuse(path) }
  func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) { refuse(path) }
  func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile { refuse(path) }
  func rename(_ file: any SegmentFile, to path: String) throws(StorageError) { refuse(path) }
  func remove(_ path: String) throws(StorageError) { refuse(path) }

  private func refuse(_ path: String) -> Never { preconditionFailure("a tool that only reads would change \(path)") }
}

/// A file's bytes in memory, zeros where the disk could not read them.
final class LoadedFile: SegmentFile, @unchecked Sendable {
  let path: String
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  var capacity: Int { byteCount }
  /// What the disk could not read, in units of ``sectorBytes``.
  private(set) var unreadable: [Range<Int>] = []

  private static let chunkBytes = 1 << 20
  private static let sectorBytes = 4_096

  fileprivate init(path: String, _ descriptor: Int32, byteCount: Int) {
    self.path = path
    self.byteCount = byteCount
    base = .allocate(byteCount: max(byteCount, 8), alignment: 4_096)
    for start in stride(from: 0, to: byteCount, by: LoadedFile.chunkBytes) {
      let end = min(start + LoadedFile.chunkBytes, byteCount)
      if load(start..<end, descriptor) { continue }
      for sector in stride(from: start, to: end, by: LoadedFile.sectorBytes) {
        let range = sector..<min(sector + LoadedFile.sectorBytes, end)
        if load(range, descriptor) { continue }
        memset(base + sector, 0, range.count)
        if unreadable.last?.upperBound == sector {
          unreadable[unreadable.count - 1] = unreadable[unreadable.count - 1].lowerBound..<range.upperBound
        } else {
          unreadable.append(range)
        }
      }
    }
  }

  deinit { base.deallocate() }

  private func load(_ range: Range<Int>, _ descriptor: Int32) -> Bool {
    var at = range.lowerBound
    while at < range.upperBound {
      let count = pread(descriptor, base + at, range.upperBound - at, off_t(at))
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      at += count
    }
    return true
  }

  func grow(to byteCount: Int) throws(StorageError) { preconditionFailure("\(path) is only read") }
  func sync() throws(StorageError) { preconditionFailure("\(path) is only read") }
  var isStaged: Bool { false }
  func write(_ range: Range<Int>) throws(StorageError) {}
  func prepareToWrite(_ range: Range<Int>) {}
  func finishWriting(_ range: Range<Int>) {}
  func close() {}
}
