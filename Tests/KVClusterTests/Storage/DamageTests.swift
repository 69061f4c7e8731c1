import KVSimulator
import Testing

@testable import KVCluster

@Suite struct DamageTests {
  /// Segments so small that every byte of several can be tried.
  private static let segmentBytes = 1_024

  /// A small log with everything in it: several segments, overwritten and deleted keys, hints, a dropped range, marks.
  private func log(withCheckpoint: Bool) throws -> Workload {
    for seed in 1... as PartialRangeFrom<UInt64> {
      let life = try Workload(seed: seed, segmentBytes: Self.segmentBytes)
      life.valueBytesMax = 16
      for i in 0..<40 {
        try life.write(isDelete: i % 6 == 5)
        if i % 9 == 8 { try life.hint() }
        if i % 11 == 10 { try life.sync() }
        if i == 14 { try life.settle("node2") }
        if i == 30 { try life.drop() }
        if i == 34, withCheckpoint { try life.checkpoint(isForced: true) }
      }
      try life.sync()
      let isRich = life.dropped.count > 1 && life.fixture.store.log.size.segments > 2
      life.fixture.store.log.close()
      if isRich { return life }
    }
    preconditionFailure("no seed has it all")
  }

  /// What is wrong with a store of which a bit was flipped: a wrong answer that it gives for a right one.
  private func fault(_ fixture: StoreFixture, _ wanted: StoreContent) -> String? {
    if fixture.store.isSuspect { return nil }
    let found = fixture.content()
    for key in StoreFixture.keys where found.values[key] != wanted.values[key] && found.values[key] != "damaged" {
      return "\(key) is \(found.values[key] ?? "absent"), not \(wanted.values[key] ?? "absent")"
    }
    return nil
  }

  /// What the engine does with an open store, suspect or not.
  private func live(_ fixture: StoreFixture) throws {
    try fixture.store.log.sync()
    while let compaction = Compaction.next(in: fixture.store, withDamaged: !fixture.store.isSuspect) {
      while try compaction.step(withPartition: { $1() }) {}
      guard compaction.isComplete else { break }
      try fixture.store.log.sync()
      try compaction.finish()
    }
    for i in 0..<30 { try fixture.write("later\(i)", "x", counter: UInt64(1_000 + i)) }
    if !fixture.store.isSuspect { try fixture.checkpoint() }
    try fixture.store.log.sync()
    fixture.store.log.close()
  }

  @Test(
    "A flipped bit anywhere in a node's folder is never taken for data, nor what it hides for absent",
    arguments: [false, true])
  func findsFlippedBits(withCheckpoint: Bool) throws {
    let life = try log(withCheckpoint: withCheckpoint)
    let wanted = life.history.last
    var cases = 0
    var refused = 0
    var suspect = 0
    var faults: [String] = []
    for (path, byteCount) in life.disk.listing {
      let bytes = life.disk.bytes(path)!
      let used = (bytes.lastIndex { $0 != 0 } ?? 0) + 8
      for at in 0..<min(used, byteCount) {
        // Of the checkpoint's bytes another test tries every one; of the others, the run without one does.
        if withCheckpoint, at % (path.hasSuffix("checkpoint") ? 16 : 3) != 0 { continue }
        cases += 1
        let disk = life.disk.copy(random: SeededRandom(seed: 1))
        disk.flip(path, at: at, mask: UInt8(1 << ((at * 5 + at / 8) % 8)))
        do {
          let fixture = try StoreFixture(disk: disk, segmentBytes: Self.segmentBytes)
          if fixture.store.isSuspect { suspect += 1 }
          if let fault = fault(fixture, wanted) { faults.append("\(path) byte \(at): \(fault)") }
          guard at % 16 == 0 else { continue }
          try live(fixture)
          let again = try StoreFixture(disk: disk, segmentBytes: Self.segmentBytes)
          if let fault = self.fault(again, wanted) { faults.append("\(path) byte \(at), after more life: \(fault)") }
          again.store.log.close()
        } catch {
          refused += 1
          // A bit is no reason to do without the node.
          if path.hasSuffix(".segment") { faults.append("\(path) byte \(at): \(error)") }
        }
      }
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(8).joined(separator: "\n"))")
    print(
      "flipped bits\(withCheckpoint ? " with a checkpoint" : ""): \(cases) cases in \(life.disk.listing.count) files; "
        + "\(refused) refused, \(suspect) suspect")
  }

  @Test("A bit flipped while the store is open is never taken for data, neither then nor by compaction nor by a start")
  func findsFlippedBitsWhileOpen() throws {
    let life = try log(withCheckpoint: false)
    let wanted = life.history.last
    var cases = 0
    var faults: [String] = []
    for (path, byteCount) in life.disk.listing where path.hasSuffix(".segment") {
      for at in stride(from: 0, to: byteCount, by: 7) {
        cases += 1
        let disk = life.disk.copy(random: SeededRandom(seed: 1))
        let fixture = try StoreFixture(disk: disk, segmentBytes: Self.segmentBytes)
        disk.flip(path, at: at, mask: UInt8(1 << ((at * 5 + at / 8) % 8)))
        if let fault = fault(fixture, wanted) { faults.append("\(path) byte \(at): \(fault)") }
        try live(fixture)
        let again = try StoreFixture(disk: disk, segmentBytes: Self.segmentBytes)
        if let fault = self.fault(again, wanted) { faults.append("\(path) byte \(at), after more life: \(fault)") }
        again.store.log.close()
      }
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(8).joined(separator: "\n"))")
    print("bits flipped while open: \(cases) cases")
  }
}
