import Glibc
import ClusterModel

/// Reads an input line by line, as bytes, in bounded memory.
///
/// Not `Sendable`: one task reads. The commands of a session and a `load -` among them share one reader, so that the
/// bytes that were read ahead are not lost between the two.
package final class LineReader {
  package enum Line: Equatable {
    /// Without its newline; a carriage return stays, it may be data.
    case bytes([UInt8])
    /// A line beyond the limit, read to its end and thrown away.
    case tooLong
  }

  /// A line of ours in the worst case: every byte of key and value written `\xHH`, and some words around them.
  package static let commandBytesMax = 4 * LoadLine.Limits().lineBytesMax + 1_024

  private let input: InputDescriptor
  private let lineBytesMax: Int
  private var buffer: [UInt8] = []
  /// Where the unread part of ``buffer`` begins.
  private var start = 0
  /// Bytes handed out so far, newlines included.
  package private(set) var bytesConsumed = 0

  /// Reads an open descriptor, which stays the caller's.
  package init(descriptor: Int32, lineBytesMax: Int = LineReader.commandBytesMax) {
    input = InputDescriptor(descriptor, isOwned: false)
    self.lineBytesMax = lineBytesMax
  }

  /// Opens a file.
  ///
  /// - Throws: an error whose description is the system's.
  package init(path: [UInt8], lineBytesMax: Int = LineReader.commandBytesMax) throws {
    // Behind a zero byte the system would not see the rest of the name, and open another file.
    guard !path.contains(0) else { throw InputError(code: ENOENT) }
    let descriptor = open((path + [0]).map(CChar.init(bitPattern:)), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw InputError(code: errno) }
    // Reading a pipe that nobody writes to would not end, nor would reading some devices.
    var info = stat()
    let kind = fstat(descriptor, &info) == 0 ? info.st_mode & S_IFMT : S_IFIFO
    let endless = [S_IFIFO: "a pipe", S_IFCHR: "a device", S_IFBLK: "a device", S_IFSOCK: "a socket"]
    if let what = endless[kind] {
      close(descriptor)
      throw InputError(code: EINVAL, reason: "it is \(what); - reads one from standard input")
    }
    input = InputDescriptor(descriptor, isOwned: true)
    self.lineBytesMax = lineBytesMax
  }

  /// Bytes of the whole input, if it is a regular file.
  package var bytesTotal: Int? { input.byteCount }

  /// The next line; `nil` at the end of the input. A last line without a newline is a line. A terminal may go on after
  /// its end: then a later call reads on.
  ///
  /// - Throws: an error whose description is the system's, or `CancellationError`.
  package func next() async throws -> Line? {
    var pending: [UInt8] = []
    var isTooLong = false
    while true {
      let newline = buffer[start...].firstIndex(of: Ascii.newline)
      let end = newline ?? buffer.endIndex
      isTooLong = isTooLong || pending.count + (end - start) > lineBytesMax
      if isTooLong {
        pending = []
      } else {
        pending += buffer[start..<end]
      }
      bytesConsumed += end - start
      start = end
      if newline != nil {
        start += 1
        bytesConsumed += 1
        return isTooLong ? .tooLong : .bytes(pending)
      }
      buffer = try await input.readChunk()
      start = 0
      if buffer.isEmpty {
        if isTooLong { return .tooLong }
        return pending.isEmpty ? nil : .bytes(pending)
      }
    }
  }

  // MARK: - Bytes

  /// The bytes that have arrived, for a line editor: those read ahead, else the next piece; empty at the end.
  ///
  /// - Throws: as ``next()``.
  package func nextBytes() async throws -> [UInt8] {
    guard start < buffer.count else { return try await input.readChunk() }
    defer { start = buffer.count }
    return Array(buffer[start...])
  }

  /// Returns bytes to the front of the input; the next read gets them.
  package func putBack(_ bytes: some Sequence<UInt8>) {
    buffer = Array(bytes) + buffer[start...]
    start = 0
  }
}
