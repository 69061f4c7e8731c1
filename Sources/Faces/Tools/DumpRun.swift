import Commands
import Glibc
import KVCluster
import Text

/// `kvstore dump DIR`: the records of a data folder as text.
package enum DumpRun {
  /// Returns the program's exit status.
  package static func run(
    _ path: String, node: String?, valueBytesMax: Int, showsSyncMarks: Bool,
    _ console: Console = .standard
  ) async -> Int32 {
    await ToolRun.run(console) { control throws(ClusterError) in
      let folder = try FolderAtRest(path)
      var output = BufferedOutput(console)
      var isIntact = true
      output.write("node segment offset kind tag key bytes value state\n")
      try LogDump.run(folder, node: node) { line in
        if !showsSyncMarks, case .record(.syncMark, _, _, _, true) = line.content { return !control.isStopped }
        let (text, isGood) = text(line, valueBytes: valueBytesMax)
        isIntact = isIntact && isGood
        output.write(text)
        return !control.isStopped && console.failure == nil
      }
      output.flush()
      return isIntact ? ToolRun.clean : ToolRun.damaged
    }
  }

  /// The line's text, and whether it is of an intact record.
  static func text(_ line: LogDump.Line, valueBytes: Int) -> (String, Bool) {
    let place = "\(line.node) \(line.segment) \(line.offset)"
    switch line.content {
    case .damaged(let byteCount): return ("\(place) - - - - \(byteCount) bytes damaged\n", false)
    case .damagedSegment(let reason): return ("\(place) segment - - - \(Quoted.text(reason.utf8)) damaged\n", false)
    case .record(let kind, let tag, let key, let value, let isIntact):
      let cut = value.count > valueBytes ? "…" : ""
      let shown = Quoted.text(value.prefix(valueBytes)) + cut
      let state = isIntact ? "ok" : "damaged"
      return ("\(place) \(kind) \(number(kind, tag)) \(Quoted.text(key)) \(value.count) \(shown) \(state)\n", isIntact)
    }
  }

  private static func number(_ kind: RecordKind, _ tag: UInt64) -> String {
    switch kind {
    case .value, .tombstone, .hint: return "\(Tag(rawValue: tag).counter)"
    case .seal: return "\(tag)"
    case .syncMark, .rangeDrop, .hintsSettled:
      let position = LogPosition(rawValue: tag)
      return "\(position.segment):\(position.offset)"
    }
  }
}

/// Standard output in pieces of 64 KiB.
private struct BufferedOutput {
  private var bytes: [UInt8] = []
  let console: Console

  init(_ console: Console) { self.console = console }

  mutating func write(_ text: String) {
    bytes += text.utf8
    if bytes.count >= 1 << 16 { flush() }
  }

  mutating func flush() {
    console.write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
