import CKernels

/// The configuration as a file: lines of words, so that people can read it and compare two of them.
///
/// ```
/// kvstore configuration 1
/// cluster 6b1f0e…            drawn when the cluster was made
/// epoch 4
/// quorum 3 2 2               copies, read quorum, write quorum
/// member 0 up node1          id, up or killed, name
/// ring 511:0 1023:2 …        tokens: last slot of the arc, node id
/// join 3                     only during a change: join or leave, node id, a leaver's heir's …
/// next 511:0 …               … and the ring after it
/// checksum 1c2d3e4f          CRC-32C of all before this line
/// ```
extension Configuration {
  package static let formatVersion = 1

  package var text: String {
    var lines = ["kvstore configuration \(Configuration.formatVersion)", "cluster \(String(clusterID, radix: 16))"]
    lines += ["epoch \(epoch)", "quorum \(quorum.replicas) \(quorum.read) \(quorum.write)"]
    lines += members.map { "member \($0.id) \($0.isKilled ? "killed" : "up") \($0.name)" }
    lines.append("ring " + Configuration.words(ring))
    if let change {
      let heir = change.heir.map { " \($0)" } ?? ""
      lines += ["\(change.kind.rawValue) \(change.node)\(heir)", "next " + Configuration.words(change.nextRing)]
    }
    let body = lines.joined(separator: "\n") + "\n"
    return body + "checksum \(String(Configuration.checksum(body), radix: 16))\n"
  }

  /// Whether the text's first line says that a newer version wrote it.
  static func isNewer(_ text: String) -> Bool {
    let words = text.prefix { $0 != "\n" }.split(separator: " ")
    guard words.count == 3, words[0] == "kvstore", let version = Int(words[2]) else { return false }
    return version > formatVersion
  }

  /// - Throws: ``ClusterError/dataFolder(_:)`` that says which line is wrong.
  package init(text: String) throws(ClusterError) {
    let mark = "\nchecksum "
    var lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    guard let first = lines.first, first.hasPrefix("kvstore configuration ") else {
      throw .dataFolder("the configuration file does not begin with 'kvstore configuration'")
    }
    guard let version = Int(first.dropFirst("kvstore configuration ".count)), version <= Configuration.formatVersion
    else {
      throw .dataFolder("the configuration was written by a newer kvstore ('\(first)'): use that one")
    }
    guard lines.last?.hasPrefix("checksum ") == true, let sum = UInt32(lines.removeLast().dropFirst(9), radix: 16),
      sum == Configuration.checksum(lines.joined(separator: "\n") + "\n")
    else {
      throw .dataFolder("the configuration file's last line, '\(mark.dropFirst())…', does not match its contents")
    }
    self = try Configuration.parse(lines)
  }

  private static func parse(_ lines: [String]) throws(ClusterError) -> Configuration {
    var parsed = Configuration(
      clusterID: 0, epoch: 0, quorum: QuorumSettings(), members: [], ring: Ring(), change: nil)
    for (number, line) in lines.enumerated().dropFirst() {
      guard parsed.take(line.split(separator: " ").map(String.init)) else {
        throw .dataFolder("line \(number + 1) of the configuration file makes no sense: '\(line)'")
      }
    }
    return parsed
  }

  /// Takes one line's words; false if they make no sense.
  private mutating func take(_ words: [String]) -> Bool {
    let numbers = words.dropFirst().compactMap { Int($0) }
    switch words.first {
    case "cluster":
      guard words.count == 2, let id = UInt64(words[1], radix: 16) else { return false }
      clusterID = id
    case "epoch":
      guard numbers.count == 1, let number = UInt64(exactly: numbers[0]) else { return false }
      epoch = number
    case "quorum":
      guard numbers.count == 3 else { return false }
      quorum = QuorumSettings(replicas: numbers[0], read: numbers[1], write: numbers[2])
    case "member":
      guard words.count == 4, let id = UInt16(words[1]), ["up", "killed"].contains(words[2]) else { return false }
      members.append(Member(id: id, name: words[3], isKilled: words[2] == "killed"))
    case "ring":
      guard let ring = Configuration.ring(words) else { return false }
      self.ring = ring
    case "join", "leave":
      let nodes = words.dropFirst().compactMap { UInt16($0) }
      guard let kind = ChangeStatus.Kind(rawValue: words[0]), nodes.count == words.count - 1,
        nodes.count == 1 || nodes.count == 2 && kind == .leave
      else { return false }
      change = Change(kind: kind, node: nodes[0], heir: nodes.count == 2 ? nodes[1] : nil, nextRing: Ring())
    case "next":
      guard change != nil, let ring = Configuration.ring(words) else { return false }
      change?.nextRing = ring
    default: return false
    }
    return true
  }

  private static func words(_ ring: Ring) -> String {
    // Some hundred tokens, written with every change of a node's state: not a string for each.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(ring.tokens.count * 10)
    for token in ring.tokens {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
      append(token.slot, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      append(token.node, to: &bytes)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ number: UInt16, to bytes: inout [UInt8]) {
    var divisor: UInt16 = 10_000
    while divisor > 1, divisor > number { divisor /= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  private static func ring(_ words: [String]) -> Ring? {
    let tokens = words.dropFirst().compactMap { word -> Ring.Token? in
      let parts = word.split(separator: ":")
      guard parts.count == 2, let slot = UInt16(parts[0]), let node = UInt16(parts[1]) else { return nil }
      return Ring.Token(slot: slot, node: node)
    }
    return tokens.count == words.count - 1 ? try? Ring(tokens: tokens) : nil
  }

  private static func checksum(_ body: String) -> UInt32 {
    Array(body.utf8).withBytes { kv_crc32c(0, $0.baseAddress, $0.count) }
  }
}
