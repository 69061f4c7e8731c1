import ClusterModel
import RESP

/// Carries out the move of one slot, by ``SlotMove``.
struct SlotMover: Sendable {
  let administration: Administration
  /// The members; addresses do not change while slots move.
  let map: ClusterMap
  let move: SlotMove
  let source: ClusterMap.Node
  let target: ClusterMap.Node

  /// Keys asked for at once.
  private static let keysAtOnce = 100
  /// `MIGRATE` of one batch; a server that needs longer is not well.
  private static let migrateMs = 60_000
  /// The others have heard of a new owner within milliseconds, if they can hear at all.
  private static let seenTime = Duration.seconds(30)
  /// A key of this size stops both servers for so long that the others may take them for dead.
  static let bigKeyBytes = 64 << 20

  /// `nil` if one of the two is no member.
  init?(_ administration: Administration, _ map: ClusterMap, _ move: SlotMove) {
    guard let source = map.node(move.source), let target = map.node(move.target) else { return nil }
    (self.administration, self.map, self.move) = (administration, map, move)
    (self.source, self.target) = (source, target)
  }

  /// What was moved at a time.
  struct Progress: Sendable {
    var keys: Int
    var bytes: Int
    var big: [UInt8]?
  }

  /// Moves the slot, from wherever an earlier move of it was cut off.
  /// - Parameters:
  ///   - isUntouched: whether nobody has begun to move the slot, which need not be asked then.
  ///   - pace: is adjusted by what servers need for an answer meanwhile.
  ///   - moved: is told each batch.
  func run(isUntouched: Bool = false, _ pace: inout MovePace, _ moved: (Progress) async -> Void)
    async throws(ClusterError)
  {
    let slot = "\(move.slot)"
    var (pause, waited) = (Duration.milliseconds(1), Duration.zero)
    // Keys may be at both ends if an earlier move of this slot was cut off.
    var replaces = false
    var facts =
      isUntouched
      ? SlotMove.Facts(
        targetOwns: false, targetImports: false, sourceOwns: true, sourceMigrates: false, keysLeft: 0, isSeen: false)
      : try await facts()
    while true {
      switch move.next(facts) {
      case .openTarget:
        try await administration.ask(target.address, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        facts.targetImports = true
      case .openSource:
        try await administration.ask(source.address, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        facts.sourceMigrates = true
        facts.keysLeft = try await keysLeft()
      case .moveKeys:
        // The receiver's newer values count once it owns the slot.
        try await moveKeys(&pace, &replaces, mayReplace: !facts.targetOwns, moved)
        facts.keysLeft = try await keysLeft()
      case .give:
        try await administration.ask(target.address, "CLUSTER", "SETSLOT", slot, "NODE", target.id)
        (facts.targetOwns, facts.targetImports, facts.isSeen) = (true, false, await isSeen())
      case .waitUntilSeen:
        guard waited < Self.seenTime, !Task.isCancelled else {
          throw .notServing(.init("not all have heard that \(target.name) owns slot \(move.slot)"))
        }
        try? await Task.sleep(for: pause)
        waited += pause
        pause = min(pause * 2, .milliseconds(100))
        facts.isSeen = await isSeen()
      case .letGo:
        await letGo()
        return
      case .nothing: return
      }
    }
  }

  private func facts() async throws(ClusterError) -> SlotMove.Facts {
    let (atTarget, atSource) = (
      try await administration.map(target.address), try await administration.map(source.address)
    )
    let targetOwns = atTarget.ownerID(ofSlot: move.slot) == target.id
    let other = atSource.node(source.id)?.openSlots.first {
      $0.slot == move.slot && $0.end == .migrating && $0.other != target.id
    }
    // Keys may be there already: to open the slot elsewhere would hide them.
    if let other, let receiver = map.node(other.other), receiver.isMember, !receiver.isFailed {
      throw .refused(
        .init(
          "slot \(move.slot) is open from \(source.name) to \(receiver.name)", nodes: [source.name, receiver.name],
          advice: .steer(.finish), .steer(.undo)))
    }
    return SlotMove.Facts(
      targetOwns: targetOwns, targetImports: isOpen(atTarget, target, .importing),
      sourceOwns: atSource.ownerID(ofSlot: move.slot) == source.id,
      sourceMigrates: isOpen(atSource, source, .migrating),
      keysLeft: try await keysLeft(), isSeen: targetOwns ? await isSeen() : false)
  }

  /// Whether a node has the slot open towards the other one. Towards a node that is no member any more, or that has lost the
  /// slot in a failover, it is opened anew.
  private func isOpen(_ map: ClusterMap, _ node: ClusterMap.Node, _ end: ClusterMap.OpenSlot.End) -> Bool {
    let other = end == .importing ? source.id : target.id
    return map.node(node.id)?.openSlots.contains { $0.slot == move.slot && $0.end == end && $0.other == other } == true
  }

  private func keysLeft() async throws(ClusterError) -> Int {
    guard
      case .integer(let count) = try await administration.ask(
        source.address, "CLUSTER", "COUNTKEYSINSLOT", "\(move.slot)")
    else { return 0 }
    return count
  }

  /// Whether the receiver's replicas and a majority of masters name the receiver.
  private func isSeen() async -> Bool {
    func sees(_ node: ClusterMap.Node) async -> Bool {
      (try? await administration.map(node.address))?.ownerID(ofSlot: move.slot) == target.id
    }
    for replica in map.replicas(of: target.id) where !replica.isFailed { if await !sees(replica) { return false } }
    let masters = map.masters
    var seeing = 0
    for master in masters {
      if await sees(master) { seeing += 1 }
      if 2 * seeing > masters.count { return true }
    }
    return false
  }

  /// A master that lost its last slot is a replica by now and refuses, which is as good; the others hear of it anyway.
  private func letGo() async {
    let words = ["CLUSTER", "SETSLOT", "\(move.slot)", "NODE", target.id].map { Array($0.utf8) }
    _ = try? await administration.answer(source.address, words)
    for master in map.masters where master.id != source.id && master.id != target.id {
      _ = try? await administration.answer(master.address, words)
    }
  }

  // MARK: - Keys

  private func moveKeys(
    _ pace: inout MovePace, _ replaces: inout Bool, mayReplace: Bool, _ moved: (Progress) async -> Void
  ) async throws(ClusterError) {
    let found = try await administration.ask(
      source.address, "CLUSTER", "GETKEYSINSLOT", "\(move.slot)", "\(Self.keysAtOnce)")
    var keys = (found.elements ?? []).compactMap(\.bytes)
    var sizes = try await sizes(keys)
    while !keys.isEmpty {
      let count = pace.batch(sizes)
      let (batch, bytes) = (Array(keys.prefix(count)), sizes.prefix(count).reduce(0, +))
      let big = bytes >= Self.bigKeyBytes ? batch.first : nil
      // What clients make servers wait is no fault of the batch.
      async let before = (administration.probe(source.address), administration.probe(target.address))
      let usual = await before
      async let during = (administration.probe(source.address), administration.probe(target.address))
      try await migrate(batch, &replaces, mayReplace: mayReplace)
      let probes = await during
      for (usual, probe) in [(usual.0, probes.0), (usual.1, probes.1)] {
        if let usual, let probe { pace.note(probe - usual) }
      }
      await moved(Progress(keys: count, bytes: bytes, big: big))
      (keys, sizes) = (Array(keys.dropFirst(count)), Array(sizes.dropFirst(count)))
      if pace.pause > .zero { try? await Task.sleep(for: pace.pause) }
    }
  }

  /// Bytes in memory; of large collections an estimate.
  private func sizes(_ keys: [[UInt8]]) async throws(ClusterError) -> [Int] {
    let answers = try await administration.answers(
      source.address, keys.map { [Array("MEMORY".utf8), Array("USAGE".utf8), $0] })
    return answers.map { if case .integer(let bytes) = $0 { bytes } else { 1_024 } }
  }

  private func migrate(
    _ keys: [[UInt8]], _ replaces: inout Bool, mayReplace: Bool
  ) async throws(ClusterError) {
    for attempt in 0..<3 {
      let answer = try await administration.answer(
        source.address, command(keys, replaces: replaces), within: .milliseconds(Self.migrateMs + 5_000))
      guard let error = ServerError(answer) else { return }
      // After an error of the connection the receiver may have a key already; what the giver has is what counts, as long as it
      // owns the slot.
      let isTaken = if case .busyKey = error { true } else { false }
      let isCutOff = if case .cutOff = error { true } else { false }
      guard isCutOff || isTaken && mayReplace, attempt < 2 else {
        let words = "\(source.name) cannot move keys of slot \(move.slot) to \(target.name): \(error.words)"
        if isCutOff || error.isPassing { throw .notServing(.init(words)) }
        throw .refused(.init(words))
      }
      replaces = mayReplace
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  private func command(_ keys: [[UInt8]], replaces: Bool) -> [[UInt8]] {
    var words: [[UInt8]] = ["MIGRATE", target.address.host, "\(target.address.port)", "", "0", "\(Self.migrateMs)"]
      .map { Array($0.utf8) }
    if replaces { words.append(Array("REPLACE".utf8)) }
    if let credentials = administration.credentials {
      words += credentials.user.map { [Array("AUTH2".utf8), Array($0.utf8)] } ?? [Array("AUTH".utf8)]
      words.append(credentials.password)
    }
    return words + [Array("KEYS".utf8)] + keys
  }

  // MARK: - The way back

  /// Closes the slot where it was.
  ///
  /// An owner takes no keys of a slot that it gives away, and one that no longer gives it away would answer that keys are
  /// missing which are still at the other end. So a slot of which keys have moved is moved on, and then back as any other.
  func undo() async throws(ClusterError) {
    let words = ["CLUSTER", "COUNTKEYSINSLOT", "\(move.slot)"].map { Array($0.utf8) }
    let isEmptyThere = try await administration.ask(target.address, words) == .integer(0)
    if isEmptyThere, try await !facts().targetOwns {
      // Nobody is sent there any more; who was may have written meanwhile.
      try await administration.ask(source.address, "CLUSTER", "SETSLOT", "\(move.slot)", "STABLE")
      if try await administration.ask(target.address, words) == .integer(0) {
        try await administration.ask(target.address, "CLUSTER", "SETSLOT", "\(move.slot)", "STABLE")
        return
      }
    }
    var pace = MovePace()
    try await run(&pace) { _ in }
    let back = SlotMove(slot: move.slot, source: move.target, target: move.source)
    try await SlotMover(administration, map, back)?.run(isUntouched: true, &pace) { _ in }
  }
}
