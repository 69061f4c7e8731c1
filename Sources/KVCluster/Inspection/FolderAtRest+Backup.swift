extension FolderAtRest {
  /// Copies everything to a new folder, as ``Cluster/backUp(to:progress:)`` does.
  package func backUp(
    to path: String, progress: @escaping (BackupProgress) -> Bool = { _ in true }
  ) throws(ClusterError) -> BackupSummary? {
    guard case .intact(let configuration) = try readConfiguration() else {
      throw .dataFolder(
        .init(
          "\(self.path) has no readable configuration, and a copy would not open", advice: .verify(folder: self.path)))
    }
    let names = configuration.namesInOrder
    let bytes = names.reduce(0) { $0 + BackupTarget.bytesAtRest($1, self.path) }
    let target = try BackupTarget(path, copying: self.path, bytesTotal: bytes, progress: progress)
    return try target.complete(with: configuration) { target throws(BackupTarget.Stop) in
      for node in names { try target.copyLogAtRest(node, from: self.path, withWitness: true) }
      do throws(StorageError) {
        if let bytes = try disk.read(Witness.path(Witnesses.clusterFolder)) {
          try target.disk.replace(Witness.path(Witnesses.clusterFolder), with: bytes)
        }
        if let bytes = try disk.read(BatchJournal.name) { try target.disk.replace(BatchJournal.name, with: bytes) }
      } catch {
        throw .storage(error)
      }
    }
  }
}
