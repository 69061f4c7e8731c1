import Dispatch
import Glibc
import Synchronization
import Text

/// The command lines of earlier runs: `$XDG_STATE_HOME/kvstore/history`, else `~/.local/state/kvstore/history`, for its
/// owner's eyes only. Nothing depends on it, so what fails is left.
package struct HistoryFile: Sendable {
  private let path: String?
  /// Making and renaming a file may wait for whatever else the disk writes, for seconds under load: never on the
  /// screen's thread.
  private let writer = DispatchQueue(label: "history")
  private let latest = LatestLines()

  /// - Parameter path: `nil` for the file of the program's user.
  package init(_ path: String? = nil) {
    if let path {
      self.path = path
    } else if let state = ByteText.variable("XDG_STATE_HOME"), state.utf8.first == 0x2F {
      self.path = "\(state)/kvstore/history"
    } else {
      self.path = ByteText.variable("HOME").map { $0 + "/.local/state/kvstore/history" }
    }
  }

  package func load() -> [String] {
    guard let path, let bytes = try? WholeFile.read(regular: path, bytesMax: Self.bytesMax) else { return [] }
    return bytes.split(separator: 0x0A).map { ByteText.encode($0) }
  }

  /// Far more than the lines kept. A longer file was not written by this program, and is left alone.
  private static let bytesMax = 64 << 20

  /// Replaces the file soon, and whole, so that a crash leaves the old or the new one. Of several calls in a row, as a
  /// paste makes them, the last is enough.
  package func save(_ lines: [String]) {
    let isFirst = latest.lines.withLock { latest in
      defer { latest = lines }
      return latest == nil
    }
    if isFirst { writer.async { if let lines = takeLatest() { write(lines) } } }
  }

  /// Returns when what was saved is written.
  package func finish() { writer.sync { if let lines = takeLatest() { write(lines) } } }

  private func takeLatest() -> [String]? {
    latest.lines.withLock { latest in
      defer { latest = nil }
      return latest
    }
  }

  private func write(_ lines: [String]) {
    guard let path else { return }
    WholeFile.makeFolders(to: path)
    let temporary = "\(path).\(getpid())"
    let descriptor = open(ByteText.path(temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    let bytes = ByteText.decode(lines.joined(separator: "\n") + "\n")
    let isWhole = (try? WholeFile.write(bytes, to: descriptor)) != nil
    close(descriptor)
    if isWhole { rename(ByteText.path(temporary), ByteText.path(path)) } else { unlink(ByteText.path(temporary)) }
  }
}

/// Lines that are to be written next.
private final class LatestLines: Sendable {
  let lines = Mutex<[String]?>(nil)
}
