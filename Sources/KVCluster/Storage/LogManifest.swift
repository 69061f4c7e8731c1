/// The small file `segments` in a node's folder: which segments its log has.
///
/// Without it nobody could tell a segment that was lost from one that compaction has emptied. It is replaced durably
/// before the first record goes into a new segment, and before a segment's file is given up; so a segment file that it
/// does not name holds nothing, and one that it names and that is not there is a loss.
struct LogManifest: Equatable {
  var segments: [UInt64]

  static func path(_ folder: String) -> String { "\(folder)/segments" }

  func write(to disk: any Disk, folder: String) throws(StorageError) {
    let lines = segments.map { "\($0)\n" }.joined()
    try disk.replace(LogManifest.path(folder), with: CheckedText.encode("kvstore segments 1\n\(lines)"))
  }

  /// The manifest, or `nil` if there is none or it does not verify.
  static func read(from disk: any Disk, folder: String) throws(StorageError) -> LogManifest? {
    guard let bytes = try disk.read(path(folder)), let body = CheckedText.decode(bytes) else { return nil }
    let lines = body.split(separator: "\n")
    let ids = lines.dropFirst().compactMap { UInt64($0) }
    guard lines.first == "kvstore segments 1", ids.count == lines.count - 1,
      ids.allSatisfy(LogFormat.segmentIDs.contains)
    else { return nil }
    return LogManifest(segments: ids)
  }
}

/// Text whose last line is a checksum of the lines before.
enum CheckedText {
  static func encode(_ body: String) -> [UInt8] { encode(Array(body.utf8)) }

  static func encode(_ body: [UInt8]) -> [UInt8] {
    body + "checksum \(String(body.withBytes { Checksum.crc32c($0) }, radix: 16))\n".utf8
  }

  /// The body, or `nil` if the checksum is not there or does not match.
  static func decode(_ bytes: [UInt8]) -> String? {
    body(bytes).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes of the body, likewise.
  static func body(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let newline = UInt8(ascii: "\n")
    guard bytes.last == newline else { return nil }
    let start = bytes.dropLast().lastIndex(of: newline).map { $0 + 1 } ?? 0
    let checksum = bytes[..<start].withUnsafeBytes { Checksum.crc32c($0) }
    let last = bytes[start...].dropLast()
    return last.elementsEqual("checksum \(String(checksum, radix: 16))".utf8) ? bytes[..<start] : nil
  }
}
