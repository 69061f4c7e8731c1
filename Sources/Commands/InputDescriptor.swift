import Dispatch
import Glibc
import Text

/// A file descriptor read off the cooperative pool, in a way that cancelling the task ends.
///
/// A blocking `read` on a thread of Swift's pool would take one of as many threads as there are processors, which the
/// engine needs; a terminal may stay silent for hours. So a dispatch thread waits in `poll` for the descriptor and for
/// a pipe that cancellation writes to. Making standard input non-blocking was rejected: the flag belongs to the
/// open file, which the shell and other programs share.
final class InputDescriptor: Sendable {
  /// Read at once: enough to make the hop between threads (some 10 µs) small beside the copy.
  static let chunkBytes = 256 << 10

  private let descriptor: Int32
  private let isOwned: Bool
  /// Readable once the read was cancelled.
  private let wake: (read: Int32, write: Int32)
  private let queue = DispatchQueue(label: "kvstore.input")
  /// Why there is no such pipe.
  private let pipeFailure: Int32?

  init(_ descriptor: Int32, isOwned: Bool) {
    self.descriptor = descriptor
    self.isOwned = isOwned
    var ends: [Int32] = [-1, -1]
    // At the limit of open files there is none: then a read says so.
    pipeFailure = pipe(&ends) == 0 ? nil : errno
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    wake = (ends[0], ends[1])
  }

  deinit {
    close(wake.read)
    close(wake.write)
    if isOwned { close(descriptor) }
  }

  /// The file's size in bytes if it is a regular file.
  var byteCount: Int? {
    var facts = stat()
    guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(facts.st_size)
  }

  /// Reads 1 to ``chunkBytes`` bytes; none at the end of the input.
  ///
  /// - Throws: ``InputError`` or `CancellationError`.
  func readChunk() async throws -> [UInt8] {
    if let pipeFailure { throw InputError(code: pipeFailure) }
    // A byte left by an earlier, cancelled task is not meant for this one.
    if !Task.isCancelled { forgetCancellations() }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: self.waitAndRead()) }
      }
    } onCancel: {
      _ = write(wake.write, [1], 1)
    }
    return try result.get()
  }

  private func forgetCancellations() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(wake.read, &bytes, bytes.count) > 0 {}
  }

  private func waitAndRead() -> Result<[UInt8], any Error> {
    var waited = [descriptor, wake.read].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
      if poll(&waited, 2, -1) < 0 {
        if errno == EINTR { continue }
        return .failure(InputError(code: errno))
      }
      if waited[1].revents != 0 { return .failure(CancellationError()) }
      var failure: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
        let got = read(descriptor, buffer.baseAddress, buffer.count)
        failure = got < 0 ? errno : 0
        count = max(0, got)
      }
      if failure == 0 { return .success(bytes) }
      if failure != EINTR, failure != EAGAIN { return .failure(InputError(code: failure)) }
    }
  }
}

/// The system refused to open or read an input.
struct InputError: Error, CustomStringConvertible {
  var code: Int32
  /// The reason, where no code of the system says it.
  var reason: String?

  var description: String { reason ?? SystemRefusal.words(code) }
}
