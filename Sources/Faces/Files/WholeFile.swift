import Glibc
import Text

/// Files and streams from beginning to end: a write that takes only a part goes on, one that a signal interrupts is
/// tried again.
package enum WholeFile {
  /// Why the system refused.
  package struct Failure: Error, CustomStringConvertible {
    /// An `errno`.
    package let code: Int32
    /// The reason, where no `errno` says it.
    private let reason: String?

    init(_ code: Int32 = errno, _ reason: String? = nil) {
      self.code = code
      self.reason = reason
    }

    package var description: String { reason ?? SystemRefusal.words(code) }
  }

  /// Reads a file that is no folder, pipe or device: opening and reading these may wait for ever.
  package static func read(regular path: String, bytesMax: Int) throws(Failure) -> [UInt8] {
    let file = open(ByteText.path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw Failure() }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw Failure() }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw Failure(EINVAL, "it is no regular file") }
    return try read(file, lineBytesMax: .max, bytesMax: bytesMax)
  }

  /// Reads a file, a pipe or a device.
  ///
  /// - Parameters:
  ///   - lineBytesMax: a file with a longer line is none that is meant.
  ///   - bytesMax: nor is a longer one: a device may have no end.
  package static func read(
    _ path: String, lineBytesMax: Int = .max, bytesMax: Int = .max
  ) throws(Failure) -> [UInt8] {
    let file = open(ByteText.path(path), O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Failure() }
    defer { close(file) }
    return try read(file, lineBytesMax: lineBytesMax, bytesMax: bytesMax)
  }

  private static func read(_ file: Int32, lineBytesMax: Int, bytesMax: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var lineStart = 0
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure() }
      if count == 0 { return bytes }
      if let newline = piece[..<count].lastIndex(of: 10) { lineStart = bytes.count + newline + 1 }
      bytes += piece[..<count]
      guard bytes.count - lineStart <= lineBytesMax else {
        throw Failure(EMSGSIZE, "a line is longer than \(Figures.given(bytes: lineBytesMax))")
      }
      guard bytes.count <= bytesMax else {
        throw Failure(EMSGSIZE, "it is longer than \(Figures.given(bytes: bytesMax))")
      }
    }
  }

  /// Makes the file, or replaces what is in it.
  package static func write(_ text: String, to path: String) throws(Failure) {
    let file = try create(path)
    defer { close(file) }
    try write(text.utf8, to: file)
  }

  /// Opens a file to write it from its beginning. A pipe that nothing reads is refused: opening it would wait for ever.
  static func create(_ path: String) throws(Failure) -> Int32 {
    let file = open(ByteText.path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0o644)
    guard file >= 0 else { throw errno == ENXIO ? Failure(ENXIO, "it is a pipe that nothing reads") : Failure() }
    _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK)
    return file
  }

  /// Makes the folders that lead to a file, for their owner's eyes only; those that exist stay as they are.
  static func makeFolders(to path: String) {
    var folder = ""
    for part in path.split(separator: "/").dropLast() {
      folder += "/\(part)"
      mkdir(ByteText.path(folder), 0o700)
    }
  }

  package static func write(_ bytes: some Sequence<UInt8>, to descriptor: Int32) throws(Failure) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      // A descriptor that takes nothing would be asked for ever.
      guard count > 0 else { throw Failure() }
      rest = rest.dropFirst(count)
    }
  }
}
