import Glibc
import Text

/// A data folder that no cluster has open, for the tools that read it: nothing in it is changed.
///
/// It holds the folder's lock shared, so that no cluster opens it meanwhile and other tools may read it too. (A folder
/// without a lock file, a copy for instance, is locked all the same, and none is made: that would be a change.)
package final class FolderAtRest: Sendable {
  package let path: String
  let disk: ReadOnlyDisk
  /// The folder's, and that of its lock file if there is one.
  private let descriptors: [Int32]

  /// - Throws: `ClusterError.dataFolder` if there is no such folder, it is not kvstore's, or it is in use.
  package init(_ path: String) throws(ClusterError) {
    var info = stat()
    guard stat(ByteText.path(path), &info) == 0 else { throw FolderAtRest.failure("open", path) }
    guard info.st_mode & S_IFMT == S_IFDIR else {
      throw .dataFolder("\(path) is not a folder")
    }
    guard let resolved = realpath(ByteText.path(path), nil) else { throw FolderAtRest.failure("resolve", path) }
    self.path = ByteText.encode(cString: resolved)
    free(resolved)
    disk = ReadOnlyDisk(root: self.path)
    let names: [String]
    do throws(StorageError) { names = try disk.names(in: "") } catch { throw .dataFolder(.init(error.description)) }
    guard names.contains("configuration") || names.contains(where: { $0.hasSuffix(".wal") }) else {
      throw .dataFolder("\(self.path) is not a kvstore folder: it has neither a configuration nor logs")
    }
    descriptors = try FolderAtRest.lock(self.path)
  }

  deinit { for descriptor in descriptors { Glibc.close(descriptor) } }

  private static func lock(_ path: String) throws(ClusterError) -> [Int32] {
    var info = stat()
    let isMissing = lstat(ByteText.path("\(path)/lock"), &info) != 0 && errno == ENOENT
    let file = isMissing ? -1 : try DataFolder.openLock("\(path)/lock", O_RDONLY)
    guard let folder = try DataFolder.lock(file < 0 ? nil : file, andFolder: path, LOCK_SH) else {
      let holder = DataFolder.holder(file)
      if file >= 0 { Glibc.close(file) }
      throw .dataFolder("\(path) is in use by \(holder): close that one first")
    }
    return file < 0 ? [folder] : [folder, file]
  }

  private static func failure(_ operation: String, _ path: String) -> ClusterError {
    .dataFolder("cannot \(operation) \(path): \(SystemRefusal.words(path: path))")
  }

  /// What the file `configuration` says.
  enum ConfigurationFile {
    case intact(Configuration)
    case missing
    case damaged(reason: String)
  }

  /// - Throws: `ClusterError.dataFolder` if a newer version wrote it.
  func readConfiguration() throws(ClusterError) -> ConfigurationFile {
    let bytes: [UInt8]?
    do throws(StorageError) { bytes = try disk.read("configuration") } catch {
      if error.isRefusal { throw .dataFolder(.init(error.description)) }
      return .damaged(reason: error.description)
    }
    guard let bytes else { return .missing }
    let text = String(decoding: bytes, as: UTF8.self)
    do throws(ClusterError) {
      return .intact(try Configuration(text: text))
    } catch {
      if Configuration.isNewer(text) { throw error }
      return .damaged(reason: error.description)
    }
  }

  /// The nodes whose logs are here, with the names that the folders have.
  func nodesWithLogs() -> [String] {
    ((try? disk.names(in: "")) ?? []).filter { $0.hasSuffix(".wal") }.map { String($0.dropLast(4)) }
      .sorted(by: Configuration.countsBefore)
  }

  /// The cluster's id as the first segment with an intact header says it.
  func clusterIDInLogs() -> UInt64? { nodesWithLogs().lazy.compactMap(identity(ofLogOf:)).first?.clusterID }

  /// Whose log lies in a node's folder, as its first segment with an intact header says.
  func identity(ofLogOf node: String) -> LogIdentity? {
    let folder = DataFolder.logFolder(node)
    for name in (try? disk.names(in: folder)) ?? [] where LogFormat.segmentID(ofName: name) != nil {
      guard let file = try? disk.openSegment("\(folder)/\(name)", capacity: 0) else { continue }
      defer { file.close() }
      if let identity = LogIdentity(ofHeader: file.base, byteCount: file.byteCount) { return identity }
    }
    return nil
  }
}
