/// The seam to the disk. The engine's own side is ``PosixDisk``; the simulator's loses, tears and refuses from a seed.
///
/// Paths are relative to the data folder. Nothing here is on a hot path: records are written to and read from mapped
/// segments directly.
package protocol Disk: Sendable {
  /// The most segments of a log on it.
  var segmentsMax: Int { get }
  /// Bytes that new and longer files may take.
  var freeBytes: Int { get }
  /// Names in a folder, sorted; empty if there is no such folder.
  func names(in folder: String) throws(StorageError) -> [String]
  /// Makes a folder, durably. An existing one is fine.
  func makeFolder(_ path: String) throws(StorageError)
  /// Removes a folder and what is in it; a missing one is fine.
  func removeFolder(_ path: String) throws(StorageError)
  /// A whole small file, or `nil` if there is none.
  func read(_ path: String) throws(StorageError) -> [UInt8]?
  /// Replaces a file with what `produce` writes, so that a crash leaves the old bytes or the new, durably on return.
  func replace(
    _ path: String,
    _ produce: (_ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) -> Void
  ) throws(StorageError)
  /// A new segment that can grow up to `capacity` bytes; its name is durable on return.
  func createSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile
  /// An existing segment, mapped with room up to `capacity` bytes.
  func openSegment(_ path: String, capacity: Int) throws(StorageError) -> any SegmentFile
  /// Gives a segment another name, durably.
  func rename(_ file: any SegmentFile, to path: String) throws(StorageError)
  /// Removes a file, durably.
  func remove(_ path: String) throws(StorageError)
}

extension Disk {
  package var segmentsMax: Int { SegmentTable.slotsMax }
  package var freeBytes: Int { .max }

  /// Replaces a small file; see ``replace(_:_:)``.
  package func replace(_ path: String, with bytes: [UInt8]) throws(StorageError) {
    try replace(path) { write throws(StorageError) in try bytes.withBytes(write) }
  }
}

/// A file mapped into memory whose address does not change while it grows.
///
/// Bytes stored at `base` survive a crash of the program at once (they are in the page cache), or, if the file is staged,
/// once ``write(_:)`` has returned; and a power loss once ``sync()`` has.
package protocol SegmentFile: AnyObject, Sendable {
  var path: String { get }
  var base: UnsafeMutableRawPointer { get }
  /// Address space reserved: the largest size the file may have.
  var capacity: Int { get }
  /// Bytes that exist on disk and may be touched.
  var byteCount: Int { get }
  /// Makes at least `byteCount` bytes exist on disk, zero-filled and synced.
  /// - Throws: ``StorageError/diskFull(path:)``; the file is then as it was.
  func grow(to byteCount: Int) throws(StorageError)
  /// Whether bytes stored at `base` are the program's alone until they are written.
  var isStaged: Bool { get }
  /// Makes the bytes stored in a range part of the file, if it is staged.
  func write(_ range: Range<Int>) throws(StorageError)
  /// Returns once every byte written before is on the disk. After a failure the file must not be synced again: the
  /// pages may have been dropped.
  func sync() throws(StorageError)
  /// Whether the file was deleted while it is open: what is written to it goes with the program.
  var isDeleted: Bool { get }
  /// Asks for pages that will be written next to be made ready, so that their first store does not stop to fault. May do
  /// nothing.
  func prepareToWrite(_ range: Range<Int>)
  /// Says that nothing will be stored in the range's whole pages again; what was is part of the file. May do nothing.
  func finishWriting(_ range: Range<Int>)
  /// Unmaps and closes.
  func close()
}

extension SegmentFile {
  package var isDeleted: Bool { false }
  var writing: SegmentWriting { isStaged ? .staged : .stored }
}
