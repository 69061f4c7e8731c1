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
  func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool
}

extension Cluster: BenchmarkTarget {}
