import ArgumentParser
import Dashboard
import Glibc
import Text

/// How the screen is shown; what is not said follows from the terminal.
struct ScreenOptions: Sendable {
  var themes = Theme.builtIn
  /// `nil`: midnight where there are colours enough for it, else the terminal's own sixteen.
  var theme: Theme?
  /// `nil`: braille in a UTF-8 locale, else ASCII.
  var glyphs: Glyphs.Kind?
  /// Time between two looks at a busy cluster: ten a second are faster than people read figures.
  var periodNs: UInt64 = 100_000_000
  var usesMouse = true
  var isMotionReduced = false
  var isSinglePanel = false
  /// Where to record what is shown.
  var recordingPath: String?
  /// What could not be read of settings and themes, in words.
  var warnings: [String] = []
}

/// The options that say how the dashboard looks. They win over the settings file.
struct DisplayOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Theme: a name, or a file in this or btop's format.", valueName: "name"), completion: .theme)
  var theme: String?

  @Option(help: ArgumentHelp("Characters to draw with (default: from the locale).", valueName: "kind"))
  var glyphs: Glyphs.Kind?

  @Option(help: ArgumentHelp("Milliseconds between two frames of a busy cluster (default: 100).", valueName: "ms"))
  var refreshMs: Int?

  @Option(help: ArgumentHelp("auto, or single for one panel at a time.", valueName: "layout"))
  var layout: Settings.LayoutChoice?

  @Flag(inversion: .prefixedNo, help: "Take the mouse; without it the terminal selects text.")
  var mouse: Bool?

  @Flag(inversion: .prefixedNo, help: "Nothing moves by itself but figures.")
  var reducedMotion: Bool?

  @Option(
    help: ArgumentHelp("Record what is shown as an asciicast (version 2).", valueName: "file"), completion: .file())
  var record: String?

  func validate() throws {
    if let refreshMs, !Settings.refreshRangeMs.contains(refreshMs) {
      let range = Settings.refreshRangeMs
      throw ValidationError("--refresh-ms is \(refreshMs); it can be \(range.lowerBound) to \(range.upperBound).")
    }
  }

  /// These options, the settings file and the themes there are, put together.
  func screenOptions() -> ScreenOptions {
    let config = ConfigFolder()
    var options = ScreenOptions()
    var given = Settings()
    (given.theme, given.glyphs, given.refreshMs) = (theme, glyphs, refreshMs)
    (given.layout, given.mouse, given.reducedMotion) = (layout, mouse, reducedMotion)
    let (file, fault) = config.settings()
    options.warnings = file.faults.map { "settings \(config.file), \($0)" }
    if let fault { options.warnings.append("the settings \(config.file) cannot be read: \(fault)") }
    let settings = given.filled(from: file)
    let own = config.themes()
    options.warnings += own.faults
    options.themes = own.themes.filter { theme in !Theme.builtIn.contains { $0.name == theme.name } }
    options.themes = Theme.builtIn + options.themes
    if let name = settings.theme { options.choose(theme: name) }
    options.glyphs = settings.glyphs
    options.periodNs = UInt64(settings.refreshMs ?? 100) * 1_000_000
    options.usesMouse = settings.mouse ?? true
    options.isMotionReduced = settings.reducedMotion ?? false
    options.recordingPath = record
    options.isSinglePanel = settings.layout == .single
    return options
  }
}

extension ScreenOptions {
  /// Takes the theme of a name, or of a file; says so if there is neither.
  mutating func choose(theme name: String) {
    if let known = themes.first(where: { $0.name == name }) {
      theme = known
    } else if name.contains("/") || name.hasSuffix(".theme") {
      do throws(WholeFile.Failure) {
        let read = ConfigFolder.theme(path: name, try ConfigFolder.text(of: name))
        warnings += read.faults
        themes.append(read.theme)
        theme = read.theme
      } catch {
        warnings.append("the theme \(Quoted.printable(name)) cannot be read: \(error)")
      }
    } else {
      warnings.append("there is no theme “\(name)”; there are \(themes.map(\.name).joined(separator: ", "))")
    }
  }
}

extension ScreenOptions {
  /// Writes the theme's name into the settings file; returns what became of it, in words. Waits for the disk.
  func keep(theme name: String) -> String {
    let config = ConfigFolder()
    let isFound = (Theme.builtIn + config.themes().themes).contains { $0.name == name }
    guard isFound else {
      return "theme \(name), for this session: to keep it, copy its file to \(config.path)/themes"
    }
    do throws(WholeFile.Failure) {
      try config.write(theme: name)
      return "theme \(name), also at the next start: it stands in \(config.file)"
    } catch {
      return "theme \(name), for this session: \(config.file) cannot be written: \(error)"
    }
  }
}

/// `$XDG_CONFIG_HOME/kvstore`, else `~/.config/kvstore`: settings and themes of the program's user.
struct ConfigFolder {
  let path: String

  init() {
    if let xdg = ByteText.variable("XDG_CONFIG_HOME"), xdg.hasPrefix("/") {
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
  func themes() -> (themes: [Theme], faults: [String]) {
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

extension Glyphs.Kind: ExpressibleByArgument {}
extension Settings.LayoutChoice: ExpressibleByArgument {}
