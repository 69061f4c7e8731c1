import Text

/// A violation as a picture: one row an operation, its bar from invocation to return.
///
/// ```
/// p1  put "1"    ├───┤
/// p2  put "2"        ├───────…
/// p3  get → "1"          ├───┤
/// ```
/// Columns carry the order of events, not their distance. Bars that share no column do not overlap in time.
package struct Timeline: Sendable, Equatable {
  package struct Row: Sendable, Equatable {
    package var label: String
    package var isRead: Bool
    /// Its return is the moment from which no order explains the answers any more.
    package var isDecisive: Bool
    /// The column of the invocation, from 0.
    package var firstColumn: Int
    /// The column of the return; `nil` if the operation stayed open.
    package var lastColumn: Int?
  }

  package var rows: [Row] = []
  package private(set) var columnCount = 0

  /// Operations that are not in the picture, between one event and the next, take no room in it.
  package init(_ violation: Violation) {
    let times = violation.operations.flatMap { [$0.invokedAt, $0.returnedAt ?? $0.invokedAt] }.sorted()
    var columns: [Int: Int] = [:]
    for time in times where columns[time] == nil {
      columns[time] = columnCount
      columnCount += 1
    }
    let lastReturn = violation.operations.compactMap(\.returnedAt).max()
    let processWidth = violation.operations.map { "\($0.process)".count }.max() ?? 0
    rows = violation.operations.map { operation in
      let process = "\(operation.process)"
      let padding = String(repeating: " ", count: processWidth - process.count + 2)
      return Row(
        label: "p\(process)\(padding)\(operation.summary)", isRead: operation.call == .get,
        isDecisive: operation.returnedAt != nil && operation.returnedAt == lastReturn,
        firstColumn: columns[operation.invokedAt]!, lastColumn: operation.returnedAt.map { columns[$0]! })
    }
  }

  /// The rows as text, each with its line break.
  ///
  /// - Parameter width: columns of text aimed at; exceeded if the labels leave less than 20 for the bars.
  package func text(width: Int = 100) -> String {
    let labelWidth = rows.map(\.label.count).max() ?? 0
    let room = max(20, width - labelWidth - 4)
    let stretch = min(4, max(1, (room - 2) / max(1, columnCount)))
    let position = { (column: Int) in
      columnCount * stretch <= room ? column * stretch : column * (room - 2) / max(1, columnCount - 1)
    }
    let rightEdge = position(max(0, columnCount - 1)) + 2
    return rows.map { row in
      let start = position(row.firstColumn)
      let length = max(1, row.lastColumn.map { position($0) - start } ?? (rightEdge - start))
      let isPoint = row.lastColumn == row.firstColumn
      let bar = isPoint ? "│" : "├" + String(repeating: "─", count: length - 1) + (row.lastColumn == nil ? "…" : "┤")
      let padding = String(repeating: " ", count: labelWidth - row.label.count + 2 + start)
      return row.label + padding + bar + "\n"
    }.joined()
  }
}

extension Violation {
  /// What is wrong, in words and as a ``Timeline``; ends with a line break.
  package func explanation(width: Int = 100) -> String {
    sentence + "\n" + Timeline(self).text(width: width)
  }

  /// What is wrong, in a line.
  package var sentence: String {
    let start = initialContents.map(History.Operation.display).joined(separator: " or ")
    let count = operations.count
    let subject = Figures.word(count, "this operation", "any order of these \(Figures.count(count, "operation"))")
    return "key \(History.Operation.display(key)), at first \(start): \(subject) contradicts an answer"
  }
}

extension History.Operation {
  /// The call and its answer in a few words of ASCII (but for the arrow), such as `get → "1"`.
  package var summary: String {
    let display = Self.display
    return switch (call, outcome) {
    case (.get, .found(let contents)): "get → \(display(contents))"
    case (.get, _): "get"
    case (.put(let value), _): "put \(display(value))"
    case (.delete, _): "delete"
    case (.append(let bytes), _): "append \(display(bytes))"
    case (.compareAndSet(let expected, let new), .swapped(false)):
      "cas \(display(expected)) to \(display(new)) → refused"
    case (.compareAndSet(let expected, let new), _): "cas \(display(expected)) to \(display(new))"
    }
  }

  /// Contents between quotation marks, with what does not print escaped and the middle of long ones left out.
  package static func display(_ contents: History.Contents) -> String {
    guard let contents else { return "absent" }
    let quote = { (bytes: ArraySlice<UInt8>) in
      bytes.map { byte in
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7f: String(UnicodeScalar(byte))
        default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
      }.joined()
    }
    guard contents.count > 24 else { return "\"\(quote(contents[...]))\"" }
    return "\"\(quote(contents.prefix(10)))…\(quote(contents.suffix(10)))\" (\(contents.count) bytes)"
  }
}
