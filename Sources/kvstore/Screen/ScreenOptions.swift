import ArgumentParser
import Dashboard
import Glibc

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
    let file = config.settings()
    options.warnings = file.faults.map { "settings \(config.file), \($0)" }
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
    } else if name.contains("/") || name.hasSuffix(".theme"), let text = ConfigFolder.text(of: name) {
      let read = ConfigFolder.theme(path: name, text)
      warnings += read.faults
      themes.append(read.theme)
      theme = read.theme
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
    if let xdg = getenv("XDG_CONFIG_HOME").map({ String(cString: $0) }), xdg.hasPrefix("/") {
      path = "\(xdg)/kvstore"
    } else {
      path = (getenv("HOME").map { String(cString: $0) } ?? "") + "/.config/kvstore"
    }
  }

  /// The settings file.
  var file: String { "\(path)/config" }

  func settings() -> Settings { Self.text(of: file).map { Settings(file: $0) } ?? Settings() }

  /// Replaces the settings file by one with this theme in it, whole, so that a crash leaves the old or the new one.
  func write(theme: String) throws(WholeFile.Failure) {
    // A link to the file of a dotfiles folder stays a link.
    let target =
      realpath(file, nil).map { found in
        defer { free(found) }
        return String(cString: found)
      } ?? file
    WholeFile.makeFolders(to: target)
    let former = access(target, F_OK) == 0 ? String(decoding: try WholeFile.read(target), as: UTF8.self) : ""
    let temporary = "\(target).\(getpid())"
    try WholeFile.write(Settings.file(former, withTheme: theme), to: temporary)
    guard rename(temporary, target) == 0 else {
      let failure = WholeFile.Failure()
      unlink(temporary)
      throw failure
    }
  }

  /// The themes in the folder `themes`, by name, and what could not be read of them.
  func themes() -> (themes: [Theme], faults: [String]) {
    guard let folder = opendir("\(path)/themes") else { return ([], []) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".theme") { names.append(name) }
    }
    let read = names.sorted().compactMap { name in
      Self.text(of: "\(path)/themes/\(name)").map { Self.theme(path: "\(path)/themes/\(name)", $0) }
    }
    return (read.map(\.theme), read.flatMap(\.faults))
  }

  static func theme(path: String, _ text: String) -> (theme: Theme, faults: [String]) {
    let file = ThemeFile(text)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let theme = Theme(name: name.hasSuffix(".theme") ? String(name.dropLast(6)) : name, file: file)
    return (theme, file.faults.map { "theme \(path), \($0)" })
  }

  static func text(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: fileBytesMax)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  /// Many times what a theme or the settings need.
  private static let fileBytesMax = 1 << 18
}

extension Glyphs.Kind: ExpressibleByArgument {}
extension Settings.LayoutChoice: ExpressibleByArgument {}
