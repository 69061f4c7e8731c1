import Synchronization

/// Putting a log on the disk.
extension Log {
  /// Puts everything appended before the call on the disk. One caller at a time.
  ///
  /// Leaves a mark of what it synced in front of the next batch, by which recovery tells a torn tail from corruption.
  /// - Throws: after a failed sync the log takes no more records: pages may have been dropped, trying again could
  ///   report success for bytes that are gone (ATC '20, "Can Applications Recover from fsync Failures?").
  package func sync() throws(StorageError) {
    typealias Target = (
      position: LogPosition, files: [any SegmentFile], unwritten: [Written], finished: [Written]
    )
    let target = try withTail { (tail: inout Tail) throws(StorageError) -> Target? in
      if let failure = tail.failure { throw failure }
      let position = LogPosition(segment: tail.id, offset: tail.offset)
      guard position > durable, let file = tail.segment?.file else { return nil }
      let files = leavesSealedUnsynced.load(ordering: .relaxed) ? [file] : tail.unsynced + [file]
      tail.unsynced = []
      let unwritten = takeUnwritten(&tail)
      return (position, files, unwritten, takeFinished(&tail, upTo: tail.offset))
    }
    guard let target else { return }
    do {
      try write(target.unwritten)
      for (file, range) in target.finished { file.finishWriting(range) }
      for file in target.files { try file.sync() }
    } catch {
      stop(error)
      throw error
    }
    syncedRaw.store(target.position.rawValue, ordering: .releasing)
    durableRaw.store(target.position.rawValue, ordering: .releasing)
    syncCount.wrappingAdd(1, ordering: .relaxed)
    try markSynced(target.position)
  }

  /// Nothing can be said any more of what was not on the disk.
  private func stop(_ error: StorageError) {
    withTail {
      $0.failure = error
      $0.limit = 0
    }
  }

  /// The mark itself waits for the next sync, and an idle log is not synced for its mark alone: when nothing was
  /// appended in between, the durable position moves past it. A full disk may go without: the mark sharpens recovery.
  /// For the same reason a staged file gets it at once: it tells a crash of the program, and what was appended before it
  /// with it, for it must not stand behind a gap.
  private func markSynced(_ position: LogPosition) throws(StorageError) {
    var unwritten: [Written] = []
    let at = withTail { tail -> LogPosition? in
      defer { unwritten = takeUnwritten(&tail) }
      var id = tail.id.littleEndian
      // The segment may be a new one by the time the mark is written.
      if tail.offset + LogFormat.syncMarkBytes > tail.limit { return nil }
      return withUnsafeBytes(of: &id) { key in
        let empty = UnsafeRawBufferPointer(start: key.baseAddress, count: 0)
        let mark = Tag(rawValue: position.rawValue)
        guard
          let location = try? append(.syncMark, tag: mark, key: key, value: empty, valueChecksum: 0, &tail)
        else { return nil }
        table.addDead(location.byteCount, slot: location.slot)
        return table.position(of: location)
      }
    }
    do {
      try write(unwritten)
    } catch {
      stop(error)
      throw error
    }
    guard at == position else { return }
    durableRaw.store(
      position.rawValue + UInt64(LogFormat.syncMarkBytes / LogFormat.alignment), ordering: .releasing)
  }

  // MARK: - Staged files

  /// What the files do not have yet, in the order in which it was appended.
  private func takeUnwritten(_ tail: inout Tail) -> [Written] {
    var unwritten = tail.unwritten
    tail.unwritten = []
    if let file = tail.segment?.file, file.isStaged { unwritten.append((file, tail.staged..<tail.offset)) }
    tail.staged = tail.offset
    return unwritten
  }

  /// Makes what was taken part of the files.
  private func write(_ unwritten: [Written]) throws(StorageError) {
    for (file, range) in unwritten { try file.write(range) }
    guard let (file, range) = unwritten.last else { return }
    withTail { if $0.segment?.file === file { $0.written = range.upperBound } }
  }

  /// What has been written since the last call, up to an offset of the tail.
  func takeFinished(_ tail: inout Tail, upTo end: Int) -> [Written] {
    var finished = tail.unfinished
    tail.unfinished = []
    guard let file = tail.segment?.file, end > tail.finished else { return finished }
    if file.isStaged, end - tail.finished < Log.stagedBytes { return finished }
    finished.append((file, tail.finished..<end))
    tail.finished = end & ~(Log.pageBytes - 1)
    return finished
  }

  /// Lets the bytes of a log that is at rest be seen as they are in its file.
  func settle() {
    withTail { tail in
      // A page that a sync has taken to write it, and has not written yet, is nowhere but here.
      guard let file = tail.segment?.file, file.isStaged, tail.written == tail.offset else { return }
      let end = (tail.offset + Log.pageBytes - 1) & ~(Log.pageBytes - 1)
      // Under the lock: a record stored in a page that is given back would be lost.
      if end > tail.finished { file.finishWriting(tail.finished..<end) }
      tail.finished = tail.offset & ~(Log.pageBytes - 1)
      tail.prepared = min(tail.prepared, tail.finished)
    }
  }
}
