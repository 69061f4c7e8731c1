/// Jepsen's log of one compare-and-set register in etcd.
///
/// ```
/// INFO  jepsen.util - 2    :invoke    :cas    [3 0]
///                     |    |          |       value: a number, nil, a pair, or :timed-out
///                     |    |          :read, :write or :cas
///                     |    :invoke, :ok, :fail or :info
///                     process; ":nemesis" is the tester itself, and no client
/// ```
/// A compare-and-set that failed found something other than it expected; one that timed out is open, whatever the
/// event is called. The register starts absent (`nil`). Values stay the digits they are written in.
package enum EtcdHistory {
  private static let key = Array("register".utf8)

  /// Whether this can be a line of such a log.
  static func recognises(_ line: String) -> Bool {
    line.contains("jepsen.")
  }

  static func parse(_ lines: [RecordedLine]) throws(HistoryFormatError) -> History {
    var pairing = EventPairing()
    for line in lines {
      guard let event = try Event(line) else { continue }
      if event.kind == .invoke {
        try pairing.invoke(event.process, key: key, invokedCall(event, line), line)
      } else {
        let call = try pairing.call(of: event.process, key: key, line)
        pairing.end(event.process, try outcome(event, of: call, line), line)
      }
    }
    return History(pairing.finish())
  }

  private struct Event {
    var process: Int
    var kind: EventPairing.Kind
    var function: Substring
    /// One field, or the two of a pair.
    var values: [Substring]

    /// `nil` for lines that are no client's events.
    init?(_ line: RecordedLine) throws(HistoryFormatError) {
      let fields = line.text.split { $0.isWhitespace }
      guard fields.count > 1, fields[1].hasPrefix("jepsen.") else { throw line.error("not a line of Jepsen's log") }
      let isEvent = fields[1] == "jepsen.util" && fields.count > 3 && fields[2] == "-" && !fields[3].hasPrefix(":")
      guard isEvent else { return nil }
      guard let process = Int(fields[3]), fields.count > 6 else {
        throw line.error("expected PROCESS :invoke|:ok|:fail|:info :read|:write|:cas VALUE")
      }
      guard fields[4].hasPrefix(":"), let kind = EventPairing.Kind(rawValue: String(fields[4].dropFirst())) else {
        throw line.error("\(fields[4]) is none of :invoke, :ok, :fail, :info")
      }
      self.process = process
      self.kind = kind
      function = fields[5]
      values = fields[6...].map { $0.drop { $0 == "[" } }.map { $0.last == "]" ? $0.dropLast() : $0 }
    }
  }

  private static func invokedCall(_ event: Event, _ line: RecordedLine) throws(HistoryFormatError) -> History.Call {
    switch (event.function, event.values.count) {
    case (":read", 1):
      return .get
    case (":write", 1):
      return .put(try number(event.values[0], line))
    case (":cas", 2):
      return .compareAndSet(expected: try contents(event.values[0], line), new: try number(event.values[1], line))
    default:
      throw line.error("expected :read nil, :write NUMBER or :cas [NUMBER NUMBER]")
    }
  }

  private static func outcome(
    _ event: Event, of call: History.Call, _ line: RecordedLine
  ) throws(HistoryFormatError) -> History.Outcome? {
    guard event.function == name(of: call) else {
      throw line.error("process \(event.process) asked for \(name(of: call)), not \(event.function)")
    }
    let timedOut = event.kind == .info || event.values == [":timed-out"]
    switch (call, event.kind) {
    case _ where timedOut:
      return .unknown
    case (.get, .ok) where event.values.count == 1:
      return .found(try contents(event.values[0], line))
    case (_, .ok) where try invokedCall(event, line) == call:
      return if case .compareAndSet = call { .swapped(true) } else { .done }
    case (.compareAndSet, .fail):
      return .swapped(false)
    case (_, .fail):
      return nil
    default:
      throw line.error("this is no answer to what process \(event.process) asked for")
    }
  }

  private static func name(of call: History.Call) -> String {
    switch call {
    case .get: ":read"
    case .put: ":write"
    case .compareAndSet: ":cas"
    case .delete, .append: preconditionFailure("not in this format")
    }
  }

  private static func contents(
    _ field: Substring, _ line: RecordedLine
  ) throws(HistoryFormatError) -> History.Contents {
    field == "nil" ? nil : try number(field, line)
  }

  private static func number(_ field: Substring, _ line: RecordedLine) throws(HistoryFormatError) -> [UInt8] {
    // Of any size, so as text; what is written in several ways is made one.
    let isNegative = field.hasPrefix("-")
    let digits = isNegative || field.hasPrefix("+") ? field.dropFirst() : field
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      throw line.error("\(field) is not a number")
    }
    let significant = digits.drop { $0 == "0" }
    return significant.isEmpty ? Array("0".utf8) : Array((isNegative ? "-" : "").utf8) + significant.utf8
  }
}
