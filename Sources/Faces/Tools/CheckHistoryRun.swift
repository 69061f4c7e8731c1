import Commands
import KVSimulator
import Text

/// `kvstore check-history FILE…`: whether recorded histories are linearizable.
package struct CheckHistoryRun {
  let files: [String]
  /// Shows the shortest part that no order of the operations explains.
  let explains: Bool
  /// Where to draw these parts.
  let svg: String?
  let console: Console

  package init(files: [String], explains: Bool, svg: String?, _ console: Console = .standard) {
    (self.files, self.explains, self.svg, self.console) = (files, explains, svg, console)
  }

  /// Returns the program's exit status.
  package func run() -> Int32 {
    var status = ToolRun.clean
    var sections: [TimelineDrawing.Section] = []
    for file in files {
      let found = check(file)
      if let violation = found.violation { sections.append(.init(title: file, violation: violation)) }
      status = max(status, found.status)
    }
    if let svg {
      if sections.isEmpty {
        console.complain("nothing to draw: \(svg) was not written")
      } else {
        do throws(WholeFile.Failure) {
          try WholeFile.write(TimelineDrawing.svg(sections), to: svg)
          console.say("\(Quoted.entry(ByteText.decode(svg))): \(Readable.count(sections.count, "timeline")) drawn")
        } catch {
          console.complain("cannot write \(svg): \(error)")
          status = Console.lost
        }
      }
    }
    return status
  }

  /// Says what the file is, and returns the exit status for it.
  private func check(_ file: String) -> (status: Int32, violation: Violation?) {
    // One line a file, whatever its name holds.
    let name = Quoted.entry(ByteText.decode(file))
    let history: History
    do {
      history = try RecordedHistory.parse(try WholeFile.read(file, lineBytesMax: 64 << 20, bytesMax: 8 << 30))
    } catch {
      console.complain("\(name): \(error)")
      return (ToolRun.unreadable, nil)
    }
    switch LinearizabilityChecker.check(history, shrinks: explains || svg != nil) {
    case .linearizable:
      console.say("\(name): linearizable")
      return (ToolRun.clean, nil)
    case .violation(let violation):
      console.say("\(name): violation")
      if explains { console.write(violation.explanation(width: 100)) }
      return (ToolRun.damaged, violation)
    case .undecided(let key):
      console.complain(
        "\(name): undecided: the search for key \(Quoted.text(key)) grew past its bound of memory; "
          + "nothing is known to be wrong")
      return (ToolRun.unreadable, nil)
    }
  }
}
