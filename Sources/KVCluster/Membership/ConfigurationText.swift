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
/// join 3                     only during a change: join or leave, node id, a leaver's replacement's …
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
      let replacement = change.replacement.map { " \($0)" } ?? ""
      lines += ["\(change.kind.rawValue) \(change.node)\(replacement)", "next " + Configuration.words(change.nextRing)]
    }
    let body = lines.joined(separator: "\n") + "\n"
    return body + "checksum \(String(Configuration.checksum(Array(body.utf8)[...]), radix: 16))\n"
  }

  /// Whether the text's first line says that a newer version wrote it.
  static func isNewer(_ text: String) -> Bool {
    let words = text.prefix { $0 != "\n" }.split(separator: " ")
    guard words.count == 3, words[0] == "kvstore", let version = Int(words[2]) else { return false }
    return version > formatVersion
  }

  /// - Throws: `ClusterError.dataFolder` that says which line is wrong.
  package init(text: String) throws(ClusterError) {
    // By bytes: to split a ring's hundreds of tokens by characters took a twentieth of a simulation's time.
    let bytes = Array(text.utf8)
    var lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first.map({ String(decoding: $0, as: UTF8.self) }),
      first.hasPrefix("kvstore configuration ")
    else {
      throw .dataFolder("the configuration file does not begin with 'kvstore configuration'")
    }
    guard let version = Int(first.dropFirst("kvstore configuration ".count)), version <= Configuration.formatVersion
    else {
      throw .dataFolder("the configuration was written by a newer kvstore ('\(first)'): use that one")
    }
    let last = lines.removeLast()
    let words = String(decoding: last, as: UTF8.self)
    guard words.hasPrefix("checksum "), let sum = UInt32(words.dropFirst(9), radix: 16),
      sum == Configuration.checksum(bytes[..<last.startIndex])
    else {
      throw .dataFolder("the configuration file's last line, 'checksum …', does not match its contents")
    }
    self = try Configuration.parse(lines)
  }

  private static func parse(_ lines: [ArraySlice<UInt8>]) throws(ClusterError) -> Configuration {
    var parsed = Configuration(
      clusterID: 0, epoch: 0, quorum: QuorumSettings(), members: [], ring: Ring(), change: nil)
    for (number, line) in lines.enumerated().dropFirst() {
      guard parsed.take(line) else {
        let words = String(decoding: line, as: UTF8.self)
        throw .dataFolder("line \(number + 1) of the configuration file makes no sense: '\(words)'")
      }
    }
    if let fault = parsed.fault { throw .dataFolder(.init("the configuration file makes no sense: \(fault)")) }
    return parsed
  }

  /// Takes one line; false if it makes no sense.
  private mutating func take(_ line: ArraySlice<UInt8>) -> Bool {
    let space = line.firstIndex(of: UInt8(ascii: " ")) ?? line.endIndex
    switch String(decoding: line[..<space], as: UTF8.self) {
    case "ring":
      guard let ring = Configuration.ring(line[space...]) else { return false }
      self.ring = ring
      return true
    case "next":
      guard change != nil, let ring = Configuration.ring(line[space...]) else { return false }
      change?.nextRing = ring
      return true
    default:
      return take(String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init))
    }
  }

  /// Takes the words of a line that is no ring.
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
    case "join", "leave":
      let nodes = words.dropFirst().compactMap { UInt16($0) }
      guard let kind = ChangeStatus.Kind(rawValue: words[0]), nodes.count == words.count - 1,
        nodes.count == 1 || nodes.count == 2 && kind == .leave
      else { return false }
      change = Change(kind: kind, node: nodes[0], replacement: nodes.count == 2 ? nodes[1] : nil, nextRing: Ring())
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

  /// Tokens as ``words(_:)`` writes them.
  private static func ring(_ bytes: ArraySlice<UInt8>) -> Ring? {
    var tokens: [Ring.Token] = []
    tokens.reserveCapacity(bytes.count / 6)
    var at = bytes.startIndex
    /// The number at `at`, if it fits.
    func number() -> UInt16? {
      let start = at
      var value = 0
      while at < bytes.endIndex, case let digit = bytes[at] &- UInt8(ascii: "0"), digit < 10, at - start < 5 {
        value = value * 10 + Int(digit)
        at += 1
      }
      return at > start ? UInt16(exactly: value) : nil
    }
    while at < bytes.endIndex {
      guard bytes[at] == UInt8(ascii: " ") else { return nil }
      at += 1
      guard let slot = number(), at < bytes.endIndex, bytes[at] == UInt8(ascii: ":") else { return nil }
      at += 1
      guard let node = number() else { return nil }
      tokens.append(Ring.Token(slot: slot, node: node))
    }
    return try? Ring(tokens: tokens)
  }

  private static func checksum(_ body: ArraySlice<UInt8>) -> UInt32 {
    body.withUnsafeBytes { kv_crc32c(0, $0.baseAddress, $0.count) }
  }
}
