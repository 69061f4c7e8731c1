import ArgumentParser
import Dashboard
import Faces
import KVCluster
import Text

/// What a shell offers where only a look at this machine can tell. The rest of its script is made from the options.
///
/// A shell asks by running the program, so nothing here opens a cluster: a folder that is in use may be looked at too.
extension CompletionKind {
  /// The themes there are, those of the program's user among them.
  static let theme = CompletionKind.custom { _, _, _ in
    var names: [String] = []
    for theme in Theme.builtIn + ConfigFolder().themes().themes where !names.contains(theme.name) {
      names.append(theme.name)
    }
    return names
  }

  /// The members of the cluster that the line speaks of.
  static let node = CompletionKind.custom { words, _, _ in
    var choice = ClusterChoice()
    choice.data = dataFolder(in: words)
    return (try? choice.folder()).flatMap { FolderAtRest.nodeNames(of: $0) } ?? []
  }

  /// What stands behind `--data` on a line that may be unfinished, and that no shell has expanded yet.
  private static func dataFolder(in words: [String]) -> String? {
    let option = "--data"
    for (index, word) in words.enumerated() {
      if word.hasPrefix("\(option)=") { return HomePath.expanded(String(word.dropFirst(option.count + 1))) }
      if word == option, index + 1 < words.count { return HomePath.expanded(words[index + 1]) }
    }
    return nil
  }
}
