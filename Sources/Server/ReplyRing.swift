import DequeModule
import RESP

/// The replies of one connection from the first that waits for something on, in their order.
///
/// A reply is written when its command is carried out, before it counts: what waits for disks is whether it may be sent. An
/// error takes its place if it may not. Bytes lie behind one another in one buffer, so a reply costs no allocation.
struct ReplyRing: ~Copyable {
  private struct Slot {
    var byteCount: Int
    /// Things the reply waits for.
    var missing: Int
    var error: String?
  }

  private var slots = Deque<Slot>()
  /// Number of the first slot; slots are numbered from the connection's first on.
  private var first = 0
  private var held = ReplyBuffer(capacity: 256)
  /// Bytes of `held` that have been sent.
  private var sent = 0

  var isEmpty: Bool { slots.isEmpty }
  var count: Int { slots.count }
  /// Bytes that wait.
  var byteCount: Int { held.count - sent }

  /// Appends a reply.
  /// - Parameter missing: how many things it waits for.
  /// - Returns: its number.
  @discardableResult
  mutating func append(_ reply: UnsafeRawBufferPointer, missing: Int) -> Int {
    held.append(reply)
    // Replies that wait for nothing go with the one before them.
    if missing == 0, let last = slots.indices.last, slots[last].missing == 0, slots[last].error == nil {
      slots[last].byteCount += reply.count
    } else {
      slots.append(Slot(byteCount: reply.count, missing: missing, error: nil))
    }
    return first + slots.count - 1
  }

  /// One thing that a reply waits for has come.
  /// - Parameters:
  ///   - error: takes the reply's place.
  ///   - more: bytes that belong behind the reply's own; only for the last one.
  mutating func complete(_ number: Int, error: String?, more: [UInt8] = []) {
    let index = number - first
    precondition(slots.indices.contains(index) && slots[index].missing > 0, "reply \(number) waits for nothing")
    slots[index].missing -= 1
    if slots[index].error == nil { slots[index].error = error }
    if !more.isEmpty {
      precondition(index == slots.count - 1, "a reply is behind the one that grows")
      more.withUnsafeBytes { held.append($0) }
      slots[index].byteCount += more.count
    }
  }

  /// Moves the replies that wait for nothing to `replies`.
  mutating func take(into replies: inout ReplyBuffer) {
    while let slot = slots.first, slot.missing == 0 {
      slots.removeFirst()
      first += 1
      if let error = slot.error {
        replies.error(error)
      } else {
        replies.append(UnsafeRawBufferPointer(rebasing: held.bytes[sent..<sent + slot.byteCount]))
      }
      sent += slot.byteCount
    }
    if slots.isEmpty {
      held.clear(capacityMax: 4 << 10)
      sent = 0
    }
  }
}
