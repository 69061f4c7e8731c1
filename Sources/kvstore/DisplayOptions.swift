import ArgumentParser
import Dashboard
import Faces

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

  @Option(
    help: ArgumentHelp("Record statuses and events, for kvstore replay.", valueName: "file"), completion: .file())
  var history: String?

  func validate() throws {
    if let refreshMs, !Settings.refreshRangeMs.contains(refreshMs) {
      let range = Settings.refreshRangeMs
      throw ValidationError("--refresh-ms is \(refreshMs); it can be \(range.lowerBound) to \(range.upperBound).")
    }
  }

  /// These options, the settings file and the themes there are, put together.
  func screenOptions() -> ScreenOptions {
    var given = Settings()
    (given.theme, given.glyphs, given.refreshMs) = (theme, glyphs, refreshMs)
    (given.layout, given.mouse, given.reducedMotion) = (layout, mouse, reducedMotion)
    var options = ScreenOptions(given: given, recordingPath: record)
    options.sessionPath = history
    return options
  }
}

extension Glyphs.Kind: ExpressibleByArgument {}
extension Settings.LayoutChoice: ExpressibleByArgument {}
