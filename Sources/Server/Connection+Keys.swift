import KVCluster
import RESP
import Text

/// Commands on keys. Each asks the engine at once and writes its reply; what waits for disks goes into `calls`, and what
/// would have to wait first is done by a task.
extension Connection {
  private enum Looked { case found, absent, mustWait, failed }

  /// - Parameter take: gets the value under its partition's lock.
  @inline(__always)
  private func look(_ key: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) -> Looked {
    do throws(ClusterError) {
      let (isFound, begun) = try core.cluster.dataPath.readNow(key, take)
      switch begun {
      case .done: break
      case .pending(let call): calls.append(call)
      case .mustWait: return .mustWait
      }
      if isFound { shared.counters.hits += 1 } else { shared.counters.misses += 1 }
      return isFound ? .found : .absent
    } catch {
      fail(ErrorReply.text(error))
      return .failed
    }
  }

  private func write(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ expiry: ExpiryTime? = nil
  ) -> Looked {
    do throws(ClusterError) {
      switch try core.cluster.dataPath.putNow(key, value, expiry) {
      case .done: break
      case .pending(let call): calls.append(call)
      case .mustWait: return .mustWait
      }
      return .found
    } catch {
      fail(ErrorReply.text(error))
      return .failed
    }
  }

  /// The rest of the command runs as a task, behind what has been begun.
  func goSlow(_ id: CommandID, from index: Int = 1, counted: Int = 0) {
    shared.replies.truncate(to: replyStart)
    let command = SlowCommand(
      id: id, arguments: arguments(from: index), version: version, cluster: core.cluster, counted: counted)
    work = .task { await command.run() }
  }

  func get() {
    switch look(argument(1), { value in shared.replies.bulk(value) }) {
    case .found, .failed: break
    case .absent: reply { $0.null() }
    case .mustWait: goSlow(.get)
    }
  }

  func set(_ id: CommandID) {
    if id == .set, parser.count == 3 { return finishSet(id, write(argument(1), argument(2))) }
    do throws(ScanOptions.Wrong) {
      guard let set = try PlainSet(id, arguments(from: 1)) else { return update(id) }
      finishSet(id, set.value.withBytes { write(argument(1), $0, set.expiry) })
    } catch {
      fail(error.text)
    }
  }

  private func finishSet(_ id: CommandID, _ outcome: Looked) {
    switch outcome {
    case .found: reply { $0.ok() }
    case .absent, .failed: break
    case .mustWait: goSlow(id)
    }
  }

  func mget() {
    reply { $0.array(parser.count - 1) }
    for i in 1..<parser.count {
      if i % DataPath.groupCount == 1 { prefetch(i..<min(i + DataPath.groupCount, parser.count)) }
      switch look(argument(i), { value in shared.replies.bulk(value) }) {
      case .found: break
      case .absent: reply { $0.null() }
      case .failed: return
      case .mustWait: return goSlow(.mget)
      }
      if shared.replies.count - replyStart > core.options.limits.outputBytesMax {
        return fail(
          "ERR the values have more than \(Figures.given(bytes: core.options.limits.outputBytesMax)) together; ask for fewer"
        )
      }
    }
  }

  /// Asks for the memory of many keys at once.
  private func prefetch(_ places: Range<Int>) {
    guard places.count > 1 else { return }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: places.count) { hashes in
      for i in 0..<hashes.count { hashes.initializeElement(at: i, to: Ring.hash(argument(places.lowerBound + i))) }
      core.cluster.dataPath.prefetch(UnsafeBufferPointer(hashes))
    }
  }

  func delete(_ id: CommandID) {
    var count = 0
    for i in 1..<parser.count {
      switch carryOut(.remove, argument(i)) {
      case .integer(let number): count += number
      case nil: return hasFailed ? () : goSlow(id, from: i, counted: count)
      default: preconditionFailure("a removal counts")
      }
    }
    reply { $0.integer(count) }
  }

  /// A command that reads a key and writes it in one step.
  func update(_ id: CommandID) {
    do throws(ScanOptions.Wrong) {
      guard let update = try ValueUpdate(id, arguments(from: 1)) else {
        preconditionFailure("a plain SET is no update")
      }
      switch carryOut(update, argument(1)) {
      case .error(let text): fail(text)
      case let answer?: reply { answer.write(to: &$0) }
      case nil: if !hasFailed { goSlow(id) }
      }
    } catch {
      fail(error.text)
    }
  }

  /// - Returns: `nil` if it has failed, or must wait.
  private func carryOut(_ update: ValueUpdate, _ key: UnsafeRawBufferPointer) -> ValueUpdate.Reply? {
    do throws(ClusterError) {
      let (answer, begun) = try core.cluster.dataPath.updateNow(key) {
        update.apply(to: $0, core.cluster.dataPath.clock)
      }
      if case .pending(let call) = begun { calls.append(call) }
      return answer
    } catch {
      fail(ErrorReply.text(error))
      return nil
    }
  }

  func count(_ id: CommandID) {
    var count = 0
    for i in 1..<parser.count {
      switch look(argument(i), { _ in }) {
      case .found: count += 1
      case .absent: break
      case .failed: return
      case .mustWait: return goSlow(id, from: i, counted: count)
      }
    }
    reply { $0.integer(count) }
  }

  func scan() {
    switch ScanOptions.read(arguments(from: 1)) {
    case .success: goSlow(.scan)
    case .failure(let wrong): fail(wrong.text)
    }
  }

  /// `STRLEN` and `TYPE`.
  func look(_ id: CommandID) {
    var length = 0
    switch look(argument(1), { value in length = value.count }) {
    case .found: reply { if id == .type { $0.append("+string\r\n") } else { $0.integer(length) } }
    case .absent: reply { if id == .type { $0.append("+none\r\n") } else { $0.integer(0) } }
    case .failed: break
    case .mustWait: goSlow(id)
    }
  }

  func getRange(_ id: CommandID) {
    guard let start = Integer.parse(argument(2)), let end = Integer.parse(argument(3)) else {
      return fail(ErrorReply.notAnInteger)
    }
    let looked = look(argument(1)) { value in
      let range = ValueRange.clip(start, end, count: value.count)
      shared.replies.bulk(UnsafeRawBufferPointer(rebasing: value[range]))
    }
    switch looked {
    case .found, .failed: break
    case .absent: reply { $0.bulk([]) }
    case .mustWait: goSlow(id)
    }
  }
}
