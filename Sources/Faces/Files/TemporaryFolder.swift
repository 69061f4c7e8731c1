import Glibc
import Synchronization
import Text

/// The folders of clusters that are not kept: `$TMPDIR/kvstore-ephemeral-XXXXXX`.
///
/// The engine removes such a folder when it is closed. What does not get so far, a second Ctrl-C or `timeout`, removes it
/// here; what `kill -9` leaves is removed by the next start that makes one. (Unlinking the files while they are open was
/// rejected: the engine renames, reopens and lists its segments by name.)
package enum TemporaryFolder {
  /// A name that nobody gives a folder of data that is meant to stay.
  static let prefix = "kvstore-ephemeral-"

  private static let made = Mutex<[String]>([])

  /// Makes one, after removing those that dead processes of this user left.
  package static func make() throws -> String {
    let parent = ByteText.variable("TMPDIR") ?? "/tmp"
    sweep(parent)
    var template = ByteText.path("\(parent)/\(prefix)XXXXXX")
    guard mkdtemp(&template) != nil else {
      throw Refusal(
        "cannot make a temporary folder in \(parent): \(SystemRefusal.words()); TMPDIR says where else")
    }
    let path = ByteText.encode(cString: template)
    made.withLock { $0.append(path) }
    return path
  }

  /// Removes all that this process made, whatever still uses them: the process is about to end.
  static func removeAll() {
    for path in made.withLock({ $0 }) {
      // A thread that still writes may add a file to a folder that was just emptied.
      for _ in 0..<10 where !remove(path) { usleep(1_000) }
    }
  }

  /// Removes the folders under `parent` that processes of this user left: those whose lock nobody holds.
  package static func sweep(_ parent: String) {
    for name in names(in: parent) where name.hasPrefix(prefix) {
      let path = "\(parent)/\(name)"
      var facts = stat()
      guard lstat(ByteText.path(path), &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid() else {
        continue
      }
      let lock = open(ByteText.path("\(path)/lock"), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard lock >= 0 else {
        // Just made, and not yet opened by the engine; or left by a process that died before that, or while it removed it.
        if isOld(facts) { _ = remove(path) }
        continue
      }
      if flock(lock, LOCK_EX | LOCK_NB) == 0 { _ = remove(path) }
      close(lock)
    }
  }

  /// An hour is long enough for any start.
  private static func isOld(_ facts: stat) -> Bool { time(nil) - facts.st_mtim.tv_sec > 3_600 }

  /// Removes a folder and its folders of files; follows no link. Returns whether it is gone.
  private static func remove(_ path: String) -> Bool {
    // The lock last: what is left of an end that came too early says that nobody uses it.
    for name in names(in: path).sorted(by: { a, b in a != "lock" && b == "lock" }) {
      let file = "\(path)/\(name)"
      if unlink(ByteText.path(file)) == 0 { continue }
      var facts = stat()
      if lstat(ByteText.path(file), &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR { _ = remove(file) }
    }
    return rmdir(ByteText.path(path)) == 0 || errno == ENOENT
  }

  private static func names(in path: String) -> [String] {
    guard let folder = opendir(ByteText.path(path)) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in ByteText.encode(bytes.prefix { $0 != 0 }) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
