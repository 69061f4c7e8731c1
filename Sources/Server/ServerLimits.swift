import RESP

/// Every bound of the server, each with its reason.
package struct ServerLimits: Sendable {
  /// Clients at a time; Redis has the same. Lowered to what the limit of open files leaves.
  package var clientsMax = 10_000
  /// A connection that has so many bytes of replies to send is not read from until half of them are gone: its client's own
  /// pace holds it back, and memory does not grow.
  package var outputPauseBytes = 1 << 20
  /// A connection with more to send is cut: one reply of several large values can be that long.
  package var outputBytesMax = 256 << 20
  /// A connection that has had more than this to send for ``outputSlowSeconds`` is cut.
  package var outputSlowBytes = 64 << 20
  package var outputSlowSeconds = 60
  /// Before the password: more than any answer a client can ask for (CVE-2025-21605).
  package var outputUnauthenticatedBytes = 64 << 10
  /// Replies of one connection that wait for disks; sixty pipelines of the usual depth.
  package var repliesPendingMax = 1_024
  /// Clients that have not said the password within so many seconds are cut.
  package var unauthenticatedSeconds = 60
  /// Each wrong password is answered so much later than the one before it, at most ten times that.
  package var authenticationDelayMs = 100
  /// How long connections may take to get their last replies when the server stops: the program has ten seconds, and the
  /// data's own end needs some.
  package var stopSeconds = 7
  package var requests = RequestLimits.usual
  package var requestsUnauthenticated = RequestLimits.unauthenticated

  package init() {}

  /// Bytes taken from a connection at a time; four times as many a turn of the loop, then others have theirs. 16 KiB
  /// rather than 64: each connection keeps such a buffer.
  static let readBytes = 16 << 10
  static let readsPerTurn = 4
  /// Memory of a loop's replies that is kept from one turn to the next.
  static let repliesKeptBytes = 1 << 20
  /// Bytes handed to the transport at a time where the socket did not take all at once.
  static let chunkBytes = 256 << 10
  /// Open files that are not clients': those of the nodes, and what the program itself needs.
  static let filesBeside = 32
}
