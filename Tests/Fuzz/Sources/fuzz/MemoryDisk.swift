import CFuzzer
import Synchronization

@testable import KVCluster

/// Files in memory, whose bytes beyond their end must not be touched: the address sanitizer sees it.
///
/// Simpler than the simulator's disk, which loses, tears and refuses; here only contents are hostile.
final class MemoryDisk: Disk {
  private let files = Mutex<[String: MemoryFile]>([:])

  var segmentsMax: Int { 64 }

  func put(_ path: String, _ bytes: [UInt8]) {
    files.withLock { $0[path] = MemoryFile(path, bytes, capacity: bytes.count) }
  }

  func bytes(_ path: String) -> [UInt8]? { files.withLock { $0[path]?.bytes } }

  func names(in folder: String) throws(StorageError) -> [String] {
    let prefix = folder.isEmpty ? "" : folder + "/"
    let names = files.withLock { files in
      files.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count).prefix { $0 != "/" } }
    }
    return Set(names.map(String.init)).sorted()
  }

  func makeFolder(_ path: String) throws(StorageError) {}
  func removeFolder(_ path: String) throws(StorageError) {
    files.withLock { files in files = files.filter { !$0.key.hasPrefix(path + "/") } }
  }

  func read(_ path: String) throws(StorageError) -> [UInt8]? { bytes(path) }

  func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    var bytes: [UInt8] = []
    try produce { bytes += $0 }
    put(path, bytes)
  }

  func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    let file = MemoryFile(path, [], capacity: capacity)
    files.withLock { $0[path] = file }
    return file
  }

  func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    let file = files.withLock { files -> MemoryFile? in
      guard let file = files[path] else { return nil }
      // With more room it is another one: an address does not change while it is in use.
      if file.capacity < capacity { files[path] = MemoryFile(path, file.bytes, capacity: capacity) }
      return files[path]
    }
    guard let file else { throw .io(operation: "open", path: path, code: 2) }
    return file
  }

  func rename(_ file: any SegmentFile, to path: String) throws(StorageError) {
    files.withLock { files in
      guard let moved = files.removeValue(forKey: file.path) else { return }
      moved.path = path
      files[path] = moved
    }
  }

  func remove(_ path: String) throws(StorageError) { files.withLock { $0[path] = nil } }
}

/// One file. Used by one thread.
final class MemoryFile: SegmentFile, @unchecked Sendable {
  var path: String
  let base: UnsafeMutableRawPointer
  let capacity: Int
  private(set) var byteCount: Int

  init(_ path: String, _ bytes: [UInt8], capacity: Int) {
    self.path = path
    self.capacity = max(capacity, bytes.count)
    byteCount = bytes.count
    base = .allocate(byteCount: max(self.capacity, 1), alignment: 16)
    bytes.withUnsafeBytes { if let start = $0.baseAddress { base.copyMemory(from: start, byteCount: $0.count) } }
    __asan_poison_memory_region(base + byteCount, self.capacity - byteCount)
  }

  deinit {
    __asan_unpoison_memory_region(base, capacity)
    base.deallocate()
  }

  var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: base, count: byteCount)) }
  var isStaged: Bool { false }

  func grow(to wanted: Int) throws(StorageError) {
    guard wanted > byteCount else { return }
    precondition(wanted <= capacity, "a file of \(capacity) bytes cannot grow to \(wanted)")
    __asan_unpoison_memory_region(base + byteCount, wanted - byteCount)
    (base + byteCount).initializeMemory(as: UInt8.self, repeating: 0, count: wanted - byteCount)
    byteCount = wanted
  }

  func write(_ range: Range<Int>) throws(StorageError) {}
  func sync() throws(StorageError) {}
  func prepareToWrite(_ range: Range<Int>) {}
  func finishWriting(_ range: Range<Int>) {}
  func close() {}
}
