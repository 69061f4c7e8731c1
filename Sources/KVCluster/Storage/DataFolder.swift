import Glibc
import Text

/// The folder a cluster lives in: made 0700, locked by one process at a time, with the configuration in it.
///
/// ```
/// <data>/lock             the pid of the process that has it open
/// <data>/configuration    see ``Configuration/text``
/// <data>/boot             see ``BootMark``
/// <data>/node1.wal/       a node's segments and its tag lease
/// ```
package final class DataFolder: Sendable {
  let path: String
  package let disk: any Disk
  /// Names this boot of the machine; `nil` where the system does not say.
  let boot: String?
  /// Its lock and itself, both locked: the file may be deleted, and a new one would not be locked by anyone. `nil` in a
  /// simulation.
  private let descriptors: (lock: Int32, folder: Int32)?

  package static func logFolder(_ node: String) -> String { "\(node).wal" }

  /// Makes the folder if need be and locks it.
  /// - Parameter wrap: returns the disk to use over the folder's own.
  init(
    _ path: String, _ fsync: FsyncPolicy, _ wrap: (any Disk) -> any Disk = { $0 }
  ) throws(ClusterError) {
    try DataFolder.make(path)
    guard let resolved = realpath(ByteText.path(path), nil) else { throw DataFolder.failure("resolve", path) }
    self.path = ByteText.encode(cString: resolved)
    free(resolved)
    boot = DataFolder.bootID()
    let lockPath = "\(self.path)/lock"
    let descriptor = try DataFolder.openLock(lockPath, O_RDWR | O_CREAT)
    guard let folder = try DataFolder.lock(descriptor, andFolder: self.path, LOCK_EX) else {
      let holder = DataFolder.holder(descriptor)
      Glibc.close(descriptor)
      throw .dataFolder("\(self.path) is in use by \(holder): close that one first, or use another folder")
    }
    descriptors = (descriptor, folder)
    // Under `always` nothing counts before a sync; otherwise a put must survive a crash of the program at once.
    disk = wrap(PosixDisk(root: self.path, isStaged: fsync.stagesLogs))
    let pid = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, pid, pid.count, 0) == pid.count else {
      throw DataFolder.failure("write", lockPath)
    }
  }

  /// A folder on another disk than the machine's, which nobody locks.
  init(_ path: String, disk: any Disk, boot: String) {
    self.path = path
    self.boot = boot
    self.disk = disk
    descriptors = nil
  }

  /// The configuration, or `nil` in a new folder.
  func readConfiguration() throws(ClusterError) -> Configuration? {
    let bytes: [UInt8]?
    do throws(StorageError) { bytes = try disk.read("configuration") } catch {
      throw .dataFolder(.init(error.description))
    }
    guard let bytes else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    do throws(ClusterError) {
      return try Configuration(text: text)
    } catch {
      if Configuration.isNewer(text) { throw error }
      throw .dataFolder(
        .init(
          "\(path)/configuration is damaged: \(error). Nothing was changed. No node can replace it: put the newest one back "
            + "(an older one is refused), or restore a whole backup"))
    }
  }

  /// Whether the folder was deleted while it was open.
  var isDeleted: Bool {
    guard let descriptors else { return false }
    var info = stat()
    return fstat(descriptors.folder, &info) == 0 && info.st_nlink == 0
  }

  /// Durable on return.
  func write(_ configuration: Configuration) throws(StorageError) {
    try disk.replace("configuration", with: Array(configuration.text.utf8))
  }

  static func bootID() -> String? {
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { Glibc.close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return text.split(separator: "\n").first.map(String.init)
  }

  /// Segments for a disk of this size: compaction needs room for one, and the smaller they are, the less it is. A 64th of
  /// the disk, between 1 MiB, below which the calls of a new segment would count, and the usual size.
  var segmentBytesMax: Int {
    var info = statvfs()
    guard statvfs(ByteText.path(path), &info) == 0, info.f_blocks > 0 else { return Limits.segmentBytesDefault }
    let total = UInt64(info.f_blocks).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue
    var bytes = Limits.segmentBytesDefault
    while bytes > 1 << 20, UInt64(bytes) > total / 64 { bytes /= 2 }
    return bytes
  }

  /// Whether nothing but the lock is here.
  var isEmpty: Bool { ((try? disk.names(in: "")) ?? []).allSatisfy { $0 == "lock" } }

  /// Whether a node's log is here although no configuration names it.
  func hasLogs() -> Bool {
    ((try? disk.names(in: "")) ?? []).contains { $0.hasSuffix(".wal") }
  }

  /// Unlocks; with `removing`, deletes everything first.
  func close(removing: Bool) {
    if removing {
      for name in (try? disk.names(in: "")) ?? [] {
        if name.hasSuffix(".wal") { try? disk.removeFolder(name) } else { unlink(ByteText.path("\(path)/\(name)")) }
      }
      rmdir(ByteText.path(path))
    }
    if let descriptors {
      Glibc.close(descriptors.folder)
      Glibc.close(descriptors.lock)
    }
  }

  static func make(_ path: String) throws(ClusterError) {
    guard !path.isEmpty else { throw .dataFolder("the data folder's name is empty") }
    // By scalars: a combining mark behind a slash makes another character of it.
    let parts = path.unicodeScalars.split(separator: "/")
    var partial = path.unicodeScalars.first == "/" ? "" : "."
    for part in parts {
      partial.unicodeScalars.append("/")
      partial.unicodeScalars.append(contentsOf: part)
      if mkdir(ByteText.path(partial), 0o700) == 0 {
        syncParent(of: partial)
      } else if errno != EEXIST {
        throw failure("make folder", partial)
      }
    }
    var info = stat()
    guard stat(ByteText.path(path), &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
      throw .dataFolder("\(path) is not a folder")
    }
  }

  /// A new folder is durable only once the one it is in is synced.
  private static func syncParent(of path: String) {
    let descriptor = open(ByteText.path(path + "/.."), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    Glibc.close(descriptor)
  }

  /// Opens a lock file, which must be a regular one: to open a pipe might never end.
  static func openLock(_ path: String, _ flags: Int32) throws(ClusterError) -> Int32 {
    let descriptor = open(ByteText.path(path), flags | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("open", path) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      Glibc.close(descriptor)
      throw .dataFolder("\(path) is not a regular file: remove it")
    }
    return descriptor
  }

  /// Locks the file `lock`, if there is one, and the folder itself, which cannot be replaced by another under its name
  /// while it is in use.
  /// - Parameter mode: `LOCK_EX` or `LOCK_SH`.
  /// - Returns: a descriptor of the folder; `nil` if one of them is locked, and then neither is.
  static func lock(_ lockFile: Int32?, andFolder path: String, _ mode: Int32) throws(ClusterError) -> Int32? {
    let folder = open(ByteText.path(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure("open", path) }
    if flock(folder, mode | LOCK_NB) == 0, lockFile.map({ flock($0, mode | LOCK_NB) == 0 }) ?? true { return folder }
    Glibc.close(folder)
    return nil
  }

  /// Who holds the lock, in words. The file names the last process that opened the folder; one that only reads it (to
  /// verify or copy it) leaves no pid.
  static func holder(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    if text.isEmpty { return "another process" }
    let pid = text.split(separator: "\n").first.flatMap { pid_t($0) }
    guard let pid, kill(pid, 0) == 0 || errno == EPERM else { return "another process that reads it" }
    return "process \(pid)"
  }

  private static func failure(_ operation: String, _ path: String) -> ClusterError {
    .dataFolder("cannot \(operation) \(path): \(SystemRefusal.words(path: path))")
  }
}

extension FsyncPolicy {
  /// Whether logs are staged (see ``PosixSegmentFile``): where nothing counts before a sync, a kill may take what was not
  /// synced.
  package var stagesLogs: Bool { self == .always }
}
