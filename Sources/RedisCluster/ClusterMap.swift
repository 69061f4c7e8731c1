/// What one node of a Redis Cluster knows of all nodes and slots: the answer to `CLUSTER NODES`, which is the only command
/// that also tells open slots and the slots of failed masters.
///
/// Each node has a map of its own, and they differ while something changes.
struct ClusterMap: Sendable, Equatable {
  /// A slot that is being moved.
  struct OpenSlot: Sendable, Equatable {
    /// Which end of the move the node is.
    enum End: Sendable, Equatable {
      /// The node owns the slot and gives it to `other`.
      case migrating
      /// The node receives the slot from `other`.
      case importing
    }

    var slot: Int
    var end: End
    /// Id of the node at the other end.
    var other: String
  }

  /// What a node is said to be.
  enum Flag: String, Sendable {
    case myself, master, slave, handshake, noaddr, nofailover, noflags
    /// The node that was asked lost contact with it.
    case suspected = "fail?"
    /// A majority of masters lost contact with it.
    case failed = "fail"
  }

  struct Node: Sendable, Equatable, Identifiable {
    /// 40 hexadecimal digits.
    var id: String
    var address: Address
    var hostname: String?
    var flags: Set<Flag>
    /// Id of the node that this one copies.
    var masterID: String?
    var configEpoch: UInt64
    /// Whether the asked node has a connection to it.
    var isLinked: Bool
    /// The slots it owns, in their order.
    var slots: [ClosedRange<Int>] = []
    var openSlots: [OpenSlot] = []

    var isMaster: Bool { flags.contains(.master) }
    var isFailed: Bool { flags.contains(.failed) }
    /// Whether it takes part: it has an address, and the others have met it.
    var isMember: Bool { flags.isDisjoint(with: [.handshake, .noaddr]) && !address.host.isEmpty }
    var slotCount: Int { slots.reduce(0) { $0 + $1.count } }
    /// The hostname where one is announced, else the address.
    var name: String { "\(hostname.map { Address($0, address.port) } ?? address)" }
  }

  /// Slots of one owner.
  private struct Run: Sendable, Equatable {
    var slots: ClosedRange<Int>
    var owner: String
  }

  /// In the order of their names as people count.
  let nodes: [Node]
  /// In the order of slots. A map is read from each node every few milliseconds while slots move, so it is no table of slots.
  private let runs: [Run]
  /// Slots that have moved since the map was made.
  private var moved: [Int: String] = [:]

  init(_ nodes: [Node] = []) {
    self.nodes = nodes.sorted { Self.precedes($0, $1) }
    let runs = self.nodes.flatMap { node in node.slots.map { Run(slots: $0, owner: node.id) } }
      .sorted { $0.slots.lowerBound < $1.slots.lowerBound }
    self.runs = runs.reduce(into: []) { whole, run in
      // A master may list neighbours one by one.
      if let last = whole.last, last.owner == run.owner, last.slots.upperBound + 1 == run.slots.lowerBound {
        whole[whole.count - 1].slots = last.slots.lowerBound...run.slots.upperBound
      } else {
        whole.append(run)
      }
    }
  }

  /// The id of the master that owns a slot.
  func ownerID(ofSlot slot: Int) -> String? {
    if let id = moved[slot] { return id }
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].slots.upperBound < slot { low = middle + 1 } else { high = middle }
    }
    return low < runs.count && runs[low].slots.contains(slot) ? runs[low].owner : nil
  }

  /// Ids of the masters that own the slots; `nil` where nobody does. O(slots).
  var owners: [String?] {
    var owners: [String?] = Array(repeating: nil, count: KeySlot.count)
    for run in runs { for slot in run.slots { owners[slot] = run.owner } }
    for (slot, id) in moved { owners[slot] = id }
    return owners
  }

  /// Whether both give each slot to the same master.
  func hasSameOwners(as other: ClusterMap) -> Bool { runs == other.runs && moved == other.moved }

  /// One node that owns everything: a Redis that is no cluster.
  init(single address: Address) {
    let node = Node(
      id: "\(address)", address: address, flags: [.myself, .master], configEpoch: 0, isLinked: true,
      slots: [0...KeySlot.count - 1])
    self.init([node])
  }

  private static func precedes(_ left: Node, _ right: Node) -> Bool {
    let (a, b) = (left.name, right.name)
    return (a.count, a, left.id) < (b.count, b, right.id)
  }

  func node(_ id: String) -> Node? { nodes.first { $0.id == id } }

  /// Members without the failed ones.
  var live: [Node] { nodes.filter { $0.isMember && !$0.isFailed } }
  /// Live masters that own slots: those that vote.
  var owningMasters: [Node] { live.filter { $0.isMaster && !$0.slots.isEmpty } }
  var masters: [Node] { live.filter(\.isMaster) }
  func replicas(of id: String) -> [Node] { nodes.filter { $0.isMember && $0.masterID == id } }

  /// The master of a slot.
  func owner(ofSlot slot: Int) -> Node? { ownerID(ofSlot: slot).flatMap(node) }

  /// Slots that nobody owns.
  var orphanedSlots: Int { KeySlot.count - runs.reduce(0) { $0 + $1.slots.count } }
  /// The line of the node that was asked.
  var own: Node? { nodes.first { $0.flags.contains(.myself) } }

  /// The same with what each node says of its own open slots, by id: a node tells of no others'.
  func with(openSlots: [String: [OpenSlot]]) -> ClusterMap {
    ClusterMap(
      nodes.map { node in
        var node = node
        node.openSlots = openSlots[node.id] ?? node.openSlots
        return node
      })
  }

  var hasOpenSlots: Bool { nodes.contains { !$0.openSlots.isEmpty } }
  /// The greatest epoch of all nodes.
  var epoch: UInt64 { nodes.map(\.configEpoch).max() ?? 0 }

  /// Gives a slot to a node, as an answer `MOVED` says.
  mutating func move(slot: Int, to id: String) { moved[slot] = id }

  /// What nodes must agree on before slots are moved: members, and who owns what with which epoch.
  func agrees(with other: ClusterMap) -> Bool {
    hasSameOwners(as: other) && nodes.filter(\.isMember).map(\.id) == other.nodes.filter(\.isMember).map(\.id)
      && owningMasters.map(\.configEpoch) == other.owningMasters.map(\.configEpoch)
  }
}
