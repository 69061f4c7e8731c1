/// The bounds of everything that waits or is tried again, in one place.
enum RedisLimits {
  /// Answers that name another node, before an operation is given up: a cluster in order needs two.
  static let redirectionsMax = 16
  /// How long an operation is tried again while its slot is not served. Longer than a failover with the node timeout of 2 s
  /// takes; with Redis's default of 15 s callers are told before it ends.
  static let operationTime = Duration.seconds(5)
  /// How long a connection may take to come about, its password included.
  static let connectTime = Duration.seconds(2)
  /// How long a server may take to answer. A server that holds still longer is as good as lost.
  static let answerTime = Duration.seconds(5)
  /// Commands that wait for their answers on one connection. Beyond it callers are refused instead of stored up.
  static let pendingMax = 10_000
  /// Pauses between attempts, each twice the one before: to connect, and to be served.
  static let firstPause = Duration.milliseconds(20)
  static let longestPause = Duration.milliseconds(1_000)
  /// Events kept.
  static let eventsMax = 2_000
  /// One answer, in bytes: the longest string of Redis.
  static let answerBytesMax = 512 << 20
  /// Bytes of a key, as the engine has it; Redis would take 512 MiB.
  static let keyBytesMax = 65_535
  /// Bytes of a value: `proto-max-bulk-len` unless an operator has changed it.
  static let valueBytesMax = 512 << 20
}
