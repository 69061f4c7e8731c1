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
  /// The user lacks a right, or has not said a password.
  case forbidden(String)
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
    case "NOAUTH", "NOPERM", "WRONGPASS", "DENIED": self = .forbidden(text)
    default: self = .other(text)
    }
  }
}
