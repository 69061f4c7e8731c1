import Glibc
import Text

/// A file that a session writes to as long as it lasts. What cannot be written ends the file, not the session, and is told
/// at the end.
final class GrowingFile {
  private let path: String
  private let descriptor: Int32
  private var waiting: [UInt8] = []
  private var failure: WholeFile.Failure?

  /// Bytes that are written together: at ten pictures a second a call for each would be the greater part of their cost.
  private static let blockBytes = 4_096

  init(path: String) throws(ScreenError) {
    self.path = path
    do throws(WholeFile.Failure) {
      descriptor = try WholeFile.create(path)
    } catch {
      throw ScreenError(description: "cannot write \(path): \(error)", isFile: true)
    }
  }

  func write(_ bytes: some Sequence<UInt8>) {
    waiting += bytes
    if waiting.count >= Self.blockBytes { flush() }
  }

  /// Writes the rest.
  /// - Returns: why the file is not whole; `nil` if it is.
  func finish() -> String? {
    flush()
    return failure.map { "\(path) is not whole: \($0)" }
  }

  private func flush() {
    defer { waiting = [] }
    guard failure == nil else { return }
    do throws(WholeFile.Failure) {
      try WholeFile.write(waiting, to: descriptor)
    } catch {
      failure = error
    }
  }

  deinit {
    flush()
    close(descriptor)
  }
}
