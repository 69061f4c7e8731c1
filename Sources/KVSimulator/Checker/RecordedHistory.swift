/// A file that holds no history we can read, and where it stopped making sense.
package struct HistoryFormatError: Error, Equatable, CustomStringConvertible {
  /// From 1.
  package var line: Int
  package var problem: String

  package var description: String { "line \(line): \(problem)" }
}

/// Reads histories that were recorded elsewhere, whichever of the known formats they are in.
///
/// A line is an event; its number is its time. Both formats record Jepsen's four kinds of events: `invoke`, then `ok`
/// (took effect), `fail` (certainly did not) or `info` (nobody knows: it may still take effect at any time). What is
/// still in flight at the end of the file is open too.
package enum RecordedHistory {
  /// - Throws: ``HistoryFormatError`` with the line at fault.
  package static func parse(_ bytes: [UInt8]) throws(HistoryFormatError) -> History {
    let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
    let lines = lines(of: bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes)
    // An empty history would be linearizable, and a tool that says so of a file cut to nothing would reassure wrongly.
    guard let first = lines.first else { throw HistoryFormatError(line: 1, problem: "the file holds no events") }
    let history: History
    if first.text.drop(while: \.isWhitespace).hasPrefix("{") {
      history = try KeyValueHistory.parse(lines)
    } else if EtcdHistory.recognises(first.text) {
      history = try EtcdHistory.parse(lines)
    } else {
      throw HistoryFormatError(
        line: first.number,
        problem: "neither \"INFO  jepsen.util - PROCESS :invoke …\" nor \"{:process PROCESS, :type :invoke, …}\"")
    }
    if history.operations.isEmpty, !lines.contains(where: { $0.text.contains(":invoke") }) {
      throw HistoryFormatError(line: first.number, problem: "the file holds no events of clients")
    }
    return history
  }

  /// The lines that are not blank, with their numbers.
  private static func lines(of bytes: [UInt8]) -> [RecordedLine] {
    var lines: [RecordedLine] = []
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      let isBlank = line.allSatisfy { " \t\r".utf8.contains($0) }
      if !isBlank { lines.append(RecordedLine(number: index + 1, bytes: Array(line))) }
    }
    return lines
  }
}

struct RecordedLine {
  var number: Int
  var bytes: [UInt8]

  /// For recognising what it is; contents are read from the bytes, which need not be UTF-8.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  func error(_ problem: String) -> HistoryFormatError {
    HistoryFormatError(line: number, problem: problem)
  }
}

/// Pairs the events of each process into operations.
struct EventPairing {
  enum Kind: String {
    case invoke, ok, fail, info
  }

  private struct Invocation {
    var key: [UInt8]
    var call: History.Call
    var invokedAt: Int
  }

  private var operations: [History.Operation] = []
  private var inFlight: [Int: Invocation] = [:]
  /// The processes in the order of their latest invocations, as a dictionary's own order differs from run to run.
  private var processes: [Int] = []

  mutating func invoke(_ process: Int, key: [UInt8], _ call: History.Call, _ line: RecordedLine)
    throws(HistoryFormatError)
  {
    if let earlier = inFlight[process] {
      throw line.error("process \(process) has been waiting for an answer since line \(earlier.invokedAt)")
    }
    inFlight[process] = Invocation(key: key, call: call, invokedAt: line.number)
    processes.append(process)
  }

  /// What the process waits for.
  ///
  /// - Throws: If it waits for nothing, or for something on another key.
  func call(of process: Int, key: [UInt8], _ line: RecordedLine) throws(HistoryFormatError) -> History.Call {
    guard let invocation = inFlight[process] else {
      throw line.error("an answer to process \(process), which asked for nothing")
    }
    guard invocation.key == key else {
      throw line.error("process \(process) asked for another key in line \(invocation.invokedAt)")
    }
    return invocation.call
  }

  /// Ends what the process waits for; `outcome` is `nil` if it certainly did not happen.
  mutating func end(_ process: Int, _ outcome: History.Outcome?, _ line: RecordedLine) {
    guard let invocation = inFlight.removeValue(forKey: process) else {
      preconditionFailure("call(of:) let an answer without a question pass")
    }
    processes.removeAll { $0 == process }
    guard let outcome else { return }
    operations.append(
      History.Operation(
        process: process, key: invocation.key, call: invocation.call, invokedAt: invocation.invokedAt,
        returnedAt: outcome == .unknown ? nil : line.number, outcome: outcome))
  }

  /// All operations by invocation; those still in flight are open.
  consuming func finish() -> [History.Operation] {
    for process in processes {
      let invocation = inFlight[process]!
      operations.append(
        History.Operation(
          process: process, key: invocation.key, call: invocation.call, invokedAt: invocation.invokedAt))
    }
    return operations.sorted { $0.invokedAt < $1.invokedAt }
  }
}
