import Dashboard
import Glibc

/// The file of `--record`: each picture that is shown goes into it too.
final class RecordingFile {
  private let file: GrowingFile
  private var recording: Recording

  /// - Throws: why the file cannot be written.
  init(path: String, _ size: Size, depth: ColorDepth, nowNs: UInt64) throws(ScreenError) {
    file = try GrowingFile(path: path)
    recording = Recording(depth: depth, startedNs: nowNs)
    // A clock that was never set may stand before 1970, which the format does not know.
    file.write(Recording.header(size, atUnixSeconds: max(0, time(nil))).utf8)
  }

  func add(_ picture: Picture, atNs: UInt64) {
    file.write(recording.add(picture, atNs: atNs).utf8)
  }

  /// See ``GrowingFile/finish()``.
  func finish() -> String? { file.finish() }
}
