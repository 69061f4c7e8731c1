import NIOCore
import RESP

/// Bytes that a socket did not take at once. They are handed to the channel one chunk at a time, so there is no second copy of
/// a large reply.
struct Backlog: ~Copyable {
  private var bytes = ReplyBuffer(capacity: 64)
  /// Bytes that the channel has taken.
  private var taken = 0
  /// Bytes that the channel has not taken yet.
  private var chunkBytes = 0

  /// Bytes that have not been taken.
  var count: Int { bytes.count - taken }

  mutating func append(_ more: UnsafeRawBufferPointer) {
    if taken == bytes.count { reset() }
    bytes.append(more)
  }

  /// The next chunk, unless one is under way or nothing is left.
  mutating func next() -> ByteBuffer? {
    guard chunkBytes == 0, count > 0 else { return nil }
    chunkBytes = min(count, ServerLimits.chunkBytes)
    return ByteBuffer(bytes: bytes.bytes[taken..<taken + chunkBytes])
  }

  /// The chunk has been taken.
  mutating func took() {
    taken += chunkBytes
    chunkBytes = 0
    if taken == bytes.count { reset() }
  }

  private mutating func reset() {
    bytes.clear(capacityMax: 64)
    taken = 0
  }
}
