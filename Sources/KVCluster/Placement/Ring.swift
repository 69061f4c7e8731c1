/// The consistent-hash ring: which nodes own which keys (Karger et al., STOC '97; Dynamo, SOSP '07).
///
/// The 64-bit ring is cut into ``slotCount`` equal slots, named by the highest bits of a hash. Each token (virtual node)
/// covers the slots after the token before it up to its own. A slot's *preference list* is the first N distinct nodes
/// met clockwise, beginning with the token that covers it.
///
/// Where tokens lie and whose they are is chosen for balance; see ``RingBlocks``. The ring itself is only the tokens, so
/// that is all the configuration stores, and any arrangement of tokens is a ring.
package struct Ring: Equatable, Sendable {
  /// Slots of the ring: fine enough that a hundredth of it is hundreds of them, few enough that a table fits a cache.
  package static let slotCount = 65_536

  /// A node's claim to the arc that ends at `slot`.
  package struct Token: Equatable, Sendable {
    /// Last slot of the arc.
    package var slot: UInt16
    package var node: UInt16

    package init(slot: UInt16, node: UInt16) {
      self.slot = slot
      self.node = node
    }
  }

  /// Why tokens make no ring.
  package enum InvalidTokens: Error, Equatable {
    case notSorted(slot: UInt16)
  }

  /// Ordered by slot, no two at the same one.
  package let tokens: [Token]

  /// The ring without nodes.
  package init() {
    tokens = []
  }

  /// - Throws: ``InvalidTokens`` unless slots ascend.
  package init(tokens: [Token]) throws(InvalidTokens) {
    for (a, b) in zip(tokens, tokens.dropFirst()) where a.slot >= b.slot { throw .notSorted(slot: b.slot) }
    self.tokens = tokens
  }

  /// Tokens of another ring, under other names.
  init(sorted tokens: [Token]) {
    self.tokens = tokens
  }

  /// The nodes on the ring, ascending. O(tokens + greatest id).
  package var nodes: [UInt16] {
    var isThere: [Bool] = []
    for token in tokens {
      while isThere.count <= Int(token.node) { isThere.append(false) }
      isThere[Int(token.node)] = true
    }
    return isThere.indices.filter { isThere[$0] }.map(UInt16.init)
  }

  /// Where a key lies.
  @inline(__always)
  package static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 { XXHash64.hash(key) }

  /// The slot of a hash: its highest 16 bits.
  @inline(__always)
  package static func slot(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 48) }

  /// Every slot's preference list. O(tokens · (window + log tokens)).
  package func preferenceTable(replicas: Int) -> PreferenceTable { PreferenceTable(self, replicas: replicas) }
}
