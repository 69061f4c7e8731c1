@testable import KVCluster

/// One hostile file and the way it comes to be read.
///
/// ```
/// 0  1  which file: see ``Subject``
/// 1  1  flags: 1 its checksums are made right, 2 the segment's header's too, 4 the machine lost its power,
///       8 the segment is listed, 16 a witness says that the log reached further
/// 2     the file
/// ```
struct FuzzInput {
  /// The file that is hostile; all others are as the engine writes them.
  enum Subject: UInt8, CaseIterable {
    case segment, checkpoint, segments, lease, configuration, witness, boot, suspect, batches, clock

    /// Where the file lies.
    var path: String {
      switch self {
      case .segment: "node1.wal/\(LogFormat.segmentName(1))"
      case .checkpoint: Checkpoint.path("node1.wal")
      case .segments: LogManifest.path("node1.wal")
      case .lease: TagLease.path("node1.wal")
      case .configuration: "configuration"
      case .witness: Witness.path("node1.wal")
      case .boot: "boot"
      case .suspect: SuspectMark.path("node1.wal")
      case .batches: BatchJournal.name
      case .clock: TagLease.clockPath("node1.wal")
      }
    }
  }

  static let mends: UInt8 = 1
  static let mendsHeader: UInt8 = 2
  static let losesPower: UInt8 = 4
  static let lists: UInt8 = 8
  static let isWitnessed: UInt8 = 16

  var subject: Subject
  var flags: UInt8
  var file: [UInt8]

  init(_ subject: Subject, _ flags: UInt8, _ file: [UInt8]) {
    (self.subject, self.flags, self.file) = (subject, flags, file)
  }

  /// `nil` if it names no file.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 2 else { return nil }
    self.init(Subject.allCases[Int(bytes[0]) % Subject.allCases.count], bytes[1], Array(bytes.dropFirst(2)))
  }

  /// The bytes that ``init(_:)`` reads.
  var bytes: [UInt8] { [subject.rawValue, flags] + file }

  func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

  /// Puts the file into a folder that is whole otherwise, and reads all of the folder.
  func run() {
    let disk = MemoryDisk()
    for (path, bytes) in Corpus.folder { disk.put(path, bytes) }
    if subject == .segment {
      // What else speaks of the segment would be in the way.
      disk.put(
        LogManifest.path("node1.wal"), CheckedText.encode("kvstore segments 1\n" + (has(FuzzInput.lists) ? "1\n" : "")))
      try? disk.remove(Checkpoint.path("node1.wal"))
    }
    disk.put(subject.path, mended())
    FolderReading(disk, self).run()
  }

  private func mended() -> [UInt8] {
    var file = file
    switch subject {
    case .segment:
      if has(FuzzInput.mends) { Checksums.mendRecords(&file, Corpus.identity, segment: 1) }
      if has(FuzzInput.mendsHeader) { Checksums.mendHeader(&file) }
    case .checkpoint: if has(FuzzInput.mends) { Checksums.mendCheckpoint(&file) }
    case .batches: if has(FuzzInput.mends) { Checksums.mendJournal(&file) }
    case .segments, .lease, .configuration, .witness, .clock:
      if has(FuzzInput.mends) { return Checksums.mendText(file) }
    case .boot, .suspect: break
    }
    return file
  }
}
