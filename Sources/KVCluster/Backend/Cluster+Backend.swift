/// The engine as a backend for faces. Programs that read and write at full speed call the cluster itself.
extension Cluster: ClusterBackend {
  /// Everything that a cluster of equal nodes can; its changes go on by themselves after they were cut off. The limits are the
  /// engine's own.
  public var capabilities: Capabilities {
    let features = Set(Capabilities.Feature.allCases).subtracting([.failover, .changeSteering])
    return Capabilities(features: features, keyBytesMax: Limits.keyBytesMax, valueBytesMax: Limits.valueBytesMax)
  }

  /// Carries out a read-modify-write as the method of ``KeyUpdating`` does.
  public func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult {
    switch update {
    case .compareAndSet(let expected, let value):
      return try await self.update(key) { old in
        old == expected ? (.put(value, .kept), .swapped) : (.keep, .differs(old))
      }
    case .increment(let amount): return .sum(try await increment(key, by: amount))
    case .append(let suffix): return .length(try await append(key, suffix))
    case .take: return .taken(try await take(key))
    case .expire(let end): return .timeToLive(try await dataPath.expire(key, end))
    case .persist: return .timeToLive(try await dataPath.persist(key))
    case .timeToLive: return .timeToLive(try await dataPath.timeToLive(of: key))
    }
  }

  /// Every page lists all keys of the prefix and takes those behind the cursor: O(all keys) a page.
  public func scan(prefix: [UInt8], from cursor: ScanCursor?, limit: Int) async throws(ClusterError) -> ScanPage {
    let after = cursor?.bytes
    let listing = try keys(prefix: prefix, after: after, limit: limit)
    return ScanPage(keys: listing.keys, next: listing.isComplete ? nil : listing.keys.last.map(ScanCursor.init))
  }

  /// Where a key lies now. O(log arcs).
  public func place(of key: [UInt8]) -> KeyPlace { parts.report.place(of: key) }

  /// The live checker's verdict on all operations that have ended by now.
  public func verdict() async -> VerdictStatus? { await verdictBoard.ofNow() }

  /// Obeys an order as the method of the same name does.
  public func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    switch command {
    case .addNode(let name): try await addNode(name)
    case .removeNode(let name): try await removeNode(name)
    case .replaceNode(let name, let replacement): try await replaceNode(name, with: replacement)
    case .kill(let name): try await kill(name)
    case .restart(let name): try await restart(name)
    case .pause(let name): try pause(name)
    case .resume(let name): try resume(name)
    case .partition(let groups): try partition(groups)
    case .heal: heal()
    case .slow(let name, let delayNs): try slow(name, byNs: delayNs)
    case .drop(let name, let perMille): try drop(name, perMille: perMille)
    case .corrupt(let name): try corrupt(name)
    case .failSync(let name): try failSync(name)
    case .compact(let name): return .compacted(try await compact(name))
    case .backUp(let path):
      return try await backUp(to: path) { progress(.backup($0)) }.map(AdminResult.backedUp) ?? .stopped
    case .failOver, .steer: throw .unsupported(command.feature)
    }
    return .done
  }
}
