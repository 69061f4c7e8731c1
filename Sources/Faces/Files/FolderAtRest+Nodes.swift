import KVCluster

extension FolderAtRest {
  /// Names of the nodes of the cluster in a folder, in the order in which people count; `nil` if there is none that can be
  /// read, of which the engine says what is wrong. The folder may be in use.
  package static func nodeNames(of folder: String) -> [String]? {
    guard let bytes = try? WholeFile.read(regular: "\(folder)/configuration", bytesMax: configurationBytesMax) else {
      return nil
    }
    return (try? Configuration(text: String(decoding: bytes, as: UTF8.self)))?.namesInOrder
  }

  /// Many times what 1,024 nodes need.
  private static let configurationBytesMax = 16 << 20
}
