/// A client's requests as bytes.
package enum RequestWriter {
  /// One command and its arguments, as an array of bulk strings.
  package static func bytes(_ arguments: [[UInt8]]) -> [UInt8] {
    var buffer = ReplyBuffer(capacity: 64 + arguments.reduce(0) { $0 + $1.count + 16 })
    buffer.array(arguments.count)
    for argument in arguments { buffer.bulk(argument) }
    return Array(buffer.bytes)
  }

  /// The same of texts.
  package static func bytes(_ arguments: String...) -> [UInt8] { bytes(arguments.map { Array($0.utf8) }) }
}
