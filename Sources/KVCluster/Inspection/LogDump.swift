/// Walks through the logs of a data folder at rest, record by record in the order in which they were written.
///
/// Not with ``SegmentScan``, which sorts by partition: here the order is the point. One segment is in memory at a time.
package enum LogDump {
  /// A record or a damaged place, valid during the call that hands it out.
  package struct Line {
    package var node: String
    package var segment: UInt64
    package var offset: Int
    package var content: Content
  }

  package enum Content {
    case record(
      kind: RecordKind, tag: UInt64, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, isIntact: Bool)
    /// Bytes in which no record was found.
    case damaged(byteCount: Int)
    /// The segment's file cannot be opened, or its header is not what was written.
    case damagedSegment(reason: String)
  }

  /// - Parameters:
  ///   - node: only this one's log; all if `nil`.
  ///   - body: false stops.
  /// - Throws: `ClusterError.dataFolder` if there is no such node, or a newer version wrote the folder.
  package static func run(
    _ folder: FolderAtRest, node: String? = nil, _ body: (Line) -> Bool
  ) throws(ClusterError) {
    let nodes = folder.nodesWithLogs()
    if let node, !nodes.contains(node) {
      throw .dataFolder("\(folder.path) has no log of a node \(node); it has those of \(nodes.joined(separator: ", "))")
    }
    let clusterID: UInt64
    if case .intact(let configuration) = try folder.readConfiguration() {
      clusterID = configuration.clusterID
    } else {
      clusterID = folder.clusterIDInLogs() ?? 0
    }
    for name in nodes where node == nil || node == name {
      do throws(StorageError) {
        guard try dump(LogIdentity(clusterID: clusterID, node: name), folder.disk, body) else { return }
      } catch {
        throw .dataFolder(.init(error.description))
      }
    }
  }

  static func dump(
    _ identity: LogIdentity, _ disk: any Disk, _ body: (Line) -> Bool
  ) throws(StorageError) -> Bool {
    let folder = DataFolder.logFolder(identity.node)
    let manifest = try LogManifest.read(from: disk, folder: folder)
    let names = try disk.names(in: folder)
    let ids = manifest?.segments ?? names.compactMap(LogFormat.segmentID(ofName:)).sorted()
    for id in ids {
      var line = Line(node: identity.node, segment: id, offset: 0, content: .damaged(byteCount: 0))
      let path = "\(folder)/\(LogFormat.segmentName(id))"
      do throws(StorageError) {
        let file = try disk.openSegment(path, capacity: 0)
        defer { file.close() }
        var problem: StorageError?
        do throws(StorageError) {
          try identity.checkHeader(file.base, segment: id, byteCount: file.byteCount, path: path)
        } catch {
          guard case .damaged(_, let offset, let reason) = error else { throw error }
          problem = error
          line.offset = offset
          line.content = .damagedSegment(reason: reason)
        }
        if problem != nil, !body(line) { return false }
        let source = SegmentSource(base: file.base, slot: 1, id: id, clusterID: identity.clusterID)
        guard walk(source, byteCount: file.byteCount, line, body) else { return false }
      } catch {
        if case .newerFormat = error { throw error }
        line.content = .damagedSegment(reason: error.description)
        guard body(line) else { return false }
      }
    }
    return true
  }

  private static func walk(
    _ segment: SegmentSource, byteCount: Int, _ template: Line, _ body: (Line) -> Bool
  ) -> Bool {
    var line = template
    line.offset = LogFormat.segmentHeaderBytes
    while line.offset < byteCount {
      guard let record = RecordView.checked(in: segment.base, at: line.offset, limit: byteCount, seed: segment.seed),
        let kind = record.kind
      else {
        // Nothing that verifies follows: the records end here.
        guard let next = SegmentScan.nextRecord(segment, after: line.offset, limit: byteCount) else { return true }
        line.content = .damaged(byteCount: next - line.offset)
        guard body(line) else { return false }
        line.offset = next
        continue
      }
      line.content = .record(
        kind: kind, tag: record.tag.rawValue, key: record.key, value: record.value, isIntact: record.hasIntactValue)
      guard body(line) else { return false }
      if kind == .seal { return true }
      line.offset += record.byteCount
    }
    return true
  }
}
