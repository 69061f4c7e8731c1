extension ClusterMap {
  /// Why a text is no answer to `CLUSTER NODES`.
  struct Malformed: Error, Equatable, CustomStringConvertible {
    var line: String
    var description: String { "a line of CLUSTER NODES makes no sense: \(line)" }
  }

  /// Reads the answer to `CLUSTER NODES`:
  ///
  ///     id ip:port@cport[,hostname[,name=value]…] flags master ping pong epoch link [slot | slot-slot | [slot->-id]]…
  ///
  /// - Parameter host: stands for an address that is not told: the host under which the node that answers was reached.
  init(nodesText text: String, host: String) throws(Malformed) {
    var nodes: [Node] = []
    for line in text.split(whereSeparator: \.isNewline) { nodes.append(try Self.node(line, host)) }
    self.init(nodes)
  }

  private static func node(_ line: Substring, _ host: String) throws(Malformed) -> Node {
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count >= 8, let epoch = UInt64(fields[6]) else { throw Malformed(line: String(line)) }
    let names = fields[1].split(separator: ",", omittingEmptySubsequences: false)
    let flags = Set(fields[2].split(separator: ",").compactMap { Flag(rawValue: String($0)) })
    var node = Node(
      id: String(fields[0]), address: try address(names[0], host, line),
      hostname: names.dropFirst().first.flatMap { $0.isEmpty || $0.contains("=") ? nil : String($0) }, flags: flags,
      masterID: fields[3] == "-" ? nil : String(fields[3]), configEpoch: epoch,
      isLinked: fields[7] == "connected" || flags.contains(.myself))
    for field in fields.dropFirst(8) {
      if let open = openSlot(field) {
        node.openSlots.append(open)
      } else if let range = range(field) {
        node.slots.append(range)
      } else {
        throw Malformed(line: String(line))
      }
    }
    return node
  }

  /// A node whose address the cluster has lost is `:0@0`.
  private static func address(
    _ text: Substring, _ host: String, _ line: Substring
  ) throws(Malformed) -> Address {
    let end = text.firstIndex(of: "@") ?? text.endIndex
    let plain = text[..<end]
    guard let colon = plain.lastIndex(of: ":"), let port = Int(plain[plain.index(after: colon)...]),
      (0...65_535).contains(port)
    else { throw Malformed(line: String(line)) }
    let told = String(plain[..<colon])
    return Address(told.isEmpty && port != 0 ? host : told, port)
  }

  private static func range(_ text: Substring) -> ClosedRange<Int>? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first >= 0, first <= last,
      last < KeySlot.count
    else { return nil }
    return first...last
  }

  /// `[93->-id]` is given away, `[93-<-id]` received.
  private static func openSlot(_ text: Substring) -> OpenSlot? {
    guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
    let inner = text.dropFirst().dropLast()
    for (mark, end) in [("->-", OpenSlot.End.migrating), ("-<-", .importing)] {
      guard let found = inner.range(of: mark), let slot = Int(inner[..<found.lowerBound]),
        (0..<KeySlot.count).contains(slot)
      else { continue }
      return OpenSlot(slot: slot, end: end, other: String(inner[found.upperBound...]))
    }
    return nil
  }
}

extension Substring {
  /// The first place of a text in this one.
  fileprivate func range(of text: String) -> Range<Index>? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
      at = index(after: at)
    }
    return nil
  }
}
