import Synchronization

/// The witnesses of a cluster's folders (see ``Witness``): compared when the cluster opens, written while it is open.
///
/// - *Order.* The data folder's comes first where a start is recorded, and must succeed: the cluster does not open without
///   that folder, so whatever start any folder knows, the next start of the cluster knows too, and a crash between two
///   witnesses makes no folder foreign. Of everything else a witness is written after the fact: after the sync, after the
///   configuration, and after the mark of a suspect node; a crash in between leaves one that says less.
/// - *Cost.* While logs grow one folder a second gets a new witness, which takes two fsyncs; all of them do at starts,
///   changes of the configuration, after a node was rebuilt, and at the end.
/// - A folder that takes none (its disk is full or has failed) is passed over: the others know.
final class Witnesses: Sendable {
  private struct State {
    var newest: Witness
    var reader: Witness.Reader
    /// The start was recorded.
    var hasBegun = false
    /// What the folders were last told, but for the count.
    var recorded: Witness?
    /// Whose turn it is.
    var turn = 0
    var nextNs: UInt64 = 0
  }

  /// Nodes whose folders were of another copy when the cluster opened.
  let foreign: [String]
  private let disk: any Disk
  private let state: Mutex<State>
  /// One writer at a time: a newer witness is never replaced by an older one.
  private let writing = Mutex<Void>(())
  /// Draws the name of this start.
  private let name: UInt64

  private static let pauseNs: UInt64 = 1_000_000_000

  /// Where the configuration lies.
  static let clusterFolder = TagLease.clusterFolder

  /// Reads the witnesses and compares them with the configuration.
  /// - Parameters:
  ///   - boot: names the boot of the machine; `nil` where the system does not say.
  ///   - seed: names this start, together with its number.
  /// - Throws: ``ClusterError/dataFolder(_:)`` if the configuration is older than the nodes' folders or of another copy.
  init(
    _ disk: any Disk, _ configuration: Configuration, path: String, boot: String?, seed: UInt64
  ) throws(ClusterError) {
    let evidence = FolderEvidence(disk, configuration)
    if let objection = evidence.objection(to: configuration) {
      throw .dataFolder("\(path): \(objection). Nothing was changed")
    }
    isFirst = evidence.newest == nil
    foreign = evidence.foreign
    var newest = evidence.newest ?? Witness(clusterID: configuration.clusterID)
    newest.note(configuration)
    newest.enter(boot: boot)
    self.disk = disk
    var random = SeededRandom(seed: seed ^ (newest.start + 1) &* 0x9e37_79b9_7f4a_7c15)
    name = random.next()
    state = Mutex(State(newest: newest, reader: evidence.reader))
  }

  /// What is known of a node's log; `nil` for one that is not known to have had any.
  func log(_ name: String) -> Witness.Log? { state.withLock { $0.newest.log(name) } }

  /// Whether there was none when the cluster opened: it is new, or an older version wrote it.
  let isFirst: Bool

  /// Compares the witness in a node's folder with what is known.
  /// - Throws: ``StorageError/unusable(path:reason:)`` if the folder was used in another copy of the cluster.
  func examine(_ node: String) throws(StorageError) {
    let folder = DataFolder.logFolder(node)
    let (found, newest) = try state.withLock { state throws(StorageError) in
      (try state.reader.read(from: disk, folder: folder), state.newest)
    }
    guard let found else { return }
    guard found.clusterID == newest.clusterID, !found.isOfOneHistory(with: newest) else { return }
    throw .unusable(path: folder, reason: FolderEvidence.foreignWords(folder))
  }

  /// What is known, but for these nodes.
  func copy(without nodes: [String]) -> Witness {
    var copy = state.withLock { $0.newest }
    copy.count += 1
    copy.logs.removeAll { nodes.contains($0.name) }
    return copy
  }

  /// Changes what is known, for whoever writes it next.
  func update(_ body: (inout Witness) -> Void) { state.withLock { body(&$0.newest) } }

  /// Records that the cluster has been opened, before anything is written under this start.
  /// - Parameter folders: those of nodes that can be reached.
  func begin(in folders: [String]) throws(StorageError) {
    try writing.withLock { _ throws(StorageError) in
      guard !state.withLock({ $0.hasBegun }) else { return }
      var witness = state.withLock { $0.newest }
      witness.begin(name)
      let bytes = witness.bytes
      try disk.replace(Witness.path(Witnesses.clusterFolder), with: bytes)
      state.withLock { state in
        // What was noted meanwhile stays.
        state.newest.begin(name)
        state.hasBegun = true
      }
      for folder in folders { try? disk.replace(Witness.path(folder), with: bytes) }
    }
  }

  /// Writes what is known to the folders, and to the cluster's own. Before ``begin(in:)`` it does nothing.
  /// - Returns: whether one of them has it.
  @discardableResult
  func write(to folders: [String]) -> Bool {
    writing.withLock { _ in
      guard let bytes = next()?.bytes else { return false }
      var isWritten = false
      for folder in [Witnesses.clusterFolder] + folders {
        isWritten = (try? disk.replace(Witness.path(folder), with: bytes)) != nil || isWritten
      }
      return isWritten
    }
  }

  /// Whether a folder should get a witness now; at most one a second.
  func isDue(_ nowNs: UInt64) -> Bool {
    state.withLock { state in
      guard state.hasBegun, nowNs >= state.nextNs else { return false }
      state.nextNs = nowNs + Witnesses.pauseNs
      return true
    }
  }

  /// Writes what is known to the next folder, if it is news: all have it after so many seconds as there are folders.
  func writeNext(of folders: [String]) {
    writing.withLock { _ in
      let all = [Witnesses.clusterFolder] + folders
      let turn = state.withLock { state -> Int? in
        var known = state.newest
        known.count = 0
        if state.turn % all.count == 0 {
          if state.recorded == known { return nil }
          state.recorded = known
        }
        state.turn += 1
        return (state.turn - 1) % all.count
      }
      guard let turn, let witness = next() else { return }
      try? disk.replace(Witness.path(all[turn]), with: witness.bytes)
    }
  }

  private func next() -> Witness? {
    state.withLock { state in
      guard state.hasBegun else { return nil }
      state.newest.count += 1
      return state.newest
    }
  }
}

/// The witnesses that were found in the folders of a cluster, compared with each other: of which the newest counts, and
/// which are of another copy.
struct FolderEvidence {
  private(set) var newest: Witness?
  /// Nodes whose folders were used in another copy.
  private(set) var foreign: [String] = []
  /// The cluster's own folder is of another copy than those of most nodes.
  private(set) var isRootForeign = false
  private(set) var reader = Witness.Reader()

  init(_ disk: any Disk, _ configuration: Configuration) {
    var reader = Witness.Reader()
    let read = { (folder: String) -> Witness? in
      let witness = (try? reader.read(from: disk, folder: folder)) ?? nil
      return witness?.clusterID == configuration.clusterID ? witness : nil
    }
    defer { self.reader = reader }
    var names = configuration.members.map(\.name)
    // An older configuration does not know the nodes that have joined since, and their folders know of it.
    for name in (try? disk.names(in: "")) ?? []
    where name.hasSuffix(".wal") && !names.contains(String(name.dropLast(4))) {
      names.append(String(name.dropLast(4)))
    }
    let root = read(Witnesses.clusterFolder)
    let found = names.compactMap { name in read(DataFolder.logFolder(name)).map { (name: name, witness: $0) } }
    let agreeing = { (witness: Witness) in found.count { $0.witness.isOfOneHistory(with: witness) } }
    guard let chief = root ?? FolderEvidence.mostTrusted(found.map(\.witness), agreeing) else { return }
    isRootForeign = root != nil && 2 * agreeing(chief) < found.count
    foreign = found.filter { !$0.witness.isOfOneHistory(with: chief) }.map(\.name)
    newest = found.map(\.witness).filter { $0.isOfOneHistory(with: chief) }.reduce(chief) {
      $1.isNewer(than: $0) ? $1 : $0
    }
  }

  private static func mostTrusted(_ witnesses: [Witness], _ agreeing: (Witness) -> Int) -> Witness? {
    witnesses.max { a, b in
      let (x, y) = (agreeing(a), agreeing(b))
      return x != y ? x < y : b.isNewer(than: a)
    }
  }

  /// Why the configuration must not be used with these folders; `nil` if nothing speaks against it.
  func objection(to configuration: Configuration) -> String? {
    if isRootForeign {
      return
        "the configuration is of another copy of this folder than the folders of the nodes: both copies were in use. "
        + "Put back all files of one copy"
    }
    guard let newest else { return nil }
    if configuration.epoch < newest.epoch {
      return
        "the configuration is of epoch \(configuration.epoch), and the nodes have served under epoch \(newest.epoch): "
        + "it is an older one, and keys would not be found. Put the newest one back, or restore a whole backup: the "
        + "configuration and the folders of all nodes together"
    }
    if configuration.epoch == newest.epoch, configuration.fingerprint != newest.fingerprint {
      return
        "the configuration is not the one of epoch \(newest.epoch) that the nodes have served under: it is of another "
        + "copy of this folder. Put back that one, or restore a whole backup: the configuration and the folders of all "
        + "nodes together"
    }
    return nil
  }

  static func foreignWords(_ folder: String) -> String {
    "it was in use in another copy of the data folder, and is not of one history with the others: equal versions may be "
      + "different writes. Nothing was changed. Put its own folder back; or close kvstore and remove \(folder), and the "
      + "node is rebuilt from the others"
  }
}
