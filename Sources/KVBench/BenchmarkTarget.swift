import KVCluster

/// What a benchmark drives: a cluster, or in tests something that misbehaves on purpose.
protocol BenchmarkTarget: Sendable {
  func putBlocking(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(ClusterError)
  func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ClusterError) -> Int?
  func put(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError)
  func get(_ key: [UInt8]) async throws(ClusterError) -> [UInt8]?
  func delete(_ key: [UInt8]) async throws(ClusterError) -> Bool
}

extension Cluster: BenchmarkTarget {}
