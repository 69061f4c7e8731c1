import Glibc

/// Memory that is zero to begin with, and costs nothing before it is touched.
///
/// A mapping of its own: `calloc` fills with zeros what it has had before, megabytes for every cluster and every log that
/// is opened. A small one comes from `calloc` all the same: to map, touch and unmap a page takes longer.
struct ZeroedMemory: ~Copyable, @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  /// 0 if it is not mapped.
  private let mappedBytes: Int

  private static let mappedBytesMin = 1 << 17

  init(byteCount: Int) {
    mappedBytes = byteCount < ZeroedMemory.mappedBytesMin ? 0 : byteCount
    let memory =
      mappedBytes == 0
      ? calloc(1, byteCount)
      : mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let base = memory, base != MAP_FAILED else { fatalError("no memory for a table: errno \(errno)") }
    self.base = base
  }

  deinit { if mappedBytes == 0 { free(base) } else { munmap(base, mappedBytes) } }
}
