import KVCluster

extension FolderAtRest {
  /// Nodes of the cluster in a folder, if there is one; what is wrong with it the engine says.
  package static func nodeCount(of folder: String) -> Int? {
    guard let bytes = try? WholeFile.read(regular: "\(folder)/configuration", bytesMax: configurationBytesMax) else {
      return nil
    }
    return (try? Configuration(text: String(decoding: bytes, as: UTF8.self)))?.members.count
  }

  /// Many times what 1,024 nodes need.
  private static let configurationBytesMax = 16 << 20
}
