import ArgumentParser
import Commands
import KVSimulator
import Text

/// `kvstore check-history FILE…`: whether recorded histories are linearizable.
struct CheckHistory: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-history",
    abstract: "Check recorded histories for linearizability.",
    discussion: """
      Prints one line a file: FILE: linearizable, or FILE: violation. Two formats are read, an event a line:
        INFO  jepsen.util - PROCESS :invoke|:ok|:fail|:info :read|:write|:cas VALUE
          one compare-and-set register that starts as nil; a refused compare-and-set found something else
        {:process N, :type :invoke|:ok|:fail|:info, :f :get|:put|:append|:delete, :key "K", :value "V"}
          several keys, each of which starts as the empty string
      What failed did not happen; what timed out, or has no answer, may take effect at any later time, or never.
      Exit status: 0 all linearizable, 1 a violation, 2 a file could not be read or decided, 64 usage, 74 what was \
      found, or the drawing, cannot be written.
      """)

  @Argument(help: ArgumentHelp("The histories.", valueName: "file"), completion: .file())
  var files: [String]

  @Flag(help: "Show the shortest part that no order of the operations explains, as a timeline.")
  var explain = false

  @Option(help: ArgumentHelp("Draw these timelines to a file (SVG).", valueName: "file"), completion: .file())
  var svg: String?

  func run() throws {
    var status = ToolRun.clean
    var sections: [TimelineDrawing.Section] = []
    for file in files {
      let found = check(file)
      if let violation = found.violation { sections.append(.init(title: file, violation: violation)) }
      status = max(status, found.status)
    }
    if let svg {
      if sections.isEmpty {
        HeadlessRun.complain("nothing to draw: \(svg) was not written")
      } else {
        do throws(WholeFile.Failure) {
          try WholeFile.write(TimelineDrawing.svg(sections), to: svg)
          print("\(Quoted.entry(ByteText.decode(svg))): \(Readable.count(sections.count, "timeline")) drawn")
        } catch {
          HeadlessRun.complain("cannot write \(svg): \(error)")
          status = StandardOutput.lost
        }
      }
    }
    throw ExitCode(status)
  }

  /// Says what the file is, and returns the exit status for it.
  private func check(_ file: String) -> (status: Int32, violation: Violation?) {
    // One line a file, whatever its name holds.
    let name = Quoted.entry(ByteText.decode(file))
    let history: History
    do {
      history = try RecordedHistory.parse(try WholeFile.read(file, lineBytesMax: 64 << 20, bytesMax: 8 << 30))
    } catch {
      HeadlessRun.complain("\(name): \(error)")
      return (ToolRun.unreadable, nil)
    }
    switch LinearizabilityChecker.check(history, shrinks: explain || svg != nil) {
    case .linearizable:
      print("\(name): linearizable")
      return (ToolRun.clean, nil)
    case .violation(let violation):
      print("\(name): violation")
      if explain { print(violation.explanation(width: 100), terminator: "") }
      return (ToolRun.damaged, violation)
    case .undecided(let key):
      HeadlessRun.complain(
        "\(name): undecided: the search for key \(Quoted.text(key)) grew past its bound of memory; "
          + "nothing is known to be wrong")
      return (ToolRun.unreadable, nil)
    }
  }
}
