/// The file `boot` in the data folder: which boot of the machine had the cluster open, and whether a loss of power since
/// may have taken writes that were acknowledged.
///
/// ```
/// kvstore boot 1
/// 0396d5f9-338e-412d-88d2-a18d945ac158 open      or: safe
/// ```
///
/// *safe*: all that was acknowledged is on the disks, as it always is under `always`, and after an orderly end under
/// `everysec`. Otherwise the page cache has the rest, which outlives the program and not the machine: if the boot is
/// another one at the next start, any node may have lost any write since its last sync.
struct BootMark: Equatable {
  var boot: String
  var isSafe: Bool

  private static let path = "boot"
  private static let firstLine = "kvstore boot 1"

  var text: String { "\(BootMark.firstLine)\n\(boot) \(isSafe ? "safe" : "open")\n" }

  /// `nil` if it makes no sense.
  init?(text: String) {
    let lines = text.split(separator: "\n")
    let words = lines.last?.split(separator: " ") ?? []
    guard lines.count == 2, lines[0] == BootMark.firstLine, words.count == 2, ["safe", "open"].contains(words[1]) else {
      return nil
    }
    self.init(boot: String(words[0]), isSafe: words[1] == "safe")
  }

  init(boot: String, isSafe: Bool) {
    self.boot = boot
    self.isSafe = isSafe
  }

  /// Whether nodes may have lost acknowledged writes, if this was found in another boot of the machine.
  func isLost(in boot: String) -> Bool { !isSafe && self.boot != boot }

  /// The folder's mark; `nil` if there is none, or none that makes sense.
  static func read(from disk: any Disk) throws(StorageError) -> BootMark? {
    guard let bytes = try disk.read(path) else { return nil }
    return BootMark(text: String(decoding: bytes, as: UTF8.self))
  }

  /// Durable on return.
  func write(to disk: any Disk) throws(StorageError) { try disk.replace(BootMark.path, with: Array(text.utf8)) }
}
