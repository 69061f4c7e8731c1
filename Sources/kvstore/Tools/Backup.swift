import ArgumentParser
import KVCluster

/// `kvstore backup DIR TO`: copies a data folder that is not in use. (`backup TO`, as a command, copies one that is.)
struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a data folder that is not in use to a new one.",
    discussion: """
      The copy is on the disk when this ends; to restore, open it with --data. Where a copy cannot be finished nothing is \
      left of it. A running kvstore copies its own folder with the command: backup FOLDER
      Exit status: 0 done, 1 the copy could not be written, 2 the folder cannot be read or is in use, 64 usage, 74 \
      its answer cannot be written.
      """)

  @Argument(help: ArgumentHelp("The data folder.", valueName: "dir"), completion: .directory)
  var folder: String

  @Argument(
    help: ArgumentHelp("The folder to make; an empty one may be there.", valueName: "to"), completion: .directory)
  var target: String

  func run() async throws {
    let path = try ToolRun.path(folder)
    let target = try ToolRun.path(target)
    throw ExitCode(
      await ToolRun.run { control throws(ClusterError) in
        let folder = try FolderAtRest(path)
        let done: BackupSummary?
        do throws(ClusterError) {
          done = try folder.backUp(to: target) { progress in
            control.progress(progress.text)
            return !control.isStopped
          }
        } catch {
          control.clearProgress()
          HeadlessRun.complain(error.description)
          return 1
        }
        guard let done else { return 1 }
        let nodes = Readable.count(done.nodes, "node")
        // Files are copied whole, with the room that is prepared in them; a running kvstore knows where its logs end.
        control.say("Backed up \(folder.path): \(nodes), \(done.bytes) bytes of files -> \(target)")
        return 0
      })
  }
}
