/// What nodes tell the folders of each other; see ``Witness``.
extension NodeLifecycle {
  /// Notes how far a node's log reaches, for the next witness.
  func note(_ replica: Replica) {
    guard roster.node(named: replica.name) != nil else { return }
    let store = replica.store
    let suspicion = !store.isSuspect ? nil : store.hasLost ? SuspectMark.Cause.lost : .unsynced
    // First what was synced: both may grow meanwhile.
    let synced = store.log.synced
    let written = store.log.written
    witnesses.update { $0.note(replica.name, synced: synced, written: written, suspicion) }
  }

  /// Writes to all folders what is known now.
  /// - Returns: whether one of them has it, or none needs to.
  @discardableResult
  func writeWitnesses() -> Bool {
    if options.isEphemeral { return true }
    let replicas = roster.live
    for replica in replicas { note(replica) }
    return witnesses.write(to: replicas.map(\.store.log.folder))
  }

  /// Writes to one folder what is known now, if that is due.
  func writeWitnessIfDue() {
    guard !options.isEphemeral, witnesses.isDue(Clock.nowNs()) else { return }
    let replicas = roster.live
    for replica in replicas { note(replica) }
    witnesses.writeNext(of: replicas.map(\.store.log.folder))
  }

  /// Tells the folders of a configuration that is durable, before anyone acts on it.
  func witness(_ configuration: Configuration) {
    witnesses.update { $0.note(configuration) }
    writeWitnesses()
  }

  /// The folders that hear of a start: of all members, also of those that are down, but for those that failed: their disks
  /// are bad, or they are of another copy.
  static func foldersAtStart(_ roster: Roster, _ witnesses: Witnesses) -> [String] {
    roster.withState { state in
      state.nodes.filter { node in
        if case .failed = node.state { return false }
        return node.replica != nil || !witnesses.foreign.contains(node.name)
      }.map { DataFolder.logFolder($0.name) }
    }
  }

  /// What the other folders know of a node's log, before it is opened.
  struct Known {
    /// It has had a log.
    var isExpected: Bool
    /// Up to where it must reach.
    var end: LogPosition
  }

  /// - Parameter isLeased: some node has had tags; it counts where no witness was found.
  /// - Throws: the node's folder is of another copy.
  func known(of name: String, isLeased: Bool) throws(StorageError) -> Known {
    try witnesses.examine(name)
    let log = witnesses.log(name)
    let folder = DataFolder.logFolder(name)
    let mark = try SuspectMark.read(from: self.folder.disk, folder: folder)
    // Of what was not synced a loss of power, or a failed sync, may have taken any part.
    let mayMissUnsynced =
      mayHaveLostPower(name) || mark?.mayHaveLostPower ?? false || log?.suspicion == .unsynced
    let end = (mayMissUnsynced ? log?.synced : log?.written) ?? .start
    if let suspicion = log?.suspicion, mark == nil || suspicion == .lost && mark?.cause == .unsynced {
      do throws(StorageError) {
        try self.folder.disk.makeFolder(folder)
        try SuspectMark.write(suspicion, to: self.folder.disk, folder: folder)
      } catch {
        unmarkedSuspects.withLock { $0.append(name) }
      }
    }
    return Known(isExpected: witnesses.isFirst ? isLeased : log != nil, end: end)
  }
}
