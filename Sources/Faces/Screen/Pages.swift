import ClusterModel
import Commands
import Dashboard

/// Answers that are read on a page of their own.
extension Page {
  init(_ explanation: TopicPage) {
    self.init(
      title: explanation.title, paragraphs: explanation.paragraphs,
      figures: explanation.figures.map { Figure(label: $0.label, value: $0.value) }, question: explanation.question,
      hint: explanation.hint)
  }

  /// The commands, or one of them; `nil` if it is said in so few lines that the events show them all.
  init?(helpAbout name: CommandName?, _ capabilities: Capabilities) {
    let lines = HelpText.lines(about: name, capabilities)
    guard let name else {
      let commands = HelpText.entries(capabilities).map { Figure(label: $0.usage, value: $0.summary) }
      let rest = lines.dropFirst(commands.count) + ["F1 names the keys; explain TOPIC tells what is behind them"]
      self.init(title: "commands", paragraphs: Array(rest), figures: commands, question: "", hint: "")
      return
    }
    guard lines.count > Self.linesAmongEvents else { return nil }
    self.init(title: name.rawValue, paragraphs: lines, figures: [], question: "", hint: "")
  }

  /// At 80 columns and 24 rows the events show five rows, of which the command takes one.
  private static let linesAmongEvents = 3
}
