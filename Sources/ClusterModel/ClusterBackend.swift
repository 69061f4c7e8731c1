/// The interface between faces and a cluster: the engine in this process, an engine in another process, Redis Cluster, or
/// a dictionary in a test.
///
/// Every method may be called from any thread and task. A method that is not `async` returns at once with the backend's
/// newest knowledge, so a screen may call it for each picture. Programs that store and read at full speed use the engine itself:
/// this is a seam for faces, and each call through it is a dynamic one.
public protocol ClusterBackend: Sendable {
  /// Limits and features of the backend. Faces offer nothing else.
  var capabilities: Capabilities { get }

  /// Returns when reads and writes are served.
  /// - Throws: why they never will be.
  func ready() async throws(ClusterError)

  /// The newest value of a key, or `nil` if it has none.
  func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]?

  /// Stores a value.
  func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError)

  /// The newest values of keys, `nil` where there is none, each as of a moment of its own.
  func getAll(_ keys: [[UInt8]], _ options: ReadOptions) async throws(ClusterError) -> [[UInt8]?]

  /// Stores values, all or none; needs ``Capabilities/Feature/batches``. Of a key that comes twice the last value counts.
  func putTogether(_ pairs: [KeyValue]) async throws(ClusterError)

  /// Removes a key.
  /// - Returns: whether it had a value.
  func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool

  /// Reads a key and writes it in one step that no other operation comes between; needs ``Capabilities/Feature/updates``.
  /// - Throws: ``ClusterError/invalidArgument(_:)`` for a value that cannot be counted up, or that would be too long; nothing was
  ///   changed.
  func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult

  /// Keys that begin with `prefix`, from a cursor on; needs ``Capabilities/Feature/scans``.
  /// - Parameters:
  ///   - prefix: empty for all keys.
  ///   - cursor: `nil` for the first page, then that of the page before.
  ///   - limit: the most keys of a page.
  func scan(prefix: [UInt8], from cursor: ScanCursor?, limit: Int) async throws(ClusterError) -> ScanPage

  /// The newest status.
  func status() -> ClusterStatus

  /// Events after the one with this sequence number, oldest first, as far as the backend keeps them.
  func events(after sequence: UInt64) -> [ClusterEvent]

  /// Where a key lies.
  func place(of key: [UInt8]) -> KeyPlace

  /// Obeys an order; needs its ``AdminCommand/feature``. Returns when it is done.
  /// - Parameters:
  ///   - command: what is to be done.
  ///   - progress: is told how far it is; false stops what can be stopped.
  func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult

  /// The live checker's verdict on everything that has ended by now; `nil` if no checker runs.
  func verdict() async -> VerdictStatus?
}

extension ClusterBackend {
  /// Obeys an order of which nobody watches the progress.
  @discardableResult
  public func perform(_ command: AdminCommand) async throws(ClusterError) -> AdminResult {
    try await perform(command) { _ in true }
  }

  /// One get after the other, unless backends have something faster.
  public func getAll(_ keys: [[UInt8]], _ options: ReadOptions) async throws(ClusterError) -> [[UInt8]?] {
    var values: [[UInt8]?] = []
    for key in keys { values.append(try await get(key, options)) }
    return values
  }

  /// Backends have no batches unless they say otherwise.
  public func putTogether(_ pairs: [KeyValue]) async throws(ClusterError) { throw .unsupported(.batches) }

  /// Backends have no read-modify-writes unless they say otherwise.
  public func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult {
    throw .unsupported(.updates)
  }

  /// Backends serve at once unless they say otherwise.
  public func ready() async throws(ClusterError) {}

  /// The verdict as the status has it.
  public func verdict() async -> VerdictStatus? { status().verdict }
}

/// A key and a value for it.
public struct KeyValue: Sendable, Equatable, Codable {
  /// 1 byte or more.
  public var key: [UInt8]
  /// May be empty.
  public var value: [UInt8]

  /// A pair as given.
  public init(_ key: [UInt8], _ value: [UInt8]) { (self.key, self.value) = (key, value) }
}

/// Where the next page of a scan begins. Only the backend that made it can read it.
public struct ScanCursor: Sendable, Equatable, Codable {
  /// The backend's own mark.
  public var bytes: [UInt8]

  /// Backends make these.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Keys found by a scan.
public struct ScanPage: Sendable, Equatable, Codable {
  /// The keys, in the order of their bytes if the backend has one.
  public var keys: [[UInt8]]
  /// Where the next page begins; `nil` after the last.
  public var next: ScanCursor?

  /// Backends make these.
  public init(keys: [[UInt8]], next: ScanCursor? = nil) { (self.keys, self.next) = (keys, next) }
}
