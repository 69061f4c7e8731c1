/// The sizes of the nodes' files before and after a compaction on request.
public struct CompactionSummary: Sendable, Equatable, Codable {
  /// Nodes that were compacted.
  public var nodes: Int
  /// Bytes of their files before, those kept for later included.
  public var bytesBefore: Int
  /// Bytes of their files afterwards.
  public var bytesAfter: Int

  /// Backends make these.
  public init(nodes: Int, bytesBefore: Int, bytesAfter: Int) {
    (self.nodes, self.bytesBefore, self.bytesAfter) = (nodes, bytesBefore, bytesAfter)
  }
}
