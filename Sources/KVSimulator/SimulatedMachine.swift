import KVCluster

/// The disks of a simulated cluster: one a node, and one with the configuration. To the cluster they are one data folder.
///
/// One thread uses it, as everything in a simulation.
final class SimulatedMachine: Disk, @unchecked Sendable {
  private(set) var disks: [(name: String, disk: SimulatedDisk)] = []
  let shared: SimulatedDisk
  private var random: SeededRandom
  private var isStaged: Bool
  let power = SimulatedPower()

  /// - Parameter isStaged: what is stored in segments is lost with the program until it is written.
  init(random: SeededRandom, isStaged: Bool) {
    self.isStaged = isStaged
    var random = random
    shared = SimulatedDisk(random: random.split(), power: power)
    self.random = random
  }

  /// The disk of a node; a new one if it has none yet.
  func disk(of node: String) -> SimulatedDisk {
    if let found = disks.first(where: { $0.name == node }) { return found.disk }
    let made = SimulatedDisk(random: random.split(), isStaged: isStaged, power: power)
    disks.append((node, made))
    return made
  }

  /// How often the machine has been started.
  private(set) var boot = 1

  /// The program ends, and with `losingPower` so does the whole machine.
  func restart(losingPower: Bool) {
    if losingPower { boot += 1 }
    power.restart()
    shared.restart(losingPower: losingPower)
    for (_, disk) in disks { disk.restart(losingPower: losingPower) }
  }

  /// The next life of the program stages its segments, or does not. Call between two lives.
  func change(isStaged: Bool) {
    self.isStaged = isStaged
    for (_, disk) in disks { disk.change(isStaged: isStaged) }
  }

  /// The program ends within one of the next calls to any of its disks: the `steps`-th, counted from 1.
  func stop(atStep steps: Int, _ moment: DiskFaults.Moment) { power.stop(atStep: steps, moment) }
  func keepRunning() { power.keepRunning() }
  /// It has; every call to a disk throws, until ``restart(losingPower:)``.
  var isStopped: Bool { power.isStopped }

  /// Every file of every disk as programs see it; the disk that nodes share has no name.
  var contents: [(disk: String?, path: String, bytes: [UInt8])] {
    ([(nil, shared)] + disks.map { (Optional($0.name), $0.disk) }).flatMap { name, disk in
      disk.listing.map { (name, $0.path, disk.bytes($0.path)!) }
    }
  }

  /// Replaces all files by these. Call between two lives of the program.
  func replaceContents(_ contents: [(disk: String?, path: String, bytes: [UInt8])]) {
    for disk in [shared] + disks.map(\.disk) {
      for file in disk.listing { disk.put(file.path, nil) }
    }
    for (name, path, bytes) in contents { (name.map { disk(of: $0) } ?? shared).put(path, bytes) }
  }

  private func disk(for path: String) -> SimulatedDisk {
    let folder = path.utf8.prefix { $0 != UInt8(ascii: "/") }
    let suffix = ".wal".utf8
    guard folder.count > suffix.count, folder.suffix(suffix.count).elementsEqual(suffix) else { return shared }
    return disk(of: String(decoding: folder.dropLast(suffix.count), as: UTF8.self))
  }

  var segmentsMax: Int { SimulatedDisk.segmentsMax }
  func names(in folder: String) throws(StorageError) -> [String] {
    guard folder.isEmpty else { return try disk(for: folder).names(in: folder) }
    let logs = disks.filter { !$0.disk.listing.isEmpty }.map { "\($0.name).wal" }
    return (shared.listing.map(\.path) + logs).sorted()
  }

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
