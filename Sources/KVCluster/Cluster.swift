/// A distributed key-value store in one process: a cluster of nodes, each with its own write-ahead log, index and
/// cache, that keep N copies of every key and answer by quorum.
///
/// With R + W > N (the default: N=3, R=2, W=2) puts, gets and deletes of a key are linearizable, through node
/// failures and while nodes join and leave. A write is acknowledged when W owners have it as durably as
/// ``ClusterOptions/fsync`` says.
///
/// ```swift
/// let cluster = try Cluster.open(ClusterOptions(dataFolder: "/tmp/demo"))
/// try await cluster.ready()
/// try await cluster.put(Array("user:1001".utf8), Array("Alice".utf8))
/// try await cluster.addNode("node4")
/// let value = try await cluster.get(Array("user:1001".utf8))
/// await cluster.close()
/// ```
///
/// Every method may be called from any thread and task.
public final class Cluster: Sendable {
  package let parts: Assembly
  /// Reads and writes of keys.
  package let dataPath: DataPath

  private init(_ parts: Assembly) {
    self.parts = parts
    dataPath = parts.dataPath
    parts.start()
  }

  /// Opens a cluster: locks the folder, reads the configuration or makes a new one, and starts recovery in the
  /// background. ``status()`` works at once; reads and writes are served after ``ready()``.
  ///
  /// - Throws: `ClusterError.dataFolder` if the folder is in use, was written by a newer version or says other
  ///   quorums than the options; `ClusterError.invalidArgument` for quorums that make no sense.
  public static func open(_ options: ClusterOptions) throws(ClusterError) -> Cluster {
    try open(options, isMaintained: true)
  }

  /// - Parameters:
  ///   - isMaintained: false leaves compaction and healing to ``repair(acceptsLoss:progress:)``.
  ///   - disk: what the cluster uses in place of the folder's own disk, which is handed to it.
  package static func open(
    _ options: ClusterOptions, isMaintained: Bool, disk: (any Disk) -> any Disk = { $0 }
  ) throws(ClusterError) -> Cluster {
    try options.check()
    let folder = try DataFolder(options, disk)
    var options = options
    options.segmentBytes = min(options.segmentBytes, folder.segmentBytesMax)
    do throws(ClusterError) {
      var random = SystemRandomNumberGenerator()
      return Cluster(
        try Assembly(options, folder, ThreadExecutor(), seed: random.next(), isMaintained: isMaintained))
    } catch {
      folder.close(removing: options.isEphemeral)
      throw error
    }
  }

  /// Opens a cluster on another disk than the machine's, with another executor than threads.
  /// - Parameters:
  ///   - boot: names the boot of the machine; after a loss of power it is another one.
  ///   - seed: names a new cluster, and decides what faulty links do.
  package static func open(
    _ options: ClusterOptions, on disk: any Disk, boot: String, seed: UInt64, executor: any Executor,
    isMaintained: Bool = true
  ) throws(ClusterError) -> Cluster {
    let folder = DataFolder(options.dataFolder, disk: disk, boot: boot)
    return Cluster(try Assembly(options, folder, executor, seed: seed, isMaintained: isMaintained))
  }

  /// Returns when recovery is done and reads and writes are served; throws why recovery failed.
  public func ready() async throws(ClusterError) {
    await parts.lifespan.recovered.wait()
    if let failure = parts.roster.withState({ $0.recoveryFailure }) { throw failure }
  }

  /// Finishes what is under way, puts everything on the disk (unless the policy is `never`), and unlocks the folder; an
  /// ephemeral one is removed. Operations fail with `ClusterError.notServing` from here on.
  public func close() async { await parts.close() }

  // MARK: - Reads and writes

  // A key has 1 to 65,535 bytes, a value 0 to 64 MiB, and an empty value is a value. Every write goes to all owners of its
  // key. An operation that does not find enough of them is refused with `ClusterError.unavailable`, and nothing was changed.
  // If they did not answer in time it throws `ClusterError.indeterminate`: a write may have taken effect or not.

  /// Stores a value. Durable on W owners as the fsync policy says when it returns.
  public func put(
    _ key: [UInt8], _ value: [UInt8], _ options: WriteOptions = WriteOptions()
  ) async throws(ClusterError) {
    try await dataPath.write(.put, key, value, options)
  }

  /// The newest value of a key, or `nil` if it has none.
  public func get(_ key: [UInt8], _ options: ReadOptions = ReadOptions()) async throws(ClusterError) -> [UInt8]? {
    try await dataPath.read(key, options)
  }

  /// Removes a key. Durable like a put.
  /// - Returns: whether a get at the same level, made just before, found a value; that look is not part of the guarantee.
  ///   ``KeyUpdating/take(_:)`` deletes and looks in one step.
  public func delete(_ key: [UInt8], _ options: WriteOptions = WriteOptions()) async throws(ClusterError) -> Bool {
    let existed = try await get(key, ReadOptions(consistency: options.consistency)) != nil
    try await dataPath.write(.delete, key, [], options)
    return existed
  }

  /// ``put(_:_:_:)`` for a thread: blocks it while the disk works. Allocates nothing unless it has to wait.
  public func putBlocking(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ options: WriteOptions = WriteOptions()
  ) throws(ClusterError) {
    try dataPath.writeBlocking(.put, key, value, options)
  }

  /// ``get(_:_:)`` for a thread, into the caller's memory. Allocates nothing unless it has to wait.
  /// - Returns: the value's byte count, of which as many were copied as fit; `nil` if the key has no value.
  public func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ options: ReadOptions = ReadOptions()
  ) throws(ClusterError) -> Int? {
    try dataPath.readBlocking(key, options) { value in
      let copied = min(value.count, buffer.count)
      if copied > 0 { buffer.baseAddress!.copyMemory(from: value.baseAddress!, byteCount: copied) }
      return value.count
    }
  }

  /// ``delete(_:_:)`` for a thread, without the look before. Allocates nothing unless it has to wait.
  public func deleteBlocking(
    _ key: UnsafeRawBufferPointer, _ options: WriteOptions = WriteOptions()
  ) throws(ClusterError) {
    try dataPath.writeBlocking(.delete, key, UnsafeRawBufferPointer(start: nil, count: 0), options)
  }

  /// Keys in use that begin with `prefix`, in the order of their bytes.
  ///
  /// A listing for people, not a consistent scan: it looks at every partition in turn. O(all keys).
  /// - Parameters:
  ///   - prefix: what the keys begin with; empty for all.
  ///   - after: the last key of the listing before this one.
  ///   - limit: at most this many; of the rest it is only known whether there are any.
  /// - Throws: `ClusterError.storage` if every owner of some keys has lost records: what is not there may have been.
  public func keys(prefix: [UInt8], after: [UInt8]? = nil, limit: Int) throws(ClusterError) -> KeyListing {
    try parts.keyScan.keys(prefix: prefix, after: after, limit: limit)
  }

  /// Keys in the order of their hashes, from a place on. A key that exists throughout a scan is found once; one that comes
  /// or goes meanwhile may be found or not. Places stay good over restarts and changes of membership. O(keys / 256 + limit).
  package func scan(from cursor: UInt64, limit: Int) throws(ClusterError) -> KeyScanPage {
    try parts.keyScan.scan(from: cursor, limit: limit)
  }

  // MARK: - Observation

  /// The cluster's state now. Costs about 50 µs for three nodes, takes each partition's lock for a moment, and may be
  /// called from any thread as often as a screen is drawn.
  public func status() -> ClusterStatus { parts.report.status() }

  /// Events after the one with this sequence number, oldest first, from the last ``Limits/eventsMax``.
  public func events(after sequence: UInt64) -> [ClusterEvent] { parts.events.after(sequence) }

  /// Events from now on. A listener more than ``Limits/eventsMax`` behind misses the oldest; the stream ends with the
  /// cluster.
  public func events() -> AsyncStream<ClusterEvent> { parts.events.stream() }

  package var verdictBoard: VerdictBoard { parts.verdict }
  /// The copies of a key at all its owners; `nil` where the owner does not answer or does not know.
  package func copies(of key: [UInt8]) -> [KeyCopy?] { dataPath.copies(of: key) }
  package var options: ClusterOptions { parts.options }
  /// Waits, as long as an operation may take, while so many nodes are compared after damage that reads are refused.
  package func untilCompared() async { await parts.keyScan.untilCompared() }

  // MARK: - Membership

  /// Adds a node and moves its share of the keys to it while reads and writes go on. Returns when the move is done;
  /// progress is in `ClusterStatus.change`. One change at a time: this one waits for those asked for before, as
  /// `ClusterStatus.queuedChanges` shows.
  /// - Parameter name: 1 to 64 letters, digits, `-`, `_` or `.`; becomes the folder `<name>.wal`.
  /// - Throws: `ClusterError.refused` if the node is a member already or too many changes wait.
  public func addNode(_ name: String) async throws(ClusterError) {
    try await parts.changes.change(QueuedChange(kind: .join, node: name))
  }

  /// Moves a node's keys to the others and removes it, log and all. A dead node can be removed too: its keys come from
  /// the other replicas. Waits for its turn as ``addNode(_:)`` does.
  /// - Throws: `ClusterError.refused` if it is the last node or unknown, or too many changes wait.
  public func removeNode(_ name: String) async throws(ClusterError) {
    try await parts.changes.change(QueuedChange(kind: .leave, node: name))
  }

  /// Gives all that `name` owns, dead or alive, to a new node, and removes `name`: nothing else moves, so a third node is
  /// not needed. The copies come from the other replicas, and from `name` while it answers. Waits for its turn as
  /// ``addNode(_:)`` does.
  /// - Throws: `ClusterError.refused` if there is no `name`, `replacement` is a member, or too many changes wait.
  public func replaceNode(_ name: String, with replacement: String) async throws(ClusterError) {
    try await parts.changes.change(QueuedChange(kind: .leave, node: name, replacement: replacement))
  }

  /// Stops a node as a crash of it would: it stops answering, frees its index and cache and closes its files. What it
  /// acknowledged stays in its log. It stays dead over a restart of the program until ``restart(_:)``.
  /// - Throws: `ClusterError.refused` if there is no such node or it is dead already.
  public func kill(_ name: String) async throws(ClusterError) { try await parts.nodeControl.kill(name) }

  /// Starts a dead node the way a cold start does: it reads its log, serves, and receives what it missed, first from
  /// hints, then by a comparison with the other owners. Returns when it has caught up.
  /// - Throws: `ClusterError.refused` if the node is not down; `ClusterError.storage` if its log is damaged.
  public func restart(_ name: String) async throws(ClusterError) { try await parts.nodeControl.restart(name) }

  // MARK: - Backup and repair

  /// Copies everything to a new folder while reads and writes go on; the copy is the cluster of one moment. Opening the
  /// copy is restoring it. On the disk, folder and all, on return. Not copied: checkpoints of nodes that are up, so the
  /// copy's first start reads their whole logs.
  /// - Parameters:
  ///   - path: a folder that is empty or not there; made with mode 0700.
  ///   - progress: after every megabyte; false stops.
  /// - Returns: `nil` if it was stopped; nothing is left of the copy then, nor after a failure.
  /// - Throws: `ClusterError.refused` if the folder is not empty or a membership change is under way;
  ///   `ClusterError.storage` if it cannot be written.
  public func backUp(
    to path: String, progress: @escaping @Sendable (BackupProgress) -> Bool = { _ in true }
  ) async throws(ClusterError) -> BackupSummary? {
    try await parts.backup.run(to: path, progress: progress)
  }

  /// Empties dead records out of the logs now, and gives the disk back what was kept for later. Otherwise maintenance does so
  /// once half of a log is dead, or when the disk is full. Returns when it is done; reads and writes go on meanwhile.
  /// - Parameter name: a node; all that answer if `nil`.
  /// - Throws: `ClusterError.refused` if there is no such node, or it is down.
  public func compact(_ name: String? = nil) async throws(ClusterError) -> CompactionSummary {
    precondition(parts.isMaintained, "nobody looks after the logs")
    return try await parts.space.compact(name)
  }

  /// Does at once and to the end what maintenance otherwise does little by little: reads every segment, rebuilds nodes that
  /// lost records, fetches damaged copies from other nodes, and empties damaged segments. For a cluster that was opened with
  /// `isMaintained: false` and serves nobody.
  /// - Parameters:
  ///   - acceptsLoss: once all is done that can be, what is left becomes the truth where nobody can say what was
  ///     acknowledged, and an older version, or none, where the newest is damaged everywhere.
  ///   - progress: false stops.
  /// - Returns: `nil` if it was stopped; what was healed until then stays so.
  package func repair(
    acceptsLoss: Bool = false, progress: @escaping @Sendable (RepairProgress) -> Bool
  ) async throws(ClusterError) -> RepairReport? {
    precondition(!parts.isMaintained, "two threads would look after one log")
    try await ready()
    return await parts.executor.result("repair") { [parts] in
      Repair(parts.maintenance, acceptsLoss, progress).run()
    }
  }

  // MARK: - Faults

  /// Lets a node hold still, as a stopped process does: messages to it queue until ``resume(_:)``.
  /// - Throws: `ClusterError.refused` if there is no such node, or it is paused already.
  public func pause(_ name: String) throws(ClusterError) { try parts.faults.pause(name) }

  /// Lets a paused node go on.
  public func resume(_ name: String) throws(ClusterError) { try parts.faults.resume(name) }

  /// Cuts all links between nodes of different groups. Nodes that are in no group belong to the last.
  public func partition(_ groups: [[String]]) throws(ClusterError) { try parts.faults.partition(groups) }

  /// Delays every message to and from a node; 0 ends that.
  public func slow(_ name: String, byNs delayNs: UInt64) throws(ClusterError) {
    try parts.faults.slow(name, byNs: delayNs)
  }

  /// Loses `perMille` of 1,000 messages to and from a node; 0 ends the loss.
  public func drop(_ name: String, perMille: Int) throws(ClusterError) {
    try parts.faults.drop(name, perMille: perMille)
  }

  /// Makes all links good and lets paused nodes go on.
  public func heal() { parts.faults.heal() }

  /// Flips the bits of one byte in a value that a node keeps on its disk: a reader or the scrub will find it, and it is
  /// fetched from another node again.
  /// - Throws: `ClusterError.refused` if the node does not answer or keeps no value.
  public func corrupt(_ name: String) throws(ClusterError) { try parts.faults.corrupt(name) }

  /// The next sync of a node's log fails, which stops the node: pages may be lost, so nothing of it is believed until it
  /// has been compared with others.
  public func failSync(_ name: String) throws(ClusterError) { try parts.faults.failSync(name) }
}
