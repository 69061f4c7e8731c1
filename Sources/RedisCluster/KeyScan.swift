import ClusterModel
import RESP

/// One page of all masters' keys, by `SCAN` of one after the other.
///
/// A key that is there throughout is found at least once; one whose slot moves meanwhile may be found twice, on two pages.
struct KeyScan {
  let router: Router
  let prefix: [UInt8]
  let limit: Int

  /// Where a page ends: in the middle of a node's table, with keys that were found and had no room.
  private struct Mark {
    /// Id of the master; empty before the first.
    var node = ""
    var cursor = "0"
    /// Whether that node's table has been begun and ended.
    var isThrough = true
    var found: [[UInt8]] = []

    init() {}

    /// As a request of the Redis protocol, which carries any bytes.
    init?(_ cursor: ScanCursor) {
      var reader = ReplyReader()
      reader.feed(cursor.bytes)
      guard let parts = (try? reader.next())??.elements?.compactMap(\.bytes), parts.count >= 3 else { return nil }
      node = String(decoding: parts[0], as: UTF8.self)
      self.cursor = String(decoding: parts[1], as: UTF8.self)
      isThrough = parts[2] == Array("1".utf8)
      found = Array(parts[3...])
    }

    var bytes: ScanCursor {
      let head = [Array(node.utf8), Array(cursor.utf8), Array((isThrough ? "1" : "0").utf8)]
      return ScanCursor(RequestWriter.bytes(head + found))
    }
  }

  /// Entries that a server looks at in one step: it serves nobody else meanwhile.
  private static let stepMax = 1_000

  func page(from cursor: ScanCursor?) async throws(ClusterError) -> ScanPage {
    guard var mark = cursor.map({ Mark($0) }) ?? Mark() else { throw .invalidArgument("the cursor is none of Redis's") }
    let limit = max(1, limit)
    var isAtEnd = false
    while mark.found.count < limit, !isAtEnd {
      guard !Task.isCancelled else { throw .refused("the list was given up") }
      if mark.isThrough, !advance(&mark) {
        isAtEnd = true
      } else {
        try await step(&mark)
      }
    }
    let unique = Set(mark.found).sorted { $0.lexicographicallyPrecedes($1) }
    mark.found = Array(unique.dropFirst(limit))
    let isDone = mark.found.isEmpty && (isAtEnd || mark.isThrough && !hasNext(mark))
    return ScanPage(keys: Array(unique.prefix(limit)), next: isDone ? nil : mark.bytes)
  }

  /// Masters in the order of their ids, which stays whoever joins.
  private var masters: [ClusterMap.Node] { router.known.owningMasters.sorted { $0.id < $1.id } }
  private func hasNext(_ mark: Mark) -> Bool { masters.contains { $0.id > mark.node } }

  private func advance(_ mark: inout Mark) -> Bool {
    guard let next = masters.first(where: { $0.id > mark.node }) else { return false }
    (mark.node, mark.cursor, mark.isThrough) = (next.id, "0", false)
    return true
  }

  private func step(_ mark: inout Mark) async throws(ClusterError) {
    guard let node = router.known.node(mark.node) else {
      // It has left, and its keys are at the others.
      mark.isThrough = true
      return
    }
    let count = "\(min(Self.stepMax, max(10, limit - mark.found.count)))"
    let pattern = prefix.isEmpty ? [] : ["MATCH".utf8.map { $0 }, Self.escaped(prefix) + [UInt8(ascii: "*")]]
    let command = [Array("SCAN".utf8), Array(mark.cursor.utf8)] + pattern + [Array("COUNT".utf8), Array(count.utf8)]
    let reply: ReplyValue
    do throws(Connection.Failure) {
      reply = try await router.pool.connection(to: node.address).ask(command)[0]
    } catch {
      throw .notServing(.init("\(node.name) cannot list its keys: \(error)", nodes: [node.name]))
    }
    if let error = ServerError(reply) { throw .refused(.init("\(node.name) refuses SCAN: \(error.words)")) }
    guard let parts = reply.elements, parts.count == 2, let next = parts[0].text, let keys = parts[1].elements else {
      throw .refused(.init("\(node.name) answers SCAN with what makes no sense"))
    }
    mark.found += keys.compactMap(\.bytes)
    (mark.cursor, mark.isThrough) = (next, next == "0")
  }

  /// A prefix in which no byte is a wildcard.
  private static func escaped(_ prefix: [UInt8]) -> [UInt8] {
    prefix.flatMap { "*?[]\\^-".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
  }
}
