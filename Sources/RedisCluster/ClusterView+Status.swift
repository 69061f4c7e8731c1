import ClusterModel

extension ClusterView {
  /// The status as faces show it. A figure that no server has told is `nil`.
  func status(uptimeNs: UInt64) -> ClusterStatus {
    var status = ClusterStatus(
      uptimeNs: uptimeNs, phase: .serving, epoch: isCluster ? map.epoch : nil, fsync: fsync,
      nodes: map.nodes.filter(\.isMember).map { self.status($0, uptimeNs) }, ring: ring, change: change,
      operations: classes == nil ? nil : tally.total(at: uptimeNs))
    status.latencies = tally.latencies(at: uptimeNs)
    status.reportedHealth = health
    status.engine = engine
    status.canLoseAcknowledged = true
    return status
  }

  private var engine: String? {
    let infos = map.nodes.compactMap { reports[$0.id]?.info }
    let versions = Set(infos.compactMap { $0.text("valkey_version") ?? $0.text("redis_version") })
    let isValkey = infos.contains { $0.text("valkey_version") != nil }
    let name = (isValkey ? "Valkey" : "Redis") + (isCluster ? " Cluster" : "")
    return versions.isEmpty ? name : "\(name) \(versions.sorted().joined(separator: ", "))"
  }

  // MARK: - Nodes

  private func status(_ node: ClusterMap.Node, _ uptimeNs: UInt64) -> NodeStatus {
    let report = reports[node.id]
    let info = report?.info
    var status = NodeStatus(
      id: numbers[node.id] ?? 0, name: node.name, state: state(node, report), share: share(node), keys: info?.keys)
    if let info {
      status.cache = CacheStatus(
        hits: info.count("keyspace_hits"), misses: info.count("keyspace_misses"), bytes: info.bytes("used_memory"),
        capacityBytes: info.bytes("maxmemory").flatMap { $0 > 0 ? $0 : nil })
    }
    if info?.flag("aof_enabled") == true, let bytes = info?.bytes("aof_current_size") {
      status.wal = WalStatus(bytes: bytes)
    }
    status.operations = tally.operations(of: node.id, at: uptimeNs)
    status.role = role(node)
    status.suspectedBy = suspecting(node)
    return status
  }

  private func state(_ node: ClusterMap.Node, _ report: NodeReport?) -> NodeState {
    if node.isFailed { return .dead }
    if let trouble = report?.trouble { return .failed(reason: trouble) }
    if report?.info?.flag("loading") == true {
      let percent = report?.info?.text("loading_loaded_perc").flatMap { Double($0) }
      return .recovering(fraction: percent.map { min(1, max(0, $0 / 100)) })
    }
    if change?.node == node.name { return change?.kind == .join ? .joining : .leaving }
    return .up
  }

  private func share(_ node: ClusterMap.Node) -> Double {
    let owner = node.masterID.flatMap(map.node) ?? node
    return Double(owner.slotCount) / Double(KeySlot.count)
  }

  private func role(_ node: ClusterMap.Node) -> NodeRole {
    guard !node.isMaster else { return .master(replicas: map.replicas(of: node.id).count) }
    let master = node.masterID.flatMap { reports[$0]?.info }
    let seen = master?.replicas.first { $0.address == node.address }
    let offset = master?.bytes("master_repl_offset")
    let lag = NodeRole.Lag(
      bytes: seen.flatMap { seen in offset.map { max(0, $0.subtractingReportingOverflow(seen.offset).partialValue) } },
      seconds: seen?.lagSeconds,
      isLinked: reports[node.id]?.info?.text("master_link_status").map { $0 == "up" })
    return .replica(of: node.masterID.flatMap { numbers[$0] }, lag)
  }

  /// Nodes whose own map says `fail?` of a node.
  private func suspecting(_ node: ClusterMap.Node) -> [String] {
    guard !node.isFailed else { return [] }
    return map.live.filter { other in
      let told = other.flags.contains(.myself) ? map : reports[other.id]?.map ?? ClusterMap()
      return told.node(node.id)?.flags.contains(.suspected) == true
    }.map(\.name)
  }

  // MARK: - The whole

  /// What the nodes say of themselves counts first: after its creation a cluster may refuse operations although every slot has
  /// an owner.
  private var health: ClusterHealth {
    let members = map.nodes.filter(\.isMember)
    let answering = members.filter { reports[$0.id]?.trouble == nil && !$0.isFailed }
    let unservedSlots = map.orphanedSlots > 0 || members.contains { $0.isFailed && !$0.slots.isEmpty }
    if answering.isEmpty || unservedSlots { return .unavailable }
    let refusing = answering.filter { $0.isMaster && reports[$0.id]?.isStateOk == false }
    if refusing.count == answering.count(where: \.isMaster) { return .unavailable }
    return refusing.isEmpty && answering.count == members.count ? .healthy : .degraded
  }

  /// Made once for each change of it.
  func ringOfNow() -> RingStatus {
    RingStatus(
      slotCount: KeySlot.count, arcs: arcs(map.owners), nextArcs: plannedOwners.map(arcs) ?? openArcs)
  }

  /// Slots that are open without a change of ours will be at their receivers.
  private var openArcs: [RingStatus.Arc] {
    guard map.hasOpenSlots else { return [] }
    var owners = map.owners
    for node in map.nodes {
      for open in node.openSlots { owners[open.slot] = open.end == .importing ? node.id : open.other }
    }
    return arcs(owners)
  }

  private func arcs(_ owners: [String?]) -> [RingStatus.Arc] {
    var arcs: [RingStatus.Arc] = []
    var last: String??
    for (slot, id) in owners.enumerated() where last != .some(id) {
      last = .some(id)
      let copies = id.map { id in [id] + map.replicas(of: id).map(\.id) } ?? []
      arcs.append(RingStatus.Arc(start: slot, owners: copies.compactMap { numbers[$0] }))
    }
    return arcs
  }

  /// Where a key lies.
  func place(of key: [UInt8]) -> KeyPlace {
    let slot = KeySlot.of(key)
    let copies = map.ownerID(ofSlot: slot).map { id in [id] + map.replicas(of: id).map(\.id) } ?? []
    return KeyPlace(slot: slot, owners: copies.compactMap { numbers[$0] })
  }
}
