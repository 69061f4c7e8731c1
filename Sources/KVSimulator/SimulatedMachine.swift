import KVCluster

/// The disks of a simulated cluster: one a node, and one with the configuration. To the cluster they are one data folder.
///
/// One thread uses it, as everything in a simulation.
final class SimulatedMachine: Disk, @unchecked Sendable {
  private(set) var disks: [(name: String, disk: SimulatedDisk)] = []
  let shared: SimulatedDisk
  private var random: SeededRandom
  private let isStaged: Bool

  /// - Parameter isStaged: what is stored in segments is lost with the program until it is written.
  init(random: SeededRandom, isStaged: Bool) {
    self.isStaged = isStaged
    var random = random
    shared = SimulatedDisk(random: random.split())
    self.random = random
  }

  /// The disk of a node; a new one if it has none yet.
  func disk(of node: String) -> SimulatedDisk {
    if let found = disks.first(where: { $0.name == node }) { return found.disk }
    let made = SimulatedDisk(random: random.split(), isStaged: isStaged)
    disks.append((node, made))
    return made
  }

  /// How often the machine has been started.
  private(set) var boot = 1

  /// The program ends, and with `losingPower` so does the whole machine.
  func restart(losingPower: Bool) {
    if losingPower { boot += 1 }
    shared.restart(losingPower: losingPower)
    for (_, disk) in disks { disk.restart(losingPower: losingPower) }
  }

  private func disk(for path: String) -> SimulatedDisk {
    let folder = path.utf8.prefix { $0 != UInt8(ascii: "/") }
    let suffix = ".wal".utf8
    guard folder.count > suffix.count, folder.suffix(suffix.count).elementsEqual(suffix) else { return shared }
    return disk(of: String(decoding: folder.dropLast(suffix.count), as: UTF8.self))
  }

  var segmentsMax: Int { SimulatedDisk.segmentsMax }
  func names(in folder: String) throws(StorageError) -> [String] { try disk(for: folder).names(in: folder) }
  func makeFolder(_ path: String) throws(StorageError) { try disk(for: path).makeFolder(path) }
  func removeFolder(_ path: String) throws(StorageError) { try disk(for: path).removeFolder(path) }
  func read(_ path: String) throws(StorageError) -> [UInt8]? { try disk(for: path).read(path) }

  func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    try disk(for: path).replace(path, produce)
  }

  func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    try disk(for: path).createSegment(path, capacity: capacity)
  }

  func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    try disk(for: path).openSegment(path, capacity: capacity)
  }

  func rename(_ file: any SegmentFile, to path: String) throws(StorageError) {
    try disk(for: path).rename(file, to: path)
  }

  func remove(_ path: String) throws(StorageError) { try disk(for: path).remove(path) }
}
