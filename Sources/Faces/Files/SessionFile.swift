import ClusterModel
import Dashboard
import FoundationEssentials
import Glibc

/// The file of `--history`: the statuses of a session and its events, a line of JSON each, for `kvstore replay`.
final class SessionWriter {
  /// One a second is as fine as anybody looks back; what happens in between comes with the next.
  static let periodNs: UInt64 = 1_000_000_000

  private let file: GrowingFile
  private let encoder = JSONEncoder()
  private var nextNs: UInt64 = 0
  private var events: [ClusterEvent] = []

  /// - Throws: why the file cannot be written.
  init(path: String) throws(ScreenError) {
    file = try GrowingFile(path: path)
  }

  func add(_ event: ClusterEvent) { events.append(event) }

  /// Takes a status; writes it if a second has passed since the last one that was written.
  func add(_ status: ClusterStatus, atNs: UInt64) {
    guard atNs >= nextNs else { return }
    nextNs = atNs + Self.periodNs
    // Every number of the model is finite, so nothing of it can fail to be encoded.
    guard let line = try? encoder.encode(SessionMoment(status: status, events: events)) else { return }
    events = []
    file.write(line)
    file.write(CollectionOfOne(UInt8(ascii: "\n")))
  }

  /// See ``GrowingFile/finish()``.
  func finish() -> String? { file.finish() }
}

/// A line of the file.
struct SessionMoment: Codable, Sendable {
  var status: ClusterStatus
  /// Since the line before.
  var events: [ClusterEvent]
}

/// A session that was recorded.
struct RecordedSession: Sendable {
  /// In the order of their times; at least one.
  let moments: [SessionMoment]

  /// A day of one status a second of a large cluster.
  private static let bytesMax = 1 << 30

  /// - Throws: what is wrong with the file, in words.
  static func read(_ path: String) throws(WholeFile.Failure) -> RecordedSession {
    let bytes = try WholeFile.read(regular: path, bytesMax: bytesMax)
    let decoder = JSONDecoder()
    var moments: [SessionMoment] = []
    for (number, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
      do {
        let moment = try decoder.decode(SessionMoment.self, from: Data(line))
        if let last = moments.last, moment.status.uptimeNs < last.status.uptimeNs {
          throw WholeFile.Failure(EINVAL, "line \(number + 1) is older than the one before")
        }
        moments.append(moment)
      } catch let failure as WholeFile.Failure {
        throw failure
      } catch {
        // The last line may have been cut when its program was.
        if number > 0, line.endIndex == bytes.endIndex { break }
        throw WholeFile.Failure(
          EINVAL, "line \(number + 1) is no status of a recorded session: \(FormatVersion.words(error))")
      }
    }
    guard !moments.isEmpty else { throw WholeFile.Failure(EINVAL, "nothing is recorded in it") }
    return RecordedSession(moments: moments)
  }
}
