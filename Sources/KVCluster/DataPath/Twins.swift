/// Two copies of one version that are not the same: equal tag, other content.
///
/// A tag is drawn once, so equal tags are the same write, and nearly everything relies on that: reads that agree compare
/// tags alone, and so do sweeps and Merkle trees. (To compare contents there would cost each read a cache miss at every
/// further owner.) What breaks it is beyond one process: a folder was copied, both were used, and then nodes' folders of the
/// one came to the other. Each of the two copies was acknowledged by its own cluster, so neither is right, and a get that
/// returned either could be followed by one that returns the other.
///
/// So twins are treated as damage of all these copies: gets of the key are refused, nobody copies it, until there is more
/// evidence, which is that more owners hold the same content than all others together; then these have it too. Else a put or
/// delete settles it, or `kvstore repair --accept-loss`. Which keys have twins is in memory only: a start finds them again,
/// by ``TwinSearch``, by a get that asks everyone, or by `kvstore verify`.
struct Twins {
  var tag: Tag
  /// Owners by what they hold, the largest group first.
  var groups: [(content: RecordContent, owners: [Replica])]

  /// Those whose copies are right because more owners hold them than all others together; `nil` if nobody can say.
  var majority: [Replica]? {
    let others = groups.dropFirst().reduce(0) { $0 + $1.owners.count }
    return groups[0].owners.count > max(1, others) ? groups[0].owners : nil
  }

  var names: [String] { groups.flatMap { $0.owners.map(\.name) } }
}

extension Partition {
  /// Notes that copies under this hash are twins; more of them than there is room for are found again later.
  mutating func noteTwins(_ hash: UInt64) {
    guard twins.count < Limits.twinsPerPartitionMax else { return }
    twins.insert(hash)
    hasTwins = true
    rarities._withUnsafeGuaranteedRef { $0.twins.store(true, ordering: .releasing) }
  }

  mutating func forgetTwins(_ hash: UInt64) {
    twins.remove(hash)
    hasTwins = !twins.isEmpty
  }
}

extension PartitionTable {
  /// What owners that answer hold under this hash where it is the newest version of each of them and not the same; `nil`
  /// if there is nothing such. Call with the partition's lock held.
  func twins(_ hash: UInt64) -> Twins? {
    let partition = self[Store.partition(of: hash)]
    let participants = partition.pointee.view.takeUnretainedValue().participants(ofSlot: Ring.slot(of: hash))
    var found: [Twins] = []
    for i in 0..<participants.count {
      guard let owner = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { continue }
      owner.store.forEach(withHash: hash) { slot, record in
        let content = RecordContent(record)
        guard let known = found.firstIndex(where: { $0.tag == slot.tag }) else {
          return found.append(Twins(tag: slot.tag, groups: [(content, [owner])]))
        }
        if let group = found[known].groups.firstIndex(where: { $0.content == content }) {
          found[known].groups[group].owners.append(owner)
        } else {
          found[known].groups.append((content, [owner]))
        }
      }
    }
    guard var twins = found.first(where: { $0.groups.count > 1 }) else { return nil }
    twins.groups.sort { ($0.owners.count, $0.content.valueChecksum) > ($1.owners.count, $1.content.valueChecksum) }
    return twins
  }

  /// Whether copies under this hash may go to other owners: one of twins would pass for evidence there. Call with the
  /// partition's lock held.
  func mayCopy(_ hash: UInt64) -> Bool {
    guard twins(hash) != nil else { return true }
    self[Store.partition(of: hash)].pointee.noteTwins(hash)
    return false
  }

  /// Why a key cannot be read however long its caller waits: its copies are twins, or too many of its owners have lost
  /// records; `nil` if it is neither.
  func lastingRefusal(of hash: UInt64, folder: String) -> ClusterError? {
    let partition = self[Store.partition(of: hash)]
    return partition.lock.pointee.withLock {
      if let refusal = refusal(ofTwins: hash, folder: folder) { return refusal }
      let view = partition.pointee.view.takeUnretainedValue()
      var lost = Refusal(needed: 0, owners: 0, consistency: nil, folder: folder)
      lost.lost = lostRange(view.participants(ofSlot: Ring.slot(of: hash)), partition)
      return lost.lost.isEmpty ? nil : lost.error
    }
  }

  /// Why a key whose copies are twins cannot be read; `nil` if they are no more. Call with the partition's lock held.
  func refusal(ofTwins hash: UInt64, folder: String) -> ClusterError? {
    guard let twins = twins(hash) else {
      self[Store.partition(of: hash)].pointee.forgetTwins(hash)
      return nil
    }
    return .storage(
      .init(
        "\(Names.list(twins.names)) hold different contents of this key under one version, so their folders do not belong "
          + "together: one comes from a copy that was used by itself. Nothing was changed; put or delete the key anew, or close "
          + "the cluster and put the right folder back", nodes: twins.names, advice: .verify(folder: folder)))
  }
}
