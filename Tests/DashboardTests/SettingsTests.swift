import Dashboard
import Testing

@Suite struct SettingsTests {
  @Test(arguments: [
    ("", "theme = nord\n"),
    ("# mine\nmouse = off\n", "# mine\nmouse = off\ntheme = nord\n"),
    ("mouse = off", "mouse = off\ntheme = nord\n"),
    ("theme = mono\nmouse = off\n", "theme = nord\nmouse = off\n"),
    ("  theme=\"mono\" # by day\n", "theme = nord  # by day\n"),
    ("# theme = a\ntheme = b\ntheme = c\n", "# theme = a\ntheme = b\ntheme = nord\n"),
  ])
  func `a theme that is kept takes the place of the one in the file, and all else stays`(before: String, after: String)
  {
    let text = Settings.file(before, withTheme: "nord")
    #expect(text == after)
    #expect(Settings(file: text).theme == "nord" && Settings(file: text).faults == Settings(file: before).faults)
  }

  @Test func `a settings file is read, comments and blanks and all`() {
    let settings = Settings(
      file: """
        # how it looks
        theme = "nord"
        glyphs=blocks   # no braille in this font

        refresh_ms = 250
        layout = single
        mouse = off
        reduced_motion = on
        """)
    #expect(settings.theme == "nord" && settings.glyphs == .blocks && settings.refreshMs == 250)
    #expect(settings.layout == .single && settings.mouse == false && settings.reducedMotion == true)
    #expect(settings.faults.isEmpty)
  }

  @Test func `bad lines are named and the others count`() {
    let settings = Settings(file: "colour = blue\nmouse = perhaps\nrefresh_ms = 1\ntheme\nglyphs = ascii\n")
    #expect(settings.glyphs == .ascii && settings.mouse == nil && settings.refreshMs == nil)
    #expect(
      settings.faults == [
        "line 1: no setting “colour”; there are theme, glyphs, refresh_ms, layout, mouse and reduced_motion",
        "line 2: mouse is on, or off, not “perhaps”",
        "line 3: refresh_ms is 20 to 5000, not “1”",
        "line 4: expected NAME = VALUE",
      ])
  }

  @Test func `what an option says wins over the file`() {
    var option = Settings()
    option.theme = "mono"
    let both = option.filled(from: Settings(file: "theme = nord\nmouse = off"))
    #expect(both.theme == "mono" && both.mouse == false)
  }
}
