/// Classic mistakes of replicated stores, each of which can be planted to see that the simulation finds it. A cluster has
/// none unless a test or `kvstore simulate --mistake` asks for one.
///
/// Those of the data path are made by direct call and by message, except where one says why not. They cost a cluster
/// without them nothing: each is decided when the placement's rules or the replicas' service are made, or looked at only
/// where an owner does not answer.
package enum PlantedMistake: String, Sendable, CaseIterable {
  /// A read returns the newest version it has heard of, though few owners hold it.
  case noWriteBack
  /// A replica acknowledges before the write is on its disk.
  case acknowledgesEarly
  /// A hint for an owner counts as that owner's acknowledgement.
  case hintCountsAsAck
  /// The old owners of a range drop it before it has been streamed.
  case dropsBeforeStream
  /// While a node joins, only the new owners are written.
  case writesNewOwnersOnly
  /// The first tag after a start is one that may have been used.
  case reusesTags
  /// Owners forget a tombstone that one of them holds, without asking what the others hold and what is on its way.
  case purgesEarly
  /// A start cuts the last record of a log, which was acknowledged.
  case cutsTail
  /// A damaged copy answers "absent".
  case damagedIsAbsent
  /// A node that may have lost writes votes.
  case amnesiacVotes
  /// A write that is sent again gets a new tag. By message only: a direct write reaches each owner once, under one hold of
  /// the partition's lock, so nothing is ever sent again.
  case retriesWithNewTag
  /// A read of one owner decides.
  case readsOne
  /// What a node said in an earlier life counts, though it may have lost since what it spoke of.
  case believesPastLives
  /// A node or a link came back while keys that move were copied, and they are not gone over again.
  case streamsOnce
  /// Owners forget a tombstone that is not on all their disks.
  case purgesUnsynced
  /// A node that may have lost writes agrees with others when they are asked by direct call.
  case suspectsAgree
  /// A sync leaves out the segments that were sealed since the last one.
  case leavesSealedUnsynced
  /// A sync answers also those who came while it was under way.
  case answersLatecomers
  /// While owners change, a read waits for the old ones only to hold what it returns.
  case writesBackToOldOwners
  /// A change is settled while copies that moved are not on the disk.
  case settlesUnsynced
  /// Nobody remembers that a node's sync failed, once the node starts again.
  case forgetsFailedSync
  /// A node that may have lost writes is compared with one other owner before it votes.
  case rebuildsFromOne
  /// Compaction drops a purged tombstone while older records of its key are left.
  case buriesEarly
  /// A write whose tag was drawn before a newer tombstone was purged keeps it.
  case keepsPurgedTag
  /// A get that meets a read-modify-write that few owners hold brings it to the others as it is, under its old tag.
  case keepsBallot
  /// Replicas copy a read-modify-write from each other though few owners hold it.
  case copiesUndecided
  /// A read-modify-write gets a fresh place, as a put does, and not the one behind the version that it read.
  case updatesAfresh
  /// A read-modify-write that changes nothing is answered though few owners hold what it read.
  case answersUnsettled
  /// A start takes the slots of a checkpoint's segments as they were when it was written.
  case keepsSlots
  /// The expirer deletes whatever a key has by then, and not only what it saw expire.
  case expiresAnything
  /// A start knows nothing of the times at which values were seen to expire.
  case forgetsTime
  /// Batches are written down nowhere before they are carried out.
  case halvesBatches
}
