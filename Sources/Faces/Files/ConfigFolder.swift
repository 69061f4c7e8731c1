import Dashboard
import Glibc
import Text

/// `$XDG_CONFIG_HOME/kvstore`, else `~/.config/kvstore`: settings and themes of the program's user.
package struct ConfigFolder: Sendable {
  package let path: String

  package init(path: String) { self.path = path }

  /// The folder of the program's user.
  package init() {
    if let xdg = ByteText.variable("XDG_CONFIG_HOME"), xdg.utf8.first == 0x2F {
      path = "\(xdg)/kvstore"
    } else {
      path = (ByteText.variable("HOME") ?? "") + "/.config/kvstore"
    }
  }

  /// The settings file.
  var file: String { "\(path)/config" }

  /// The settings, and why the file cannot be read if it is there and cannot.
  func settings() -> (settings: Settings, fault: WholeFile.Failure?) {
    do throws(WholeFile.Failure) {
      return (Settings(file: try Self.text(of: file)), nil)
    } catch {
      return (Settings(), error.code == ENOENT ? nil : error)
    }
  }

  /// Replaces the settings file by one with this theme in it, whole, so that a crash leaves the old or the new one.
  func write(theme: String) throws(WholeFile.Failure) {
    // A link to the file of a dotfiles folder stays a link.
    let target =
      realpath(ByteText.path(file), nil).map { found in
        defer { free(found) }
        return ByteText.encode(cString: found)
      } ?? file
    WholeFile.makeFolders(to: target)
    let former = access(ByteText.path(target), F_OK) == 0 ? try Self.text(of: target) : ""
    let temporary = "\(target).\(getpid())"
    try WholeFile.write(Settings.file(former, withTheme: theme), to: temporary)
    guard rename(ByteText.path(temporary), ByteText.path(target)) == 0 else {
      let failure = WholeFile.Failure()
      unlink(ByteText.path(temporary))
      throw failure
    }
  }

  /// The themes in the folder `themes`, by name, and what could not be read of them.
  package func themes() -> (themes: [Theme], faults: [String]) {
    guard let folder = opendir(ByteText.path("\(path)/themes")) else { return ([], []) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        ByteText.encode(bytes.prefix { $0 != 0 })
      }
      if name.hasSuffix(".theme") { names.append(name) }
    }
    var read: (themes: [Theme], faults: [String]) = ([], [])
    for file in names.sorted().map({ "\(path)/themes/\($0)" }) {
      do throws(WholeFile.Failure) {
        let theme = Self.theme(path: file, try Self.text(of: file))
        read.themes.append(theme.theme)
        read.faults += theme.faults
      } catch {
        read.faults.append("the theme \(Quoted.printable(file)) cannot be read: \(error)")
      }
    }
    return read
  }

  static func theme(path: String, _ text: String) -> (theme: Theme, faults: [String]) {
    let file = ThemeFile(text)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let theme = Theme(name: name.hasSuffix(".theme") ? String(name.dropLast(6)) : name, file: file)
    return (theme, file.faults.map { "theme \(path), \($0)" })
  }

  static func text(of path: String) throws(WholeFile.Failure) -> String {
    String(decoding: try WholeFile.read(regular: path, bytesMax: fileBytesMax), as: UTF8.self)
  }

  /// Many times what a theme or the settings need.
  private static let fileBytesMax = 1 << 20
}
