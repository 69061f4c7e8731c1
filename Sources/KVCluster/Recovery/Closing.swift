/// The orderly end of a cluster: what is under way ends, every log is put on the disk (unless the policy is `never`) with a
/// checkpoint of its index, and the folder is unlocked.
///
/// In steps, between any two of which a kill may come: until the last of them the next start must find all that was
/// acknowledged. Begins when nothing serves any more and no node is being started or stopped.
package final class Closing {
  private enum Step {
    case endOperations
    case checkpoint(node: Int)
    case sync(node: Int)
    case retire(node: Int)
    case witness
    case noteOrderlyEnd
    case unlock
    case done
  }

  private let options: ClusterOptions
  private let folder: DataFolder
  private let roster: Roster
  private let data: DataPath
  private let nodes: NodeLifecycle
  private let events: EventLog
  private let executor: any Executor
  private var next = Step.endOperations
  private var replicas: [Replica] = []
  /// All logs so far are on the disk. A node that is down may have been killed with writes in the page cache only.
  private var isSynced = false

  init(
    _ options: ClusterOptions, _ folder: DataFolder, _ roster: Roster, _ data: DataPath, _ nodes: NodeLifecycle,
    _ events: EventLog, _ executor: any Executor
  ) {
    self.options = options
    self.folder = folder
    self.roster = roster
    self.data = data
    self.nodes = nodes
    self.events = events
    self.executor = executor
  }

  private var isKept: Bool { !options.isEphemeral }

  package func step() -> StepSchedule {
    switch next {
    case .endOperations:
      endOperations()
      next = replicas.isEmpty ? .witness : .checkpoint(node: 0)
    case .checkpoint(let i):
      if isKept, replicas[i].store.log.size.recordBytes > options.checkpointBytes / 8 {
        nodes.writeCheckpoint(replicas[i])
      }
      next = .sync(node: i)
    case .sync(let i):
      sync(replicas[i])
      next = .retire(node: i)
    case .retire(let i):
      // What is kept for later is no use to a folder at rest.
      if isKept { replicas[i].whileOpen { replicas[i].store.log.giveBack() } }
      nodes.retire(replicas[i], syncing: isKept && options.fsync != .never)
      roster.setState(.dead, of: replicas[i].id, replica: nil)
      next = i + 1 < replicas.count ? .checkpoint(node: i + 1) : .witness
    case .witness:
      if isKept { nodes.witnesses.write(to: replicas.map(\.store.log.folder)) }
      next = .noteOrderlyEnd
    case .noteOrderlyEnd:
      if isSynced || options.fsync == .never { data.batches.close() }
      if isSynced { noteOrderlyEnd() }
      next = .unlock
    case .unlock:
      folder.close(removing: !isKept)
      events.finish()
      next = .done
    case .done: return .done
    }
    return .again
  }

  private func endOperations() {
    nodes.noticeDeletion()
    executor.join()
    nodes.stopProvisioning()
    data.messages.endAll()
    data.batches.finishAll()
    if isKept { data.clock.finish() }
    replicas = roster.live
    // By id: a node that left may still be open, while a member is not.
    isSynced =
      options.fsync != .never
      && roster.configuration.members.allSatisfy { member in replicas.contains { $0.id == member.id } }
    roster.withState { $0.phase = .closed }
  }

  private func sync(_ replica: Replica) {
    guard isSynced, isKept else { return }
    replica.commit.syncNow()
    isSynced = replica.store.log.failure == nil
  }

  /// Says that all is on the disk.
  private func noteOrderlyEnd() {
    guard let boot = folder.boot, isKept else { return }
    try? BootMark(boot: boot, isSafe: true).write(to: folder.disk)
  }
}
