import ArgumentParser
import Faces

extension ToolRun {
  /// A folder given on the command line.
  static func path(_ argument: String) throws -> String {
    guard !argument.isEmpty else { throw ValidationError("The name of the folder is empty.") }
    return argument
  }
}
