/// Operations on many keys, each by itself. What an operation waits for is memory: here all of a group ask for theirs before
/// the first goes on, so that the misses of many keys overlap.
extension DataPath {
  /// Keys that ask together: more would push out of the nearest cache what the first have asked for.
  package static let groupCount = 32

  /// Asks for the memory that operations on these keys will touch: first the entries of the indexes, then the records that
  /// they name. Nothing is read, so it may be left out, and what changes meanwhile does no harm.
  /// - Parameter hashes: at most ``groupCount`` places on the ring.
  package func prefetch(_ hashes: UnsafeBufferPointer<UInt64>) {
    guard hashes.count > 1, isServing else { return }
    for hash in hashes { direct.prefetchEntries(hash) }
    for hash in hashes { direct.prefetchRecord(hash) }
  }

  /// Calls `body` with each number from 0 on; the keys of a group have asked for their memory before its first.
  @inline(__always)
  private func forEachPrefetched(
    _ count: Int, _ hash: (Int) -> UInt64, _ body: (Int) throws(ClusterError) -> Void
  ) throws(ClusterError) {
    var start = 0
    while start < count {
      let group = start..<min(start + Self.groupCount, count)
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: group.count) { hashes in
        for i in group { hashes.initializeElement(at: i - start, to: hash(i)) }
        prefetch(UnsafeBufferPointer(hashes))
      }
      for i in group { try body(i) }
      start = group.upperBound
    }
  }

  /// Reads keys, each at a moment of its own.
  package func readAll(_ keys: [[UInt8]], _ options: ReadOptions) async throws(ClusterError) -> [[UInt8]?] {
    var values: [[UInt8]?] = []
    values.reserveCapacity(keys.count)
    var waiting: [(number: Int, read: Unfinished)] = []
    var failure: ClusterError?
    do throws(ClusterError) {
      try forEachPrefetched(keys.count, { keys[$0].withUnsafeBytes(Ring.hash) }) { i throws(ClusterError) in
        let (value, unfinished) = try keys[i].withBytes { key throws(ClusterError) in
          try beginRead(key, options) { Array($0) }
        }
        values.append(value)
        if let unfinished { waiting.append((i, unfinished)) }
      }
    } catch {
      failure = error
    }
    // What was begun is waited for in any case.
    for (number, read) in waiting {
      let outcome = await read.pending.wait()
      do throws(ClusterError) {
        values[number] = try finishRead(read, outcome, values[number]) { Array($0) }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// ``readAll(_:_:)`` for a thread.
  /// - Parameter take: gets a key's number and its value, perhaps while a lock is held. What it gets counts once this returns.
  func readAllBlocking(
    _ keys: UnsafeBufferPointer<UnsafeRawBufferPointer>, _ options: ReadOptions,
    _ take: (_ number: Int, _ value: UnsafeRawBufferPointer?) -> Void
  ) throws(ClusterError) {
    var waiting: [(number: Int, read: Unfinished, isTaken: Bool)] = []
    var failure: ClusterError?
    do throws(ClusterError) {
      try forEachPrefetched(keys.count, { Ring.hash(keys[$0]) }) { i throws(ClusterError) in
        let (found, unfinished): (Void?, Unfinished?) = try beginRead(keys[i], options) { take(i, $0) }
        if let unfinished { waiting.append((i, unfinished, found != nil)) } else if found == nil { take(i, nil) }
      }
    } catch {
      failure = error
    }
    for (number, read, isTaken) in waiting {
      let outcome = read.pending.waitBlocking()
      do throws(ClusterError) {
        if try finishRead(read, outcome, isTaken ? () : nil, { take(number, $0) }) == nil { take(number, nil) }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  /// Writes pairs, each by itself: all are begun before the first is waited for.
  package func writeAll(
    _ pairs: [KeyValue], _ options: WriteOptions
  ) async throws(ClusterError) {
    var waiting: [Unfinished] = []
    var failure: ClusterError?
    do throws(ClusterError) {
      try forEachPrefetched(pairs.count, { pairs[$0].key.withUnsafeBytes(Ring.hash) }) { i throws(ClusterError) in
        let unfinished = try pairs[i].key.withBytes { key throws(ClusterError) in
          try pairs[i].value.withBytes { value throws(ClusterError) in try beginWrite(.put, key, value, options) }
        }
        if let unfinished { waiting.append(unfinished) }
      }
    } catch {
      failure = error
    }
    // What was begun is waited for in any case.
    for write in waiting {
      let outcome = await write.pending.wait()
      do throws(ClusterError) { try finishWrite(write, outcome) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }
}
