/// Operations that read and write in one step, and operations on many keys.
extension Cluster: KeyUpdating {
  public func update<R: Sendable>(
    _ key: [UInt8], _ transform: @escaping @Sendable (_ value: [UInt8]?) -> (change: Change, result: R)
  ) async throws(ClusterError) -> R {
    try await dataPath.update(key) { transform($0.value.map { Array($0) }) }
  }

  /// ``KeyUpdating/update(_:_:)`` for a thread, with the value's bytes where they lie. Allocates once, and what `transform` writes.
  public func updateBlocking<R: Sendable>(
    _ key: UnsafeRawBufferPointer,
    _ transform: @escaping @Sendable (_ value: UnsafeRawBufferPointer?) -> (change: Change, result: R)
  ) throws(ClusterError) -> R { try dataPath.updateBlocking(key) { transform($0.value) } }

  public func update<R: Sendable>(
    all keys: [[UInt8]],
    _ transform: @escaping @Sendable (_ values: [[UInt8]?]) -> (changes: [Change], result: R)
  ) async throws(ClusterError) -> R {
    try await dataPath.update(all: keys) { found throws(ClusterError) in transform(found.map(\.value)) }
  }

  /// ``KeyUpdating/update(all:_:)`` for a thread.
  public func updateBlocking<R: Sendable>(
    all keys: [[UInt8]],
    _ transform: @escaping @Sendable (_ values: [[UInt8]?]) -> (changes: [Change], result: R)
  ) throws(ClusterError) -> R {
    try dataPath.updateBlocking(all: keys) { found throws(ClusterError) in transform(found.map(\.value)) }
  }

  /// The newest values of keys, `nil` where there is none, each as of a moment of its own. Faster than as many gets: what they
  /// wait for is memory, and here many keys wait at once. For one moment of all keys see ``KeyUpdating/readTogether(_:)``.
  /// - Throws: why one of them could not be read.
  public func getAll(
    _ keys: [[UInt8]], _ options: ReadOptions = ReadOptions()
  ) async throws(ClusterError) -> [[UInt8]?] {
    try await dataPath.readAll(keys, options)
  }

  /// ``getAll(_:_:)`` for a thread.
  /// - Parameters:
  ///   - keys: valid until this returns.
  ///   - options: of all gets.
  ///   - take: gets a key's number and its value, perhaps while a lock is held, in any order. It must be quick and must not call
  ///     the cluster; what it gets counts once this has returned.
  public func getAllBlocking(
    _ keys: UnsafeBufferPointer<UnsafeRawBufferPointer>, _ options: ReadOptions = ReadOptions(),
    _ take: (_ number: Int, _ value: UnsafeRawBufferPointer?) -> Void
  ) throws(ClusterError) {
    try dataPath.readAllBlocking(keys, options, take)
  }

  /// Stores values, each by itself and all at once under way: faster than as many puts. Of a key that comes twice the last
  /// value stays.
  /// - Throws: why one of them could not be written; others may have been. ``putTogether(_:)`` writes all or none.
  public func putAll(_ pairs: [KeyValue], _ options: WriteOptions = WriteOptions()) async throws(ClusterError) {
    try await dataPath.writeAll(pairs, options)
  }

  /// Stores values, all or none: nobody sees a part of them, and no crash leaves one. Of a key that comes twice the last value
  /// counts. Durable on W owners of each key as the fsync policy says when it returns, and written to the journal of batches
  /// before, which takes two syncs.
  /// - Throws: `ClusterError.unavailable` if one of the keys has too few owners: nothing was written.
  public func putTogether(_ pairs: [KeyValue]) async throws(ClusterError) {
    var values: [[UInt8]: [UInt8]] = [:]
    var keys: [[UInt8]] = []
    for pair in pairs where values.updateValue(pair.value, forKey: pair.key) == nil { keys.append(pair.key) }
    let changes = keys.map { Change.put(values[$0]!) }
    try await dataPath.update(all: keys, readsValues: false) { _ throws(ClusterError) in (changes, ()) }
  }
}
