import Text

extension ClusterEvent: CustomStringConvertible {
  /// The event in one sentence, without a final full stop and without advice: faces add that,
  /// see ``ClusterEvent/advice``.
  public var description: String { what.description }

  /// Advice as values; faces put it into words.
  public var advice: [Advice] { what.advice }
}

extension ClusterEvent.What: CustomStringConvertible {
  /// The event in one sentence, without a final full stop and without advice.
  public var description: String {
    switch self {
    case .opened, .recoveryFailed, .unsyncedWritesLost, .notLinearizable: clusterWords
    case .changeBegan, .changeWaits, .joined, .left, .underReplicated, .replacementDue, .replacementPostponed:
      membershipWords
    case .killed, .restarted, .nodeFailed, .nodeCannotStart, .paused, .resumed, .contactLost, .contactRestored:
      nodeWords
    case .partitioned, .slowed, .lossy, .linksHealed: linkWords
    case .corrupted, .syncWillFail, .logDamaged, .copyDamaged, .copiesHealed, .copiesUnhealed, .healingFailed:
      damageWords
    case .possibleLoss, .rebuilt, .rebuildWaits, .writesMayBeLost, .hintsDropped, .checkpointFailed, .compactionFailed,
      .twinsSettled, .twinsFound:
      storageWords
    case .remark(_, _, _, let detail): detail.text
    }
  }

  private var clusterWords: String {
    switch self {
    case .opened(let nodes, let bytes, let ms):
      return "\(Figures.count(nodes, "node")) up; opened \(Figures.bytes(bytes)) of log in \(Self.time(ms: ms))"
    case .recoveryFailed(let error): return error.description
    case .unsyncedWritesLost:
      return "the machine stopped while acknowledged writes were not on its disk: no read is answered until the nodes "
        + "have compared their copies; a key may be older than it was, and all nodes agree on it"
    case .notLinearizable(let summary):
      return "not linearizable: \(summary), which the operations before it do not explain"
    default: return ""
    }
  }

  private var membershipWords: String {
    switch self {
    case .changeBegan(let kind, let node, let replacement):
      return "\(node) \(kind == .join ? "joins" : "leaves"): its ranges are being handed over"
        + (replacement.map { " to \($0)" } ?? "")
    case .changeWaits(let reason): return "the change waits: \(reason.text)"
    case .joined(let node, let copies): return "\(node) joined: \(Self.copies(copies)) moved to it"
    case .left(let node, let copies, let replacement):
      return "\(node) left: \(Self.copies(copies)) moved to \(replacement ?? "the others")"
    case .underReplicated(let nodes, let replicas):
      return "N is \(Figures.count(nodes)) now: of the \(Figures.count(replicas)) copies that each key should have, "
        + "\(Figures.count(nodes, "node")) \(Figures.word(nodes, "keeps", "keep")) \(Figures.count(nodes))"
    case .replacementDue(let node, let seconds, let replacement):
      return "\(node) has been down for \(Figures.duration(seconds: Double(seconds))), the longest allowed: "
        + (replacement.map { "\($0) takes its place, as no other node is left that could hold its copies" }
          ?? "the other nodes take over what it owned, as there are more of them than copies of a key")
    case .replacementPostponed(let node, let error): return "\(node) cannot be replaced now: \(error)"
    default: return ""
    }
  }

  private var nodeWords: String {
    switch self {
    case .killed(let node): "\(node) was killed; the other owners keep hints for it"
    case .restarted(let node, let ms, let hints, let copies):
      "\(node) is back after \(Self.time(ms: ms)); delivered \(Figures.count(hints, "hint")), anti-entropy repaired \(Self.copies(copies))"
    case .nodeCannotStart(let node, let reason): "\(node) cannot start: \(reason.text)"
    case .nodeFailed(let node, let reason): "\(node) stopped: \(reason). Its replicas hold what it holds"
    case .paused(let node): "\(node) is paused: messages to it queue"
    case .resumed(let node): "\(node) resumed"
    case .contactLost(let node, let others): "\(Figures.list(others)) lost contact with \(node)"
    case .contactRestored(let node): "all nodes are in contact with \(node) again"
    default: ""
    }
  }

  private var linkWords: String {
    switch self {
    case .partitioned(let groups):
      "the network is cut: \(groups.map { $0.joined(separator: " ") }.joined(separator: " | "))"
    case .slowed(let node, let ns): "messages to and from \(node) take \(Figures.given(ns: ns))"
    case .lossy(let node, let perMille):
      "\(Figures.given(perMille: perMille)) of the messages to and from \(node) are lost"
    case .linksHealed: "all links are good"
    default: ""
    }
  }

  private var damageWords: String {
    switch self {
    case .corrupted(let node, let segment, let offset):
      return "a byte of \(node)'s log was flipped on its disk, in segment \(segment) at \(offset)"
    case .syncWillFail(let node): return "\(node)'s next sync will fail"
    case .logDamaged(let node, let segment, let bytes, let reason):
      return
        "\(node)'s log is damaged in segment \(segment), bytes \(bytes.lowerBound)–\(bytes.upperBound): \(reason); "
        + "nothing was deleted"
    case .copyDamaged(let node, let segment, let offset):
      return
        "\(node) holds a damaged copy in segment \(segment) at byte \(offset): its other replicas answer, and it is "
        + "fetched from them again"
    case .copiesHealed(let node, let count):
      return "\(node) healed: \(Figures.count(count, "damaged copy", plural: "damaged copies")) fetched again"
    case .copiesUnhealed(let node, let count):
      return
        "\(node): \(Figures.count(count, "damaged copy waits", plural: "damaged copies wait")) for a good one; until then "
        + "reads of \(Figures.word(count, "its key", "their keys")) need the other owners"
    case .healingFailed(let node, let reason): return "\(node): a damaged copy could not be replaced: \(reason)"
    default: return ""
    }
  }

  private var storageWords: String {
    switch self {
    case .possibleLoss(let node):
      return "possible loss: \(node) may have lost records, and no other node has copies of them"
    case .rebuilt(let node, let copies, let evidence):
      let rebuilt = "\(node) was rebuilt: \(Self.copies(copies)) from other replicas; it votes again"
      switch evidence {
      case .undamagedOwners: return rebuilt
      case .allOwners:
        return "\(rebuilt). All owners were compared: what none of a key's owners had on its disk is lost"
      case .acceptedLoss: return "\(rebuilt). The loss of what no owner has left was accepted"
      }
    case .rebuildWaits(let node, let reason): return "\(node) may have lost records and does not vote: \(reason.text)"
    case .writesMayBeLost(let node, let ranges):
      return
        "acknowledged writes may be lost: \(LostRange.words(ranges)). Reads that need them are refused, "
        + "and \(node) does not vote"
    case .hintsDropped(let holder, let target):
      return "\(holder) has given up hints for \(target), which are too many or too old; when it is back, a comparison "
        + "finds what it missed"
    case .checkpointFailed(let node, let reason):
      return "\(node): no checkpoint was written, the next start reads the log: \(reason)"
    case .compactionFailed(let node, let reason):
      return "\(node): a compacted segment could not be given up: \(reason)"
    case .twinsSettled(let nodes, let winner):
      return "\(Figures.list(nodes)) held different contents of a key under one version; those of \(winner) count now"
    case .twinsFound(let nodes, let key, let more):
      return "\(Figures.list(nodes)) hold different contents of \"\(String(decoding: key, as: UTF8.self))\""
        + (more > 0 ? " and \(Figures.count(more)) more" : "")
        + " under one version, so their folders do not belong together: reads are refused until it is put or deleted anew"
    default: return ""
    }
  }

  private static func time(ms: Int) -> String { Figures.time(.milliseconds(ms)) }

  private static func copies(_ count: Int) -> String { Figures.count(count, "copy", plural: "copies") }

  /// Advice as values; faces put it into words.
  public var advice: [Advice] {
    switch self {
    case .nodeFailed(let node, _): [.restart(node)]
    case .nodeCannotStart(let node, let reason): reason.advice + [.restartOnceMended(node)]
    case .underReplicated: [.addNode]
    case .changeWaits(let reason), .rebuildWaits(_, let reason), .remark(_, _, _, let reason): reason.advice
    case .replacementPostponed(_, let error), .recoveryFailed(let error): error.advice
    case .writesMayBeLost: [.verify(folder: nil), .acceptLoss(folder: nil)]
    case .twinsFound: [.verify(folder: nil)]
    case .notLinearizable: [.verdict]
    default: []
    }
  }
}
