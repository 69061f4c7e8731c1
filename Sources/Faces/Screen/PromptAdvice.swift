import ClusterModel
import Commands
import Dashboard
import Synchronization
import Text

/// Completion at a key press: candidates, usage, and the command that was probably meant.
func completion(of line: String, cursor: Int, _ nodes: [NodeStatus], _ keys: RecentKeys, _ capabilities: Capabilities)
  -> Completion
{
  let bytes = Array(line.utf8)
  let found = CommandCompletion.at(line.prefix(cursor).utf8.count, in: bytes, nodes: nodes, capabilities)
  let typed = String(decoding: bytes[found.replaced], as: UTF8.self)
  var candidates = found.candidates
  if found.place == 0, typed.count > 2, DashboardState.describeCommand.hasPrefix(typed) {
    candidates.append(DashboardState.describeCommand)
  }
  if candidates.isEmpty, found.place == 1, let command = found.command, CommandName.ofKeys.contains(command) {
    candidates = keys.beginning(with: typed)
  }
  var usage = found.usage.map { usage in found.summary.map { "\(usage): \($0)" } ?? usage } ?? ""
  if found.called == DashboardState.describeCommand { usage = "describe: the screen in sentences" }
  if usage.isEmpty, found.place != 0, let word = found.called {
    usage =
      Suggestion.command(for: word, on: capabilities).map { "did you mean \($0.rawValue)?" }
      ?? "no such command; try help"
  }
  return Completion(replacedCount: typed.count, candidates: candidates, usage: usage)
}

/// The question before a command that deletes or damages data on a disk, of a cluster whose data is meant to stay:
/// that is what no other command takes back. A node that was killed, paused or cut off comes back as it was.
func question(before command: Command, _ line: TypedLine, _ status: ClusterStatus?) -> Question? {
  guard let status, !status.isEphemeral else { return nil }
  func isMember(_ name: String) -> Bool { status.nodes.contains { $0.name == name } }
  switch command {
  case .order(.removeNode(let name), _) where isMember(name):
    let note = CopyShortage(nodes: status.nodes.count - 1, status.quorum).map { " Then \($0.words)." } ?? ""
    return Question(
      "Remove \(name)? Its data moves to the other nodes, and its own log is deleted.\(note)", confirmed: line)
  case .order(.replaceNode(let name, let replacement), _) where isMember(name):
    return Question(
      "Replace \(name) by \(replacement)? Its data moves there, and its own log is deleted.", confirmed: line)
  case .order(let order, isMeant: false):
    let text: String
    switch order {
    case .corrupt(let name) where isMember(name):
      text = "Corrupt \(name)? One byte of one value on its disk is flipped; the other copies stay good."
    case .failSync(let name) where isMember(name):
      text = "Let \(name)'s next fdatasync fail? What it had not yet synced counts as lost on its disk."
    default: return nil
    }
    let meant = ReadLine(.order(order, isMeant: true))
    return Question(text, confirmed: TypedLine(String(decoding: meant.bytes, as: UTF8.self), reading: meant))
  default: return nil
  }
}

/// The keys that commands were about, newest first, for completing the next one.
final class RecentKeys: Sendable {
  private let keys = Mutex<[String]>([])
  /// More than anyone goes through with Tab.
  private static let keysMax = 200

  /// Keys that need quotes are not offered: completing would have to write them.
  func note(_ key: [UInt8]) {
    guard let text = String(validating: key, as: UTF8.self), text.first != "\"", text.first != "'",
      !text.contains(where: \.isWhitespace)
    else { return }
    keys.withLock { keys in
      keys.removeAll { $0 == text }
      keys.insert(text, at: 0)
      if keys.count > Self.keysMax { keys.removeLast() }
    }
  }

  func beginning(with prefix: String) -> [String] {
    keys.withLock { $0.filter { $0.hasPrefix(prefix) && $0 != prefix } }
  }
}
