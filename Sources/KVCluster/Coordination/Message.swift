/// What nodes say to each other about one operation. A link that is good makes each a direct call; one that is not may
/// delay, lose, double and reorder them.
package struct Message: Sendable {
  package enum Body: Sendable {
    /// What is your newest version of the key?
    case read
    /// Take this version unless you hold it or a newer one; answer when it is as durable as the policy demands. `value` is the
    /// record's payload, here and in ``version(kind:tag:value:isDurable:)``.
    case write(kind: RecordKind, tag: Tag, value: [UInt8])
    /// `target` missed this write: keep a note of it. Nobody waits for an answer.
    case hint(target: UInt16, tag: Tag)
    /// The newest version; no tag: none at all. `isDurable` says that it may be returned to a client.
    case version(kind: RecordKind, tag: Tag, value: [UInt8], isDurable: Bool)
    /// The copy is damaged, or the node may have lost some.
    case unknown
    /// The write is held, or a newer one.
    case written
  }

  package var operation: Int
  package var from: UInt16
  package var to: UInt16
  /// Which life of the replica an answer comes from: those of earlier lives are void.
  package var incarnation = 0
  package var hash: UInt64
  package var key: [UInt8]
  package var body: Body

  /// The answer to a request, from the node that was asked.
  package func answer(_ body: Body, incarnation: Int) -> Message {
    Message(operation: operation, from: to, to: from, incarnation: incarnation, hash: hash, key: key, body: body)
  }

  /// Whether a node is asked for something, as against told something it asked for.
  package var isRequest: Bool {
    switch body {
    case .read, .write, .hint: true
    case .version, .unknown, .written: false
    }
  }
}
