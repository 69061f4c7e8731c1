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
    case noteOrderlyEnd
    case unlock
    case done
  }

  private let cluster: Cluster
  private var next = Step.endOperations
  private var replicas: [Replica] = []
  /// All logs so far are on the disk. A node that is down may have been killed with writes in the page cache only.
  private var isSynced = false

  package init(_ cluster: Cluster) { self.cluster = cluster }

  private var isKept: Bool { !cluster.options.isEphemeral }

  package func step() -> StepSchedule {
    switch next {
    case .endOperations:
      endOperations()
      next = replicas.isEmpty ? .noteOrderlyEnd : .checkpoint(node: 0)
    case .checkpoint(let i):
      if isKept, replicas[i].store.log.size.recordBytes > Limits.checkpointBytes / 8 {
        cluster.writeCheckpoint(replicas[i])
      }
      next = .sync(node: i)
    case .sync(let i):
      sync(replicas[i])
      next = .retire(node: i)
    case .retire(let i):
      cluster.retire(replicas[i], syncing: isKept && cluster.options.fsync != .never)
      cluster.roster.setState(.dead, of: replicas[i].id, replica: nil)
      next = i + 1 < replicas.count ? .checkpoint(node: i + 1) : .noteOrderlyEnd
    case .noteOrderlyEnd:
      if isSynced { cluster.noteOrderlyEnd() }
      next = .unlock
    case .unlock:
      cluster.folder.close(removing: !isKept)
      cluster.eventLog.finish()
      next = .done
    case .done: break
    }
    if case .done = next { return .done }
    return .again
  }

  private func endOperations() {
    cluster.noticeDeletion()
    cluster.executor.join()
    cluster.provisioner?.stop()
    cluster.dataPath.messages.endAll()
    replicas = cluster.roster.live
    isSynced = cluster.options.fsync != .never && replicas.count == cluster.roster.configuration.members.count
    cluster.roster.withState { $0.phase = .closed }
  }

  private func sync(_ replica: Replica) {
    guard isSynced, isKept else { return }
    replica.commit.syncNow()
    isSynced = replica.store.log.failure == nil
  }
}
