import KVCluster

/// A disk in memory that does to a store what disks do, from a seed: at a loss of power it keeps of what was not synced
/// what chance leaves, sector by sector; it flips bits, fills up, fails calls, and stops the machine at a given step.
///
/// Steps are the calls that change the disk: making, growing and syncing a segment, writing to a staged one, renaming,
/// removing, and replacing a file. They are numbered, so that a test can stop the machine at each of them:
/// ``crash(atStep:_:)``. Stores into a mapped segment are no steps; they survive a crash, and a loss of power as chance
/// will have it. Names are durable when the call returns, as `Disk` demands; a crash inside the call finds them as before
/// or as after.
///
/// One thread uses it, as everything in a simulation.
package final class SimulatedDisk: Disk, @unchecked Sendable {
  /// In the order of their paths.
  private var files: [(path: String, inode: SimulatedInode)] = []
  private var random: SeededRandom
  private var faults: DiskFaults
  /// Bytes that all files together may have.
  package var capacityBytes = Int.max
  /// Syncs are begun and do not end: whoever drives a log on this disk must not expect them to.
  package var holdsSyncs = false
  /// A loss of power takes all that was not synced, not what chance will have, and a sync that fails leaves all in memory.
  package var losesAllUnsynced = false
  /// Steps so far.
  package private(set) var steps = 0
  private var plannedCrash: (step: Int, moment: DiskFaults.Moment)?
  package private(set) var isCrashed = false
  /// Handles of earlier lives are void.
  private(set) var life = 0
  /// Hears of every moment of every step, for tests that try a crash at each.
  package var onMoment: ((_ step: Int, DiskFaults.Moment) -> Void)?

  /// A simulation opens a thousand logs a second, all of them short: to map, touch and unmap a large table for each was a
  /// twentieth of its time.
  package static let segmentsMax = 128
  package var segmentsMax: Int { SimulatedDisk.segmentsMax }

  /// What is stored in segments is lost with the program until it is written: what `SegmentFile.isStaged` says.
  package private(set) var isStaged: Bool
  /// Shared by the disks of a machine.
  private let power: SimulatedPower?

  package convenience init(random: SeededRandom, isStaged: Bool = false) {
    self.init(random: random, isStaged: isStaged, power: nil)
  }

  init(random: SeededRandom, isStaged: Bool = false, power: SimulatedPower?) {
    self.isStaged = isStaged
    self.power = power
    var random = random
    faults = DiskFaults(random: random.split())
    self.random = random
  }

  /// A disk with the same content, that lives on by itself.
  package func copy(random: SeededRandom) -> SimulatedDisk {
    let copy = SimulatedDisk(random: random, isStaged: isStaged)
    copy.files = files.map { ($0.path, $0.inode.copy(capacity: 0)) }
    copy.capacityBytes = capacityBytes
    return copy
  }

  // MARK: - Faults

  /// The machine stops at a step, counted from the first as 1; from then on every call throws, until ``restart(losingPower:)``.
  package func crash(atStep step: Int, _ moment: DiskFaults.Moment) { plannedCrash = (step, moment) }

  /// The machine stops now.
  package func crashNow() { isCrashed = true }

  /// The processes of this machine are gone; so is, with `losingPower`, of what was not synced what chance takes.
  package func restart(losingPower: Bool) {
    isCrashed = false
    plannedCrash = nil
    life += 1
    for file in files { file.inode.end() }
    guard losingPower else { return }
    for file in files { file.inode.losePower(&random, isKeepingNone: losesAllUnsynced) }
  }

  /// Nobody gets an answer from it.
  private var isDown: Bool { isCrashed || power?.isStopped ?? false }

  /// The next program has it opened in another way. Only between two lives.
  package func change(isStaged: Bool) {
    self.isStaged = isStaged
    for file in files { file.inode.change(isStaged: isStaged) }
  }

  /// The machine of this disk loses its power, and starts again.
  package func losePower() { restart(losingPower: true) }

  /// The same, and of what was not synced nothing is left.
  func losePower(keepingNone: Bool) {
    let usual = losesAllUnsynced
    losesAllUnsynced = usual || keepingNone
    restart(losingPower: true)
    losesAllUnsynced = usual
  }

  /// The `number`-th call of this kind from now on fails, counted from 1.
  package func fail(_ operation: DiskFaults.Operation, number: Int = 1) { faults.fail(operation, number: number) }

  /// Calls of this kind fail in so many of 1,000 cases.
  package func fail(_ operation: DiskFaults.Operation, perMille: Int) { faults.fail(operation, perMille: perMille) }

  /// Flips bits of a byte, in memory and on the disk.
  package func flip(_ path: String, at offset: Int, mask: UInt8) {
    guard let inode = inode(path) else { preconditionFailure("no file \(path)") }
    inode.flip(at: offset, mask: mask)
  }

  /// Replaces a file by these bytes, outside of all counting; `nil` removes it.
  package func put(_ path: String, _ bytes: [UInt8]?) {
    files.removeAll { $0.path == path }
    if let bytes { link(path, SimulatedInode(bytes: bytes, isStaged: isStaged)) }
  }

  /// Paths and sizes of all files, in the order of their paths.
  package var listing: [(path: String, byteCount: Int)] { files.map { ($0.path, $0.inode.byteCount) } }

  /// The bytes of a file as programs see them, outside of all counting.
  package func bytes(_ path: String) -> [UInt8]? { inode(path)?.bytes }

  /// One byte of a file as it is on the disk; `nil` if there is none.
  func byte(_ path: String, at offset: Int) -> UInt8? {
    guard let inode = inode(path), inode.durable.indices.contains(offset) else { return nil }
    return inode.durable[offset]
  }

  /// A call is planned to fail that has not come yet.
  var hasPlannedFailure: Bool { faults.hasPlanned }

  /// Nothing is planned to fail any more.
  func cancelFailures() { faults.cancelPlanned() }

  package var freeBytes: Int { capacityBytes == .max ? .max : max(0, capacityBytes - usedBytes) }
  package var usedBytes: Int { files.reduce(0) { $0 + $1.inode.byteCount } }

  private static func crashed(_ path: String) -> StorageError { .io(operation: "crashed in", path: path, code: 5) }

  private func check(_ operation: DiskFaults.Operation, _ path: String, life: Int? = nil) throws(StorageError) {
    if isDown || life ?? self.life != self.life { throw SimulatedDisk.crashed(path) }
    if faults.isDue(operation) { throw .io(operation: "\(operation)", path: path, code: 5) }
  }

  private func pass(_ moment: DiskFaults.Moment, _ path: String) throws(StorageError) {
    if moment == .before { steps += 1 }
    onMoment?(steps, moment)
    if power?.ends(at: moment) ?? false { throw SimulatedDisk.crashed(path) }
    guard let planned = plannedCrash, planned.step == steps, planned.moment == moment else { return }
    isCrashed = true
    throw SimulatedDisk.crashed(path)
  }

  private func checkRoom(_ bytes: Int, _ path: String) throws(StorageError) {
    if bytes > capacityBytes - min(usedBytes, capacityBytes) { throw .diskFull(path: path) }
  }

  // MARK: - Names

  private func inode(_ path: String) -> SimulatedInode? {
    files.firstIndex { $0.path == path }.map { files[$0].inode }
  }

  private func link(_ path: String, _ inode: SimulatedInode) {
    let place = files.firstIndex { $0.path >= path } ?? files.count
    if place < files.count, files[place].path == path { return files[place].inode = inode }
    files.insert((path, inode), at: place)
  }

  package func names(in folder: String) throws(StorageError) -> [String] {
    try check(.read, folder)
    let prefix = (folder + "/").utf8
    return files.compactMap { file in
      let path = file.path.utf8
      return path.starts(with: prefix) ? String(path.dropFirst(prefix.count)) : nil
    }
  }

  package func makeFolder(_ path: String) throws(StorageError) { try check(.write, path) }

  package func removeFolder(_ path: String) throws(StorageError) {
    for name in try names(in: path) { try remove("\(path)/\(name)") }
  }

  package func read(_ path: String) throws(StorageError) -> [UInt8]? {
    try check(.read, path)
    return inode(path)?.bytes
  }

  package func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    try check(.write, path)
    var bytes: [UInt8] = []
    try produce { bytes += $0 }
    try checkRoom(bytes.count, path)
    try pass(.before, path)
    let (part, temporary) = (random.within(0...bytes.count), path + ".new")
    // Only for those who see the middle of it.
    let isSeen = onMoment != nil
    if isSeen { link(temporary, SimulatedInode(bytes: Array(bytes.prefix(part)))) }
    do {
      try pass(.during, path)
    } catch {
      if !isSeen { link(temporary, SimulatedInode(bytes: Array(bytes.prefix(part)))) }
      throw error
    }
    if isSeen { files.removeAll { $0.path == temporary } }
    link(path, SimulatedInode(bytes: bytes, isStaged: isStaged))
    try pass(.after, path)
  }

  package func rename(_ file: any SegmentFile, to path: String) throws(StorageError) {
    guard let file = file as? SimulatedFile else { preconditionFailure("a segment of another disk") }
    try check(.write, path, life: file.life)
    guard let named = inode(file.path) else { throw .io(operation: "rename", path: file.path, code: 2) }
    try pass(.before, path)
    precondition(named === file.inode, "\(file.path) has become another file")
    files.removeAll { $0.path == file.path }
    link(path, named)
    file.path = path
    try pass(.after, path)
  }

  package func remove(_ path: String) throws(StorageError) {
    try check(.write, path)
    try pass(.before, path)
    files.removeAll { $0.path == path }
    try pass(.after, path)
  }

  // MARK: - Segments

  package func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    try check(.write, path)
    guard inode(path) == nil else { throw .io(operation: "create", path: path, code: 17) }
    try pass(.before, path)
    let inode = SimulatedInode(capacity: capacity, isStaged: isStaged)
    link(path, inode)
    try pass(.after, path)
    return SimulatedFile(self, inode, path: path, capacity: capacity, life: life)
  }

  package func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile {
    try check(.read, path)
    guard var inode = inode(path) else { throw .io(operation: "open", path: path, code: 2) }
    if inode.capacity < capacity {
      inode = inode.copy(capacity: capacity)
      link(path, inode)
    }
    return SimulatedFile(self, inode, path: path, capacity: capacity, life: life)
  }

  func grow(_ file: SimulatedFile, to byteCount: Int) throws(StorageError) {
    try check(.write, file.path, life: file.life)
    try checkRoom(byteCount - file.inode.byteCount, file.path)
    try pass(.before, file.path)
    file.inode.checkBounds(file.path)
    file.inode.extend(to: random.within(file.inode.byteCount...max(file.inode.byteCount, byteCount)))
    try pass(.during, file.path)
    file.inode.extend(to: byteCount)
    try syncNow(file)
    try pass(.after, file.path)
  }

  func write(_ file: SimulatedFile, _ range: Range<Int>) throws(StorageError) {
    guard isStaged, !range.isEmpty else { return }
    try check(.write, file.path, life: file.life)
    try pass(.before, file.path)
    file.inode.write(range.lowerBound..<random.within(range.lowerBound...range.upperBound))
    try pass(.during, file.path)
    file.inode.write(range)
    try pass(.after, file.path)
  }

  func giveBack(_ file: SimulatedFile, _ range: Range<Int>) {
    if isStaged, file.life == life { file.inode.giveBack(range) }
  }

  func sync(_ file: SimulatedFile) throws(StorageError) {
    if isDown || file.life != life { throw SimulatedDisk.crashed(file.path) }
    try pass(.before, file.path)
    try syncNow(file)
    try pass(.after, file.path)
    power?.onSynced?()
  }

  private func syncNow(_ file: SimulatedFile) throws(StorageError) {
    file.inode.checkBounds(file.path)
    if faults.isDue(.sync) {
      file.inode.failSync(&random, keepingNone: losesAllUnsynced)
      throw .io(operation: "fdatasync", path: file.path, code: 5)
    }
    file.inode.sync()
  }
}
