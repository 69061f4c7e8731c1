import Glibc
import Text

/// The folder a backup is written to: new or empty at first, and gone again if the backup is not finished.
///
/// The configuration is written last, when all else is on the disk: what a crash leaves half-done does not open.
final class BackupTarget {
  let path: String
  let disk: PosixDisk
  private let wasThere: Bool
  private let progress: (BackupProgress) -> Bool
  private var state: BackupProgress

  private static let chunkBytes = 1 << 20

  /// Why copying ended before its end.
  enum Stop: Error {
    case cancelled
    case storage(StorageError)
  }

  /// - Parameter source: the data folder, in which the backup must not lie.
  init(
    _ path: String, copying source: String, bytesTotal: Int, progress: @escaping (BackupProgress) -> Bool
  ) throws(ClusterError) {
    guard !path.isEmpty else { throw .invalidArgument("the backup's folder needs a name") }
    var info = stat()
    wasThere = stat(ByteText.path(path), &info) == 0
    if wasThere {
      guard info.st_mode & S_IFMT == S_IFDIR else {
        throw .refused("\(path) is there already and is not a folder; name a new one for the backup")
      }
      guard let names = try? PosixDisk(root: path).names(in: ""), names.isEmpty else {
        throw .refused("\(path) is not empty; name a new or empty folder for the backup")
      }
    } else {
      try DataFolder.make(path)
    }
    guard let resolved = realpath(ByteText.path(path), nil) else {
      throw .storage("cannot resolve \(path): \(SystemRefusal.words(path: path))")
    }
    self.path = ByteText.encode(cString: resolved)
    free(resolved)
    disk = PosixDisk(root: self.path)
    self.progress = progress
    state = BackupProgress(bytesDone: 0, bytesTotal: bytesTotal)
    if "\(self.path)/".utf8.starts(with: "\(source)/".utf8) {
      if !wasThere { rmdir(ByteText.path(self.path)) }
      throw .refused("\(path) lies in the data folder itself; name one outside \(source) for the backup")
    }
  }

  var bytesDone: Int { state.bytesDone }

  /// Makes a node's folder.
  func makeFolder(_ name: String) throws(Stop) {
    do throws(StorageError) { try disk.makeFolder(name) } catch { throw .storage(error) }
  }

  /// Writes a small file, durably.
  func write(_ name: String, _ bytes: [UInt8]) throws(Stop) {
    do throws(StorageError) { try disk.replace(name, with: bytes) } catch { throw .storage(error) }
  }

  /// Copies the first bytes of a file, all if `byteCount` is `nil`, and adds zeros up to `length`. On the disk on return,
  /// but for its name.
  func copy(_ source: String, to name: String, byteCount: Int? = nil, length: Int = 0) throws(Stop) {
    let input: Int32
    do throws(StorageError) {
      guard let opened = try PosixDisk.openFile(source, O_RDONLY) else {
        throw .io(operation: "open", path: source, code: ENOENT)
      }
      input = opened
    } catch {
      throw .storage(error)
    }
    defer { close(input) }
    let output = open(ByteText.path("\(path)/\(name)"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard output >= 0 else { throw failure("create", "\(path)/\(name)") }
    defer { close(output) }
    var chunk = [UInt8](repeating: 0, count: BackupTarget.chunkBytes)
    var at = 0
    while at < byteCount ?? .max {
      let wanted = min(chunk.count, (byteCount ?? .max) - at)
      let count = pread(input, &chunk, wanted, off_t(at))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", source) }
      if count == 0 { break }
      try write(chunk[..<count], to: output, name)
      at += count
      try advance(count)
    }
    if let byteCount, at < byteCount {
      throw .storage(.damaged(path: source, offset: at, reason: "the file ends before its records do"))
    }
    if length > at { try write([UInt8](repeating: 0, count: length - at)[...], to: output, name) }
    guard fsync(output) == 0 else { throw failure("sync", "\(path)/\(name)") }
  }

  private func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32, _ name: String) throws(Stop) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write", "\(path)/\(name)") }
      rest = rest.dropFirst(count)
    }
  }

  private func advance(_ bytes: Int) throws(Stop) {
    state.bytesDone += bytes
    guard progress(state) else { throw .cancelled }
  }

  /// Writes the configuration: from here on the folder opens. Everything is on the disk on return.
  func finish(_ configuration: Configuration) throws(Stop) {
    try write("configuration", Array(configuration.text.utf8))
    let parent = open(ByteText.path("\(path)/.."), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw failure("open", "\(path)/..") }
    defer { close(parent) }
    guard fsync(parent) == 0 else { throw failure("sync", "\(path)/..") }
  }

  /// Takes away what was written.
  func remove() {
    // Without it the rest does not open.
    unlink(ByteText.path("\(path)/configuration"))
    for name in (try? disk.names(in: "")) ?? [] {
      if name.hasSuffix(".wal") { try? disk.removeFolder(name) } else { unlink(ByteText.path("\(path)/\(name)")) }
    }
    if !wasThere { rmdir(ByteText.path(path)) }
  }

  private func failure(_ operation: String, _ path: String) -> Stop {
    .storage(
      errno == ENOSPC || errno == EDQUOT ? .diskFull(path: path) : .io(operation: operation, path: path, code: errno))
  }
}

extension BackupTarget {
  /// Writes what the folders know of each other.
  func write(_ witness: Witness, to nodes: [String]) throws(Stop) {
    do throws(StorageError) {
      for folder in [Witnesses.clusterFolder] + nodes.map(DataFolder.logFolder) {
        try witness.write(to: disk, folder: folder)
      }
    } catch {
      throw .storage(error)
    }
  }

  /// Copies the log of a node that nobody has open.
  /// - Parameter withWitness: nobody has any other log open.
  func copyLogAtRest(_ node: String, from root: String, withWitness: Bool) throws(Stop) {
    let folder = DataFolder.logFolder(node)
    for name in try BackupTarget.filesAtRest(folder, root) where name != "segments" {
      if name == "witness", !withWitness { continue }
      try makeFolder(folder)
      try copy("\(root)/\(folder)/\(name)", to: "\(folder)/\(name)")
    }
    // The last, because writing it syncs the folder.
    do throws(StorageError) {
      if let bytes = try PosixDisk(root: root).read(LogManifest.path(folder)) {
        try disk.makeFolder(folder)
        try disk.replace(LogManifest.path(folder), with: bytes)
      }
    } catch {
      throw .storage(error)
    }
  }

  /// What belongs to the log of a node that nobody has open: free files and leftovers do not.
  private static func filesAtRest(_ folder: String, _ root: String) throws(Stop) -> [String] {
    do throws(StorageError) {
      let disk = PosixDisk(root: root)
      let manifest = try LogManifest.read(from: disk, folder: folder)
      return try disk.names(in: folder).filter { name in
        if let id = LogFormat.segmentID(ofName: name) { return manifest?.segments.contains(id) ?? true }
        return ["segments", "lease", "clock", "checkpoint", "suspect", "witness"].contains(name)
      }
    } catch {
      throw .storage(error)
    }
  }

  static func bytesAtRest(_ node: String, _ root: String) -> Int {
    let folder = DataFolder.logFolder(node)
    return ((try? filesAtRest(folder, root)) ?? []).reduce(0) { sum, name in
      var info = stat()
      return stat(ByteText.path("\(root)/\(folder)/\(name)"), &info) == 0 ? sum + Int(info.st_size) : sum
    }
  }
}

extension BackupTarget {
  /// Fills the folder and finishes it, or leaves nothing. Returns `nil` if it was cancelled.
  func complete(
    with configuration: Configuration, _ fill: (BackupTarget) throws(Stop) -> Void
  ) throws(ClusterError) -> BackupSummary? {
    do throws(Stop) {
      try fill(self)
      try finish(configuration)
      return BackupSummary(nodes: configuration.members.count, bytes: bytesDone)
    } catch {
      remove()
      switch error {
      case .cancelled: return nil
      case .storage(let cause): throw .storage("no backup was made: \(cause). Nothing is left of it in \(path)")
      }
    }
  }
}
