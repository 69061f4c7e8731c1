import Dashboard
import Glibc
import Text

/// How the screen is shown; what is not said follows from the terminal.
package struct ScreenOptions: Sendable {
  package var themes = Theme.builtIn
  /// `nil`: midnight where there are colours enough for it, else the terminal's own sixteen.
  package var theme: Theme?
  /// `nil`: braille in a UTF-8 locale, else ASCII.
  package var glyphs: Glyphs.Kind?
  /// Time between two looks at a busy cluster: ten a second are faster than people read figures.
  package var periodNs: UInt64 = 100_000_000
  package var usesMouse = true
  package var isMotionReduced = false
  package var isSinglePanel = false
  /// Where to record what is shown.
  package var recordingPath: String?
  /// Where to record the statuses and events, for ``ReplayFace``.
  package var sessionPath: String?
  /// Where the typed lines are kept; `nil`: where the program's user has them.
  package var historyPath: String?
  /// Where settings and themes are.
  package var config = ConfigFolder()
  /// Faults in settings and themes, in words.
  package var warnings: [String] = []

  package init() {}

  /// The settings given, those of the settings file and the themes there are, put together.
  package init(given: Settings, recordingPath: String?, config: ConfigFolder = ConfigFolder()) {
    self.config = config
    let (file, fault) = config.settings()
    warnings = file.faults.map { "settings \(config.file), \($0)" }
    if let fault { warnings.append("the settings \(config.file) cannot be read: \(fault)") }
    let settings = given.filled(from: file)
    let own = config.themes()
    warnings += own.faults
    themes = Theme.builtIn + own.themes.filter { theme in !Theme.builtIn.contains { $0.name == theme.name } }
    if let name = settings.theme { choose(theme: name) }
    glyphs = settings.glyphs
    periodNs = UInt64(settings.refreshMs ?? 100) * 1_000_000
    usesMouse = settings.mouse ?? true
    isMotionReduced = settings.reducedMotion ?? false
    self.recordingPath = recordingPath
    isSinglePanel = settings.layout == .single
  }
}

extension ScreenOptions {
  /// Takes the theme of a name, or of a file; says so if there is neither.
  package mutating func choose(theme name: String) {
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
  package func keep(theme name: String) -> String {
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
