import Dispatch
import Glibc

/// The command lines of earlier runs: `$XDG_STATE_HOME/kvstore/history`, else `~/.local/state/kvstore/history`, for its
/// owner's eyes only. Nothing depends on it, so what fails is left.
struct HistoryFile: Sendable {
  private let path: String?
  /// Making and renaming a file may wait for whatever else the disk writes, for seconds under load: never on the
  /// screen's thread.
  private let writer = DispatchQueue(label: "history")

  init() {
    if let state = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), state.hasPrefix("/") {
      path = "\(state)/kvstore/history"
    } else {
      path = getenv("HOME").map { String(cString: $0) + "/.local/state/kvstore/history" }
    }
  }

  func load() -> [String] {
    guard let path, let bytes = try? WholeFile.read(path) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Replaces the file soon, and whole, so that a crash leaves the old or the new one.
  func save(_ lines: [String]) { writer.async { write(lines) } }

  /// Returns when what was saved is written.
  func finish() { writer.sync {} }

  private func write(_ lines: [String]) {
    guard let path else { return }
    WholeFile.makeFolders(to: path)
    let temporary = "\(path).\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    let isWhole = Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    close(descriptor)
    if isWhole { rename(temporary, path) } else { unlink(temporary) }
  }
}
