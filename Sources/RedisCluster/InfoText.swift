/// The answer to `INFO`: lines `name:value` under headings.
struct InfoText: Sendable, Equatable {
  private var fields: [String: Substring] = [:]
  /// What `commandstats` has of each command, by its name (`get`, `config|get`).
  private(set) var calls: [String: UInt64] = [:]

  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let (name, value) = (String(line[..<colon]), line[line.index(after: colon)...])
      if name.hasPrefix(Self.commandMark) {
        calls[String(name.dropFirst(Self.commandMark.count))] = UInt64(Self.parts(value)["calls"] ?? "")
      } else {
        fields[name] = value
      }
    }
  }

  private static let commandMark = "cmdstat_"

  /// A field as a text; `nil` if the server does not tell it.
  func text(_ name: String) -> String? { fields[name].map(String.init) }
  func count(_ name: String) -> UInt64? { fields[name].flatMap { UInt64($0) } }
  func bytes(_ name: String) -> Int? { fields[name].flatMap { Int($0) } }
  func flag(_ name: String) -> Bool? { fields[name].map { $0 == "1" } }

  /// `a=1,b=2` as a dictionary.
  private static func parts(_ value: Substring) -> [Substring: Substring] {
    var parts: [Substring: Substring] = [:]
    for part in value.split(separator: ",") {
      guard let sign = part.firstIndex(of: "=") else { continue }
      parts[part[..<sign]] = part[part.index(after: sign)...]
    }
    return parts
  }

  /// Keys of database 0, the only one of a cluster. A database without keys has no line, where there is a keyspace section.
  var keys: Int? {
    guard let line = fields["db0"] else { return fields.isEmpty ? nil : 0 }
    return Self.parts(line)["keys"].flatMap { Int($0) }
  }

  /// A replica as its master sees it.
  struct Replica: Sendable, Equatable {
    var address: Address
    /// Bytes of the replication stream it has acknowledged.
    var offset: Int
    /// Seconds since it acknowledged last; it does so once a second.
    var lagSeconds: Int
  }

  private static let replicasMax = 1_000

  var replicas: [Replica] {
    // More than any master has: what a server says is no reason to count for hours.
    (0..<max(0, min(Self.replicasMax, bytes("connected_slaves") ?? 0))).compactMap { index in
      guard let line = fields["slave\(index)"] else { return nil }
      let parts = Self.parts(line)
      guard let host = parts["ip"], let port = parts["port"].flatMap({ Int($0) }),
        let offset = parts["offset"].flatMap({ Int($0) }), let lag = parts["lag"].flatMap({ Int($0) })
      else { return nil }
      return Replica(address: Address(String(host), port), offset: offset, lagSeconds: lag)
    }
  }
}
