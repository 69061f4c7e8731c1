import Glibc
import Synchronization

/// Where each segment of a log is mapped, by its id, readable without a lock.
///
/// A segment is added before any location in it is handed out, and stays until the whole map is closed, so whoever
/// holds a location may read its base address. The table is allocated once at its full size (its pages come when they
/// are touched), so it never moves under a reader.
package final class SegmentMap: @unchecked Sendable {
  /// 4 TiB of log at the default segment size.
  static let segmentsMax = 65_536
  private let bases: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private let files = Mutex<[any SegmentFile]>([])

  init() {
    // calloc hands out zero pages without touching them; nil is all zeros.
    bases = calloc(SegmentMap.segmentsMax, MemoryLayout<UnsafeMutableRawPointer?>.stride)!
      .bindMemory(to: UnsafeMutableRawPointer?.self, capacity: SegmentMap.segmentsMax)
  }

  deinit { free(bases) }

  @inline(__always)
  func base(of segment: UInt64) -> UnsafeMutableRawPointer {
    bases[Int(truncatingIfNeeded: segment) & (SegmentMap.segmentsMax - 1)].unsafelyUnwrapped
  }

  func add(_ file: any SegmentFile, segment: UInt64) {
    files.withLock { $0.append(file) }
    bases[Int(segment) & (SegmentMap.segmentsMax - 1)] = file.base
  }

  func closeAll() {
    let open = files.withLock { files in
      defer { files = [] }
      return files
    }
    for file in open { file.close() }
  }
}
