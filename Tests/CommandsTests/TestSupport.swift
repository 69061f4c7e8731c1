import Commands
import Glibc
import KVCluster
import Synchronization

/// What a command said, from whichever thread.
final class Recorder: Sendable {
  private let outputs = Mutex<[CommandOutput]>([])

  func record(_ output: CommandOutput) {
    outputs.withLock { $0.append(output) }
  }

  /// The answers as line mode prints them.
  var lines: [String] {
    outputs.withLock { outputs in
      outputs.compactMap { output in
        switch output {
        case .answer(let answer), .announcement(let answer): String(decoding: answer.line, as: UTF8.self)
        case .progress: nil
        }
      }
    }
  }

  var progress: [CommandProgress] {
    outputs.withLock { outputs in
      outputs.compactMap { if case .progress(let progress) = $0 { progress } else { nil } }
    }
  }
}

/// A folder of its own for one test.
func makeTemporaryFolder() -> String {
  var template = Array("/tmp/kvstore-test-XXXXXX".utf8CString)
  precondition(mkdtemp(&template) != nil)
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Runs `body` on a fresh cluster of three nodes that is gone afterwards.
func withCluster(_ body: (Cluster) async throws -> Void) async throws {
  let cluster = try Cluster.open(
    ClusterOptions(dataFolder: makeTemporaryFolder(), isEphemeral: true, fsync: .never))
  do {
    try await cluster.ready()
    try await body(cluster)
  } catch {
    await cluster.close()
    throw error
  }
  await cluster.close()
}

/// A pipe whose ends close themselves when they are no longer needed.
final class Pipe: Sendable {
  let readEnd: Int32
  let writeEnd: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0)
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  /// Writes at most what a pipe holds (64 KiB), and ends the input.
  func fill(_ bytes: [UInt8]) {
    precondition(write(writeEnd, bytes, bytes.count) == bytes.count)
    close(writeEnd)
  }

  /// Ends the output and reads what was written, at most what a pipe holds.
  func drain() -> String {
    close(writeEnd)
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    var all: [UInt8] = []
    while case let count = read(readEnd, &bytes, bytes.count), count > 0 { all += bytes[..<count] }
    close(readEnd)
    return String(decoding: all, as: UTF8.self)
  }
}

/// A file with these bytes, removed with the test.
final class TemporaryFile {
  let path: [UInt8]

  init(_ bytes: [UInt8]) {
    var template = Array("/tmp/kvstore-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    path = template.dropLast().map(UInt8.init(bitPattern:))
    var rest = bytes[...]
    while !rest.isEmpty {
      rest = rest.dropFirst(rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) })
    }
    close(descriptor)
  }

  deinit { unlink(String(decoding: path, as: UTF8.self)) }
}
