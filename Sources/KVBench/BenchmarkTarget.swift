import KVCluster

/// What a benchmark drives: a cluster, or in tests something that misbehaves on purpose.
protocol BenchmarkTarget: Sendable {
  func putBlocking(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ options: WriteOptions
  ) throws(ClusterError)
  func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ options: ReadOptions
  ) throws(ClusterError) -> Int?
  func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError)
  func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]?
  /// Replaces the value of a key in one step with the look for it; false if the key has none.
  func replaceBlocking(_ key: UnsafeRawBufferPointer, _ value: [UInt8]) throws(ClusterError) -> Bool
  func replace(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError) -> Bool
  func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool
}

extension Cluster: BenchmarkTarget {
  func replaceBlocking(_ key: UnsafeRawBufferPointer, _ value: [UInt8]) throws(ClusterError) -> Bool {
    try updateBlocking(key) { old in (old == nil ? .keep : .put(value), old != nil) }
  }

  func replace(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError) -> Bool {
    try await dataPath.update(key) { old in (old.value == nil ? .keep : .put(value), old.value != nil) }
  }
}
