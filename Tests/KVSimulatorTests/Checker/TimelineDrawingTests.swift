import Foundation
import KVSimulator
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The picture of a violation.
@Suite struct TimelineDrawingTests {
  private static let stale = [put("<old>", 1, 2), put("new", 3, 4), put("late", 5), get("<old>", 6, 7)]

  private static func violation(of operations: [History.Operation]) throws -> Violation {
    guard case .violation(let violation) = LinearizabilityChecker.check(History(operations), shrinks: false) else {
      throw CancellationError()
    }
    return violation
  }

  @Test func itIsWellFormedAndHoldsEveryOperationOnce() throws {
    let section = TimelineDrawing.Section(title: "a & b\u{1}", violation: try Self.violation(of: Self.stale))
    let svg = TimelineDrawing.svg([section, section])
    let parsed = Collector()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = parsed
    #expect(parser.parse(), "\(parser.parserError.map(String.init(describing:)) ?? "")")
    #expect(parsed.texts.filter { $0 == "p6  get → \"<old>\"" }.count == 2)
    #expect(parsed.texts.filter { $0.hasPrefix("p3  put \"new\"") }.count == 2)
    #expect(parsed.texts.contains("a & b\u{fffd}"))
    // A background and one bar an operation.
    #expect(parsed.count(of: "rect") == 1 + 2 * Self.stale.count)
  }

  @Test func theAnswerThatNothingExplainsIsRedAndOpenOperationsFade() throws {
    let violation = try Self.violation(of: Self.stale)
    let rows = Timeline(violation).rows
    #expect(rows.map(\.isDecisive) == [false, false, false, true])
    #expect(rows.map(\.isRead) == [false, false, false, true])
    let svg = TimelineDrawing.svg([.init(title: "t", violation: violation)])
    #expect(svg.components(separatedBy: "url(#write-open)").count == 2)
    #expect(svg.components(separatedBy: "rx=\"3\" fill=\"#cf222e\"").count == 2)
  }

  private final class Collector: NSObject, XMLParserDelegate {
    private(set) var texts: [String] = []
    private var names: [String] = []
    private var text: String?

    func count(of name: String) -> Int { names.filter { $0 == name }.count }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      names.append(name)
      if name == "text" { text = "" }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text?.append(string) }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      if name == "text", let text { texts.append(text) }
      text = nil
    }
  }
}
