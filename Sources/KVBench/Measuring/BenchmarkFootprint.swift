import Glibc
import KVCluster
import Text

/// What a cluster takes of disk and memory at the end of a run, the sum of its nodes.
package struct BenchmarkFootprint: Sendable, Equatable {
  /// Bytes of all records of all logs, and of those that a key still points to.
  package var walBytes: Int
  package var liveBytes: Int
  /// Bytes the caches have in use.
  package var cacheBytes: Int
  package var memory: ProcessMemory
  /// Before anything was loaded; what is beyond it is the data's.
  package var memoryAtStart: ProcessMemory

  init(_ status: ClusterStatus, memoryAtStart: ProcessMemory) {
    walBytes = status.nodes.reduce(0) { $0 + ($1.wal?.bytes ?? 0) }
    liveBytes = status.nodes.reduce(0) { $0 + ($1.wal?.liveBytes ?? 0) }
    cacheBytes = status.nodes.reduce(0) { $0 + ($1.cache?.bytes ?? 0) }
    memory = ProcessMemory.now()
    self.memoryAtStart = memoryAtStart
  }

  /// A line for people.
  var line: String {
    """
    logs \(Figures.bytes(walBytes)), live \(Figures.bytes(liveBytes)), caches \(Figures.bytes(cacheBytes)), \
    resident \(Figures.bytes(memory.residentBytes)) (\(Figures.bytes(memory.anonymousBytes)) without mapped files)
    """
  }

  /// Members of a JSON object.
  var jsonMembers: String {
    """
    "walBytes": \(walBytes), "liveBytes": \(liveBytes), "cacheBytes": \(cacheBytes), \
    "rssBytes": \(memory.residentBytes), "anonymousBytes": \(memory.anonymousBytes), \
    "rssBytesAtStart": \(memoryAtStart.residentBytes), "anonymousBytesAtStart": \(memoryAtStart.anonymousBytes)
    """
  }
}

/// The program's memory as the kernel counts it (proc(5), `statm`).
package struct ProcessMemory: Sendable, Equatable {
  /// All pages in memory, those of mapped files included: the logs are mapped, and the kernel may drop their pages.
  package var residentBytes: Int
  /// Pages that belong to no file.
  package var anonymousBytes: Int

  /// Zeros where there is no `/proc`.
  package static func now() -> ProcessMemory {
    var text = [UInt8](repeating: 0, count: 256)
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return ProcessMemory(residentBytes: 0, anonymousBytes: 0) }
    let count = read(file, &text, text.count)
    close(file)
    // size, resident, shared (mapped files), …, in pages
    let pages = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ").map { Int($0) ?? 0 }
    guard pages.count > 2 else { return ProcessMemory(residentBytes: 0, anonymousBytes: 0) }
    let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    return ProcessMemory(residentBytes: pages[1] * pageBytes, anonymousBytes: (pages[1] - pages[2]) * pageBytes)
  }
}
