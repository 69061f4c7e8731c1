import KVCluster

/// `kvstore backup DIR TO`: copies a data folder that is not in use.
package enum BackupRun {
  /// Returns the program's exit status.
  package static func run(_ path: String, to target: String, _ console: Console = .standard) async -> Int32 {
    await ToolRun.run(console) { control throws(ClusterError) in
      let folder = try FolderAtRest(path)
      let done: BackupSummary?
      do throws(ClusterError) {
        done = try folder.backUp(to: target) { progress in
          control.progress(progress.text)
          return !control.isStopped
        }
      } catch {
        control.clearProgress()
        console.complain(error.description)
        return 1
      }
      guard let done else { return 1 }
      let nodes = Readable.count(done.nodes, "node")
      // Files are copied whole, with the room that is prepared in them; a running kvstore knows where its logs end.
      control.say("Backed up \(folder.path): \(nodes), \(done.bytes) bytes of files -> \(target)")
      return 0
    }
  }
}
