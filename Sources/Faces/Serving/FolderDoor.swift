import Commands
import KVCluster
import Server
import Text

/// The socket in a data folder, through which another kvstore attaches to the one that has the folder open.
///
/// It is opened beside the face and never in its way: where there can be none, the face works all the same.
final class FolderDoor: Sendable {
  private let opening: Task<Server?, Never>

  init(_ cluster: Cluster, _ runner: CommandRunner) {
    opening = Task {
      guard let path = Self.path(cluster) else { return nil }
      var options = ServerOptions(sockets: [path], loops: 1)
      // The dashboard ends without waiting for clients that are attached.
      options.limits.stopSeconds = 1
      return try? await Server.start(cluster, options, runLine: Self.lines(runner))
    }
  }

  func close() async { await opening.value?.stop() }

  /// The socket's path; `nil` if it would be longer than the system takes, or is no UTF-8.
  static func path(_ cluster: Cluster) -> String? {
    guard let folder = cluster.status().dataFolder else { return nil }
    let path = "\(folder)/\(name)"
    return path.utf8.count <= UnixSocket.pathBytesMax && ByteText.isUTF8(path) ? path : nil
  }

  static let name = "kvstore.sock"

  /// `KVSTORE RUN`: the prompt's language, without a standard input to read from.
  static func lines(_ runner: CommandRunner) -> LineRunner {
    { line in
      let answers = AnswerList()
      let result = await runner.run(line: line, emit: answers.add)
      return RunAnswer(outcome: "\(result.outcome)", lines: answers.lines)
    }
  }
}
