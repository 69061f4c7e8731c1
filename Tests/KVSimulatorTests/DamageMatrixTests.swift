import Testing

@testable import KVCluster
@testable import KVSimulator

/// What happens to a node's log while the program is down.
enum LogDamage: CaseIterable {
  case none
  /// The header of the key's newest record: nobody can say any more which key was there.
  case header
  /// The value of it; key and tag stay readable.
  case value
  /// All segments.
  case segments
  /// Everything of the node.
  case folder
}

extension Script {
  /// Where the key's newest record lies on the node's disk.
  private func newestRecord(
    of key: String, at node: String
  ) -> (path: String, offset: Int, valueOffset: Int, isTombstone: Bool)? {
    let disk = machine.disk(of: node)
    let hash = Array(key.utf8).withBytes { Ring.hash($0) }
    var newest: (tag: KVCluster.Tag, path: String, offset: Int, valueOffset: Int, isTombstone: Bool)?
    for name in (try? disk.names(in: "\(node).wal")) ?? [] {
      guard let id = LogFormat.segmentID(ofName: name), let bytes = disk.bytes("\(node).wal/\(name)") else { continue }
      bytes.withBytes { bytes in
        let clusterID = cluster.configurationNow.clusterID
        let source = SegmentSource(base: bytes.baseAddress!, slot: 1, id: id, clusterID: clusterID)
        let scan = SegmentScan(source, limit: bytes.count)
        for entry in scan.entries(Store.partition(of: hash))
        where entry.hash == hash && entry.tag > newest?.tag ?? .none {
          let value = entry.location.offset + LogFormat.recordHeaderBytes + key.utf8.count
          newest = (entry.tag, "\(node).wal/\(name)", entry.location.offset, value, entry.location.isTombstone)
        }
      }
    }
    return newest.map { ($0.path, $0.offset, $0.valueOffset, $0.isTombstone) }
  }

  func damage(_ damage: LogDamage, to key: String, at node: String) throws {
    let disk = machine.disk(of: node)
    switch damage {
    case .none: break
    case .header, .value:
      guard let place = newestRecord(of: key, at: node) else { return }
      let isHeader = damage == .header || place.isTombstone
      disk.flip(place.path, at: isHeader ? place.offset + 9 : place.valueOffset, mask: 1)
    case .segments:
      for name in try disk.names(in: "\(node).wal") where LogFormat.segmentID(ofName: name) != nil {
        disk.put("\(node).wal/\(name)", nil)
      }
    case .folder:
      for name in try disk.names(in: "\(node).wal") { disk.put("\(node).wal/\(name)", nil) }
    }
  }

  /// What every node does by itself in some seconds.
  func maintainAll(seconds: Int = 3) throws {
    let steps = cluster.nodeNames.compactMap { cluster.maintenance(of: $0) }
    for _ in 0..<seconds * 20 {
      for job in steps {
        var isMore = true
        while isMore { if case .again = job.step() { isMore = true } else { isMore = false } }
      }
      run(ms: 50)
    }
  }

  func answer(_ key: String) throws -> String {
    guard let found = try get(key, via: "node1") else { return "refused" }
    return found ?? "absent"
  }
}

/// Every combination of damage to the owners of a key, with the program down; then it heals by itself, or is repaired.
@Suite struct DamageMatrixTests {
  @Test(
    "Of N owners of which any number lost its log those vote again that N − W + 1 others can vouch for, by themselves and by a repair",
    arguments: 1...5)
  func countsUndamagedOwners(n: Int) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      for w in 1...n {
        // As many as leave just enough, and one more.
        for lost in [w - 1, w] where lost > 0 {
          let isRepair = (w + lost + n).isMultiple(of: 3)
          let script = try Script(nil, nodes: n, write: w)
          try script.put("value", via: "node1")
          let losers = (1...lost).map { "node\($0)" }
          try script.restartProgram { for node in losers { try script.damage(.folder, to: "key", at: node) } }
          if isRepair { _ = script.cluster.repairNow() } else { try script.maintainAll() }
          let isEnough = n - lost >= n - w + 1
          #expect(script.cluster.suspects == (isEnough ? [] : losers), "N = \(n), W = \(w), \(lost) lost")
          #expect(try script.answer("key") == (isEnough ? "value" : "refused"), "N = \(n), W = \(w), \(lost) lost")
          if !isEnough {
            let report = try #require(script.cluster.repairNow(acceptsLoss: true))
            #expect(report.nodes.allSatisfy { !$0.isSuspect })
            #expect(report.nodes.contains { $0.isLossPossible })
            #expect(try script.answer("key") == (lost < n ? "value" : "absent"))
          }
          script.cluster.vanish()
        }
      }
    }
  }

  /// The node that missed the last write, none for 0; whether that was a delete.
  @Test(
    "Whatever is damaged where, a get returns the last acknowledged write or is refused, before, after a repair and after healing",
    arguments: 0...3, [true, false])
  func takesNothingBack(missing: Int, isDelete: Bool) throws {
    let kinds: [LogDamage] = [.none, .header, .value, .segments]
    var count = missing * 3 + (isDelete ? 7 : 0)
    try Clock.runVirtually(from: 1_000_000_000) {
      for a in kinds {
        for b in kinds {
          for c in kinds {
            // One in sixteen, another one for each pair of arguments: all of them take minutes.
            count += 1
            if count.isMultiple(of: 16) { try damage([a, b, c], missing, isDelete) }
          }
        }
      }
    }
  }

  private func damage(_ damage: [LogDamage], _ missing: Int, _ isDelete: Bool) throws {
    let script = try Script(nil)
    let contact = missing == 1 ? "node2" : "node1"
    try script.put("old", via: "node1")
    if missing > 0 { script.isolate("node\(missing)") }
    if isDelete { try script.delete(via: contact) } else { try script.put("new", via: contact) }
    // What is damaged lies before a mark that it was synced: otherwise it would look torn.
    for key in ["f", "g"] { try script.put("more", key, via: contact) }
    if missing > 0 {
      script.waitUntilForgotten()
      script.isolate("node\(missing)", false)
    }
    let right = isDelete ? "absent" : "new"
    try script.restartProgram {
      for (i, kind) in damage.enumerated() { try script.damage(kind, to: "key", at: "node\(i + 1)") }
    }
    let before = try script.answer("key")
    #expect(before == right || before == "refused", "\(damage)")
    let isHealing = (missing + damage.count { $0 == .header }).isMultiple(of: 2)
    if isHealing { try script.maintainAll() }
    let report = try #require(script.cluster.repairNow())
    let after = try script.answer("key")
    let isClean = report.nodes.allSatisfy { !$0.isSuspect && $0.unrestored.isEmpty && !$0.isLossPossible }
    #expect(after == right || after == "refused" && !isClean, "\(damage): \(after), \(report)")
    #expect(before == "refused" || after == right, "\(damage): \(after), \(report)")
    if damage.count(where: { $0 == .none }) >= 2, missing == 0 { #expect(isClean && after == right, "\(damage)") }
    _ = script.cluster.repairNow(acceptsLoss: true)
    #expect(script.cluster.suspects.isEmpty, "\(damage)")
    #expect(try script.answer("key") != "refused", "\(damage)")
    script.cluster.vanish()
  }
}
