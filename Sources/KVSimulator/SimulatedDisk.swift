import KVCluster

/// A disk in memory that remembers what has been synced, and at a loss of power keeps of the rest what chance leaves.
///
/// Names and small files are durable at once (the engine syncs them before it relies on them); records are not until
/// their segment is synced. One thread uses it, as everything in a simulation.
package final class SimulatedDisk: Disk, @unchecked Sendable {
  /// A file and what of it a loss of power would leave.
  final class File: SegmentFile, @unchecked Sendable {
    fileprivate(set) var path: String
    let base: UnsafeMutableRawPointer
    let capacity: Int
    private(set) var byteCount = 0
    private var durable: [UInt8] = []
    private(set) var syncs = 0

    init(path: String, capacity: Int) {
      self.path = path
      self.capacity = capacity
      base = .allocate(byteCount: capacity, alignment: 4096)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
    }

    deinit { base.deallocate() }

    func grow(to byteCount: Int) throws(StorageError) {
      self.byteCount = max(self.byteCount, byteCount)
      durable += [UInt8](repeating: 0, count: max(0, byteCount - durable.count))
    }

    func sync() throws(StorageError) {
      syncs += 1
      durable.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: base, count: byteCount)) }
    }

    func prepareToWrite(_ range: Range<Int>) {}
    func finishWriting(_ range: Range<Int>) {}

    /// The handle goes, the file stays.
    func close() {}

    /// Each sector that was not synced is old or new.
    func losePower(_ random: inout SeededRandom) {
      for sector in stride(from: 0, to: byteCount, by: SimulatedDisk.sectorBytes) {
        let count = min(SimulatedDisk.sectorBytes, byteCount - sector)
        let isSame = durable.withUnsafeBytes { old in
          UnsafeRawBufferPointer(start: base + sector, count: count).elementsEqual(old[sector..<sector + count])
        }
        if isSame || random.chance(perMille: 500) { continue }
        durable.withUnsafeBytes { (base + sector).copyMemory(from: $0.baseAddress! + sector, byteCount: count) }
      }
      durable.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: base, count: byteCount)) }
    }
  }

  private static let sectorBytes = 512
  /// In the order of their names.
  private var segments: [File] = []
  private var smallFiles: [(path: String, bytes: [UInt8])] = []
  private var random: SeededRandom

  package init(random: SeededRandom) {
    self.random = random
  }

  /// The machine of this disk loses its power.
  package func losePower() {
    for file in segments { file.losePower(&random) }
  }

  package func names(in folder: String) throws(StorageError) -> [String] {
    let prefix = folder + "/"
    let paths = segments.map(\.path) + smallFiles.map(\.path)
    return paths.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  package func makeFolder(_ path: String) throws(StorageError) {}

  package func removeFolder(_ path: String) throws(StorageError) {
    segments.removeAll { $0.path.hasPrefix(path + "/") }
    smallFiles.removeAll { $0.path.hasPrefix(path + "/") }
  }

  package func read(_ path: String) throws(StorageError) -> [UInt8]? { smallFiles.first { $0.path == path }?.bytes }

  package func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    var bytes: [UInt8] = []
    try produce { bytes += $0 }
    smallFiles.removeAll { $0.path == path }
    smallFiles.append((path, bytes))
  }

  package func rename(_ file: any SegmentFile, to path: String) throws(StorageError) {
    guard let file = file as? File else { preconditionFailure("a segment of another disk") }
    file.path = path
    segments.sort { $0.path < $1.path }
  }

  package func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    let file = File(path: path, capacity: capacity)
    segments.append(file)
    segments.sort { $0.path < $1.path }
    return file
  }

  package func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    if let file = segments.first(where: { $0.path == path }) { return file }
    guard let small = smallFiles.first(where: { $0.path == path }) else {
      throw .io(operation: "open", path: path, code: 2)
    }
    let file = File(path: path, capacity: max(capacity, small.bytes.count))
    try file.grow(to: small.bytes.count)
    small.bytes.withUnsafeBytes { file.base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    return file
  }

  package func remove(_ path: String) throws(StorageError) {
    segments.removeAll { $0.path == path }
    smallFiles.removeAll { $0.path == path }
  }
}
