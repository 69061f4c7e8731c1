import ClusterModel
import Synchronization

/// How far a load is: of the first `linesStored + linesFailed` lines of the file, all are stored but the failed ones,
/// each of which was reported by its number before.
package struct LoadProgress: Sendable, Equatable {
  package var linesStored: Int
  package var linesFailed: Int
  package var elapsed: Duration
  /// Part of the file's bytes that have been read, from 0 to 1; `nil` for a pipe.
  package var fraction: Double?

  package init(linesStored: Int, linesFailed: Int, elapsed: Duration, fraction: Double? = nil) {
    self.linesStored = linesStored
    self.linesFailed = linesFailed
    self.elapsed = elapsed
    self.fraction = fraction
  }

  package var linesPerSecond: Int {
    elapsed > .zero ? Int(Double(linesStored) / (elapsed / .seconds(1))) : 0
  }
}

/// Stores the lines of an input, up to 64 at a time, in bounded memory.
///
/// Each line that cannot be stored is reported by its number and the load goes on; cancelling the task stops reading
/// and waits for what is on its way.
struct Loader {
  /// Lines the engine could not store before the load gives up: a full disk would fail all that follow as well.
  static let refusedLinesMax = 100
  /// Between two reports of progress: smooth to look at, and few enough to print each as a line of a log.
  static let reportInterval = Duration.milliseconds(200)

  let put: @Sendable ([UInt8], [UInt8]) async throws(ClusterError) -> Void
  let emit: @Sendable (CommandOutput) -> Void
  var limits = LoadLine.Limits()
  /// Features of the backend that stores; only its commands are advised.
  var capabilities: Capabilities?

  /// Stores all lines; says which could not be stored.
  func load(_ reader: LineReader) async -> CommandResult {
    let ledger = LoadLedger(bytesTotal: reader.bytesTotal, emit: emit)
    let end = await withTaskGroup(of: Void.self) { group in
      let end = await feed(reader, to: &group, ledger)
      await group.waitForAll()
      return end
    }
    return .loaded(ledger.progress(), end)
  }

  private func feed(_ reader: LineReader, to group: inout TaskGroup<Void>, _ ledger: LoadLedger) async -> LoadEnd {
    var number = 0
    // Finished tasks stay in the group until they are taken out, so these are bounded, not only those that run.
    var tasks = 0
    do {
      while let read = try await reader.next() {
        if Task.isCancelled { return .cancelled }
        if ledger.linesRefused >= Self.refusedLinesMax { return .tooManyRefused }
        number += 1
        while tasks >= LoadWindow.linesInFlightMax || !ledger.reaches(number, bytesRead: reader.bytesConsumed) {
          await group.next()
          tasks -= 1
        }
        do throws(LoadLine.Fault) {
          let line = try LoadLine(read, limits)
          while !ledger.starts(line) {
            await group.next()
            tasks -= 1
          }
          tasks += 1
          group.addTask { [number] in await store(number, line, ledger) }
        } catch {
          emit(.answer(LoadLine.notStored(number, error.words)))
          ledger.reject(number)
        }
      }
      return .complete
    } catch is CancellationError {
      return .cancelled
    } catch {
      return .unreadable("\(error)")
    }
  }

  private func store(_ number: Int, _ line: LoadLine, _ ledger: LoadLedger) async {
    do throws(ClusterError) {
      try await put(line.key, line.value)
      ledger.finish(number, line, isStored: true)
    } catch {
      // Said before it is counted: progress never passes a line whose failure is still unknown.
      emit(.answer(LoadLine.notStored(number, error.words(on: capabilities))))
      ledger.finish(number, line, isStored: false)
    }
  }
}
