import Dashboard
import Glibc
import Text

/// The file of `--record`: each picture that is shown goes into it too.
final class RecordingFile {
  private let file: UnsafeMutablePointer<FILE>
  private var recording: Recording

  /// `nil` with the reason if the file cannot be written.
  init(path: String, _ size: Size, depth: ColorDepth, nowNs: UInt64) throws(ScreenError) {
    guard let file = fopen(ByteText.path(path), "we") else {
      throw ScreenError(description: "cannot record to \(path): \(SystemRefusal.words())")
    }
    self.file = file
    recording = Recording(depth: depth, startedNs: nowNs)
    // A clock that was never set may stand before 1970, which the format does not know.
    fputs(Recording.header(size, atUnixSeconds: max(0, time(nil))), file)
  }

  func add(_ picture: Picture, atNs: UInt64) {
    let lines = recording.add(picture, atNs: atNs)
    // A full disk ends the recording, not the program.
    if !lines.isEmpty { fputs(lines, file) }
  }

  deinit { fclose(file) }
}
