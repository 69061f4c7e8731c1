import ClusterModel
import RESP

/// An error answer of a Redis server, by what a caller does about it.
enum ServerError: Sendable, Equatable {
  /// Another node owns the slot. An empty host is that of the node that was asked.
  case moved(slot: Int, Address)
  /// The slot is being moved, and this key is at the other end already.
  case ask(slot: Int, Address)
  /// It passes within a moment; nothing was done. The answer's own words.
  case passing(String)
  /// The node is no master any more.
  case readOnly
  /// The node is no master any more, or another one is: after a failover the plan is another one.
  case wrongRole(String)
  /// The client has not said a password.
  case unauthenticated(String)
  /// The user lacks a right, or has said a wrong password.
  case forbidden(String)
  /// The receiver of a migration has the key already.
  case busyKey(String)
  /// The connection between two servers failed during a migration.
  case cutOff(String)
  /// The server does not know the node it was told of.
  case unknownNode(String)
  /// The server is no member of a cluster.
  case noCluster(String)
  /// Anything else.
  case other(String)

  /// `nil` if the answer is no error.
  init?(_ reply: ReplyValue) {
    guard case .error(let bytes) = reply else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    let words = text.split(separator: " ")
    switch words.first {
    case "MOVED", "ASK":
      guard words.count >= 3, let slot = Int(words[1]), (0..<KeySlot.count).contains(slot),
        let address = Address(words[2])
      else { self = .other(text); return }
      self = words[0] == "ASK" ? .ask(slot: slot, address) : .moved(slot: slot, address)
    case "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "BUSY": self = .passing(text)
    case "READONLY": self = .readOnly
    case "NOAUTH": self = .unauthenticated(text)
    case "NOPERM", "WRONGPASS", "DENIED": self = .forbidden(text)
    case "BUSYKEY": self = .busyKey(text)
    case "IOERR": self = .cutOff(text)
    // These have no code of their own.
    case _ where text.contains("only with masters") || text.contains("is not a master"): self = .wrongRole(text)
    case _ where text.contains("Unknown node"): self = .unknownNode(text)
    case _ where text.contains("cluster support disabled"): self = .noCluster(text)
    default: self = .other(text)
    }
  }

  /// Whether the server only cannot do it at the moment.
  var isPassing: Bool {
    switch self {
    case .passing, .wrongRole: true
    case .moved, .ask, .readOnly, .unauthenticated, .forbidden, .busyKey, .cutOff, .unknownNode, .noCluster, .other:
      false
    }
  }

  /// The answer's own words.
  var words: String {
    switch self {
    case .moved(let slot, let address): "MOVED \(slot) \(address)"
    case .ask(let slot, let address): "ASK \(slot) \(address)"
    case .readOnly: "READONLY"
    case .passing(let words), .wrongRole(let words), .unauthenticated(let words), .forbidden(let words),
      .busyKey(let words), .cutOff(let words), .unknownNode(let words), .noCluster(let words), .other(let words):
      words
    }
  }
}
