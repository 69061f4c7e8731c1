import Glibc
import Text

/// Whether the engine can open a folder by its name: it has paths as UTF-8, and would take another folder for one whose
/// name is none.
package enum FolderName {
  /// - Throws: ``Refusal`` if the path, or the path that its links resolve to, is not UTF-8.
  package static func check(_ path: String) throws {
    guard !ByteText.isUTF8(path) || !ByteText.isUTF8(resolved(path)) else { return }
    throw Refusal(
      "the folder \(Quoted.printable(path)) has a name that is not UTF-8, which kvstore cannot open: rename it, or name another "
        + "one. Nothing was read or written")
  }

  /// The path without links, as far as it exists.
  private static func resolved(_ path: String) -> String {
    var start = path
    while !start.isEmpty {
      if let found = realpath(ByteText.path(start), nil) {
        defer { free(found) }
        return ByteText.encode(cString: found)
      }
      guard let slash = start.lastIndex(of: "/") else {
        return realpath(".", nil).map { ByteText.encode(cString: $0) } ?? ""
      }
      start = String(start[..<slash])
    }
    return ""
  }
}
