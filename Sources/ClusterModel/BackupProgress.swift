import Text

/// How far a backup is.
public struct BackupProgress: Sendable, Equatable, Codable {
  /// Bytes copied.
  public var bytesDone: Int
  /// Bytes to copy in all.
  public var bytesTotal: Int

  /// Backends make these.
  public init(bytesDone: Int, bytesTotal: Int) {
    self.bytesDone = bytesDone
    self.bytesTotal = bytesTotal
  }

  /// From 0 to 1.
  public var fraction: Double { min(1, Double(bytesDone) / Double(max(1, bytesTotal))) }

  /// `Copied 12.5 MiB of 80.0 MiB`.
  public var text: String { "Copied \(Figures.bytes(bytesDone)) of \(Figures.bytes(bytesTotal))" }
}

/// Contents of a finished backup.
public struct BackupSummary: Sendable, Equatable, Codable {
  /// Nodes whose logs were copied.
  public var nodes: Int
  /// Bytes of the copied logs.
  public var bytes: Int

  /// Backends make these.
  public init(nodes: Int, bytes: Int) { (self.nodes, self.bytes) = (nodes, bytes) }
}
