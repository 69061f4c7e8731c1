import Synchronization

@testable import KVCluster

/// The real disk with faults on command, by node: syncs that fail or take long, and a full disk.
///
/// Faults strike inside calls that the engine makes anyway, on the threads that it makes them on: the simulated disk does
/// the same in one thread only.
final class FaultyDisk: Disk {
  struct Faults {
    var failsNextSync = false
    var isFull = false
    var syncDelayNs: UInt64 = 0
  }

  private let disk: any Disk
  private let faults = Mutex<[String: Faults]>([:])
  /// Syncs that failed because a fault said so.
  let failedSyncs = Atomic<Int>(0)
  let refusedForRoom = Atomic<Int>(0)

  init(over disk: any Disk) { self.disk = disk }

  func set(_ node: String, _ change: (inout Faults) -> Void) {
    faults.withLock { change(&$0["\(node).wal", default: Faults()]) }
  }

  func clear() { faults.withLock { $0 = [:] } }

  fileprivate func checkRoom(_ path: String) throws(StorageError) {
    guard faults.withLock({ $0[FaultyDisk.folder(of: path)]?.isFull ?? false }) else { return }
    refusedForRoom.wrappingAdd(1, ordering: .relaxed)
    throw .diskFull(path: path)
  }

  fileprivate func checkSync(_ path: String) throws(StorageError) {
    let (fails, delayNs) = faults.withLock { faults in
      let folder = FaultyDisk.folder(of: path)
      let found = faults[folder]
      faults[folder]?.failsNextSync = false
      return (found?.failsNextSync ?? false, found?.syncDelayNs ?? 0)
    }
    if delayNs > 0 { Clock.sleep(ns: delayNs) }
    guard fails else { return }
    failedSyncs.wrappingAdd(1, ordering: .relaxed)
    throw .io(operation: "fdatasync", path: path, code: 5)
  }

  private static func folder(of path: String) -> String { path.split(separator: "/").first.map(String.init) ?? "" }

  // MARK: - Disk

  var segmentsMax: Int { disk.segmentsMax }
  func names(in folder: String) throws(StorageError) -> [String] { try disk.names(in: folder) }
  func makeFolder(_ path: String) throws(StorageError) { try disk.makeFolder(path) }
  func removeFolder(_ path: String) throws(StorageError) { try disk.removeFolder(path) }
  func read(_ path: String) throws(StorageError) -> [UInt8]? { try disk.read(path) }
  func remove(_ path: String) throws(StorageError) { try disk.remove(path) }

  func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    try checkRoom(path)
    try disk.replace(path, produce)
  }

  func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    try checkRoom(path)
    return FaultySegment(try disk.createSegment(path, capacity: capacity), self)
  }

  func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    FaultySegment(try disk.openSegment(path, capacity: capacity), self)
  }

  func rename(_ file: any SegmentFile, to path: String) throws(StorageError) {
    guard let file = file as? FaultySegment else { preconditionFailure("a segment of another disk") }
    try disk.rename(file.file, to: path)
  }
}

private final class FaultySegment: SegmentFile {
  let file: any SegmentFile
  private let disk: FaultyDisk

  init(_ file: any SegmentFile, _ disk: FaultyDisk) {
    self.file = file
    self.disk = disk
  }

  var path: String { file.path }
  var base: UnsafeMutableRawPointer { file.base }
  var capacity: Int { file.capacity }
  var byteCount: Int { file.byteCount }
  var isStaged: Bool { file.isStaged }
  var isDeleted: Bool { file.isDeleted }

  func grow(to byteCount: Int) throws(StorageError) {
    if byteCount > file.byteCount { try disk.checkRoom(path) }
    try file.grow(to: byteCount)
  }

  func write(_ range: Range<Int>) throws(StorageError) { try file.write(range) }

  func sync() throws(StorageError) {
    try disk.checkSync(path)
    try file.sync()
  }

  func prepareToWrite(_ range: Range<Int>) { file.prepareToWrite(range) }
  func finishWriting(_ range: Range<Int>) { file.finishWriting(range) }
  func close() { file.close() }
}
