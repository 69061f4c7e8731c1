import CKernels

/// What one folder of a cluster knows of all others, so that an older or a foreign one among them is noticed.
///
/// A log's end is where the first record does not verify, and says nothing of records that were behind it once. So the
/// folder of every node, and the data folder itself, hold a witness: for each node how far its log reached when the
/// witness was written, whether the node may have lost records, the newest configuration, and a name for each start of the
/// program. Logs only grow and configurations only follow each other, so what is behind its witnesses is older than they
/// are: a file put back, cut short, zeroed or lost. Starts are drawn by lot, so two copies of a folder that were both used
/// since differ in them, and folders of one are told from those of the other.
///
/// Of several witnesses the newest counts: each is written with everything known. Whatever is missing in it is not
/// checked: no witness makes a healthy folder unusable. File `witness`, lines of words with a checksum as the last:
///
/// ```
/// kvstore witness 1
/// cluster 6b1f0e…
/// written 17 42               in which start, and its how many-th witness
/// boot 0f6c…                  the boot of the machine; - where the system does not say
/// starts 8f3a… 91bc… …        names of the last starts, the newest first
/// configuration 4 1c2d3e4f    its epoch, and a checksum of all of it but for who was killed
/// log node1 5:10000 5:12008 whole        synced up to, written up to (segment:offset); whole, unsynced or lost
/// checksum 5e6f…
/// ```
///
/// Rejected: the positions in the log itself, which an older copy of the log does not have; and one file for all, which is
/// as easily put back as any other.
struct Witness: Equatable, Sendable {
  /// What is known of one node.
  struct Log: Equatable, Sendable {
    var name: String
    /// The log was on the disk up to here.
    var synced = LogPosition.start
    /// What outlives the program, though perhaps not a loss of power, reached up to here; at least ``synced``.
    var written = LogPosition.start
    /// `nil` if the node had all that it acknowledged.
    var suspicion: SuspectMark.Cause?
  }

  var clusterID: UInt64
  /// Number of the start that wrote it, counted from 1.
  var start: UInt64 = 0
  /// Number of the witness within the start.
  var count: UInt64 = 0
  /// Which boot of the machine ``Log/written`` is true in: a loss of power may have taken what was not synced. `nil` where
  /// the system does not say.
  var boot: String?
  /// Names of the last starts, the newest first: that of ``start``, of the one before, and so on.
  var names: [UInt64] = []
  var epoch: UInt64 = 0
  var fingerprint: UInt32 = 0
  var logs: [Log] = []

  /// Names kept. A folder that was away for more starts cannot be told from a foreign one any more, and passes.
  static let namesMax = 128

  static func path(_ folder: String) -> String { folder.isEmpty ? "witness" : "\(folder)/witness" }

  init(clusterID: UInt64) {
    self.clusterID = clusterID
  }

  func log(_ name: String) -> Log? { logs.first { $0.name == name } }

  func isNewer(than other: Witness) -> Bool { (start, count) > (other.start, other.count) }

  /// Whether one of the two was written in a start that the other knows, or may have known: false if they come from two
  /// copies of a folder that were both used.
  func isOfOneHistory(with other: Witness) -> Bool {
    let (older, newer) = start <= other.start ? (self, other) : (other, self)
    let age = newer.start - older.start
    guard age < UInt64(newer.names.count), let name = older.names.first else { return true }
    return newer.names[Int(age)] == name
  }

  /// Begins a start.
  mutating func begin(_ name: UInt64) {
    start += 1
    count = 0
    names = [name] + names.prefix(Witness.namesMax - 1)
  }

  /// Takes it to a boot of the machine: what was not synced in another one may be gone.
  mutating func enter(boot: String?) {
    if boot == nil || boot != self.boot {
      for i in logs.indices { logs[i].written = logs[i].synced }
    }
    self.boot = boot
  }

  /// A log was opened and ends here; of what was not synced a part may have been cut.
  mutating func reopen(_ name: String, end: LogPosition) {
    guard let i = logs.firstIndex(where: { $0.name == name }) else { return }
    logs[i].written = max(logs[i].synced, end)
  }

  /// Changes what is known of a node's log. Positions never go back.
  mutating func note(_ name: String, synced: LogPosition, written: LogPosition, _ suspicion: SuspectMark.Cause?) {
    var log = log(name) ?? Log(name: name)
    log.synced = max(log.synced, synced)
    log.written = max(log.written, log.synced, written)
    log.suspicion = suspicion
    logs.removeAll { $0.name == name }
    logs.append(log)
  }

  /// Takes over a configuration that is in force; what is known of nodes that are no members is forgotten.
  mutating func note(_ configuration: Configuration) {
    epoch = configuration.epoch
    fingerprint = configuration.fingerprint
    logs.removeAll { configuration.member(named: $0.name) == nil }
  }
}

extension Configuration {
  /// Tells two configurations of one epoch apart; who is killed is not part of it.
  var fingerprint: UInt32 {
    var plain = self
    for i in plain.members.indices { plain.members[i].isKilled = false }
    return Array(plain.text.utf8).withBytes { Checksum.crc32c($0) }
  }
}

// MARK: - The file

extension Witness {
  private static let firstLine = "kvstore witness 1"

  var bytes: [UInt8] {
    var body = Array("\(Witness.firstLine)\ncluster \(String(clusterID, radix: 16))\n".utf8)
    body += "written \(start) \(count)\nboot \(boot ?? "-")\nstarts ".utf8
    for (i, name) in names.enumerated() {
      if i > 0 { body.append(UInt8(ascii: " ")) }
      Witness.append(name, to: &body)
    }
    body += "\nconfiguration \(epoch) \(String(fingerprint, radix: 16))\n".utf8
    for log in logs {
      let state = log.suspicion.map { $0 == .lost ? "lost" : "unsynced" } ?? "whole"
      body += "log \(log.name) \(Witness.words(log.synced)) \(Witness.words(log.written)) \(state)\n".utf8
    }
    return CheckedText.encode(body)
  }

  /// Adds a name in hexadecimal. By bytes: most of a witness are these, and a start reads and writes one for each node.
  private static func append(_ name: UInt64, to body: inout [UInt8]) {
    let digits = max(1, 16 - name.leadingZeroBitCount / 4)
    for i in (0..<digits).reversed() {
      let digit = UInt8(truncatingIfNeeded: name >> UInt64(4 * i)) & 15
      body.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  private static func words(_ position: LogPosition) -> String { "\(position.segment):\(position.offset)" }

  private static func position(_ word: ArraySlice<UInt8>) -> LogPosition? {
    guard let colon = word.firstIndex(of: UInt8(ascii: ":")), let segment = number(word[..<colon]), segment < 1 << 40,
      let offset = number(word[(colon + 1)...]), offset <= LogFormat.segmentFileBytesMax
    else { return nil }
    return LogPosition(segment: segment, offset: Int(offset))
  }

  /// A number in decimals, or with base 16 in hexadecimals, of up to 16 digits.
  private static func number(_ word: ArraySlice<UInt8>, base: UInt64 = 10) -> UInt64? {
    guard (1...16).contains(word.count) else { return nil }
    var value: UInt64 = 0
    for byte in word {
      guard let digit = digit(byte), digit < base else { return nil }
      value = value * base + UInt64(digit)
    }
    return value
  }

  /// `nil` if any of it makes no sense.
  init?(_ bytes: [UInt8]) {
    guard let body = CheckedText.body(bytes) else { return nil }
    self.init(clusterID: 0)
    var isFirst = true
    var rest = body
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      if line.isEmpty { continue }
      if isFirst {
        guard line.elementsEqual(Witness.firstLine.utf8) else { return nil }
        isFirst = false
      } else if line.starts(with: Witness.startsPrefix) {
        guard takeStarts(line.dropFirst(Witness.startsPrefix.count)) else { return nil }
      } else if !take(line.split(separator: UInt8(ascii: " "))) {
        return nil
      }
    }
    guard !isFirst else { return nil }
    guard names.count <= Witness.namesMax, UInt64(names.count) <= start, start < 1 << 48 else { return nil }
  }

  private static let startsPrefix = Array("starts ".utf8)

  /// Takes the names of starts, in hexadecimal.
  private mutating func takeStarts(_ line: ArraySlice<UInt8>) -> Bool {
    var (name, digits) = (UInt64(0), 0)
    var found: [UInt64] = []
    found.reserveCapacity(Witness.namesMax)
    let makesSense = line.withUnsafeBufferPointer { bytes in
      for byte in bytes {
        if let digit = Witness.digit(byte), digits < 16 {
          (name, digits) = (name << 4 | UInt64(digit), digits + 1)
        } else if byte == UInt8(ascii: " "), digits > 0 {
          found.append(name)
          (name, digits) = (0, 0)
        } else {
          return false
        }
      }
      return true
    }
    if digits > 0 { found.append(name) }
    names += found
    return makesSense
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// Takes any other line; false if it makes no sense.
  private mutating func take(_ words: [ArraySlice<UInt8>]) -> Bool {
    guard let first = words.first else { return false }
    let text = { (word: ArraySlice<UInt8>) in String(decoding: word, as: UTF8.self) }
    switch (text(first), words.count) {
    case ("cluster", 2):
      guard let id = Witness.number(words[1], base: 16) else { return false }
      clusterID = id
    case ("written", 3):
      guard let start = Witness.number(words[1]), let count = Witness.number(words[2]) else { return false }
      (self.start, self.count) = (start, count)
    case ("boot", 2): boot = words[1].elementsEqual("-".utf8) ? nil : text(words[1])
    case ("configuration", 3):
      guard let epoch = Witness.number(words[1]), let sum = Witness.number(words[2], base: 16),
        let fingerprint = UInt32(exactly: sum)
      else { return false }
      (self.epoch, self.fingerprint) = (epoch, fingerprint)
    case ("log", 5):
      guard let synced = Witness.position(words[2]), let written = Witness.position(words[3]) else { return false }
      let suspicion: SuspectMark.Cause?
      switch text(words[4]) {
      case "whole": suspicion = nil
      case "unsynced": suspicion = .unsynced
      case "lost": suspicion = .lost
      default: return false
      }
      logs.append(Log(name: text(words[1]), synced: synced, written: written, suspicion: suspicion))
    default: return false
    }
    return true
  }

  /// The folder's witness; `nil` if there is none, or none that makes sense.
  static func read(from disk: any Disk, folder: String) throws(StorageError) -> Witness? {
    var reader = Reader()
    return try reader.read(from: disk, folder: folder)
  }

  /// Reads the witnesses of several folders, most of which are the same byte for byte, and are read more than once.
  struct Reader: Sendable {
    private var known: [(bytes: [UInt8], witness: Witness?)] = []
    private static let knownMax = 16

    /// ``Witness/read(from:folder:)`` for one of the folders.
    mutating func read(from disk: any Disk, folder: String) throws(StorageError) -> Witness? {
      guard let bytes = try disk.read(path(folder)) else { return nil }
      if let found = known.first(where: { $0.bytes == bytes }) { return found.witness }
      let witness = Witness(bytes)
      if known.count == Reader.knownMax { known.removeFirst() }
      known.append((bytes, witness))
      return witness
    }
  }

  func write(to disk: any Disk, folder: String) throws(StorageError) {
    try disk.replace(Witness.path(folder), with: bytes)
  }
}
