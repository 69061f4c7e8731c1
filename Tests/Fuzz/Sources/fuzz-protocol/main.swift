// libFuzzer over what comes from a connection: requests at the server, replies at the client.
//
//     fuzz-protocol [libFuzzer's options] CORPUS…
//
// ```
// 0  1  flags: 1 replies instead of requests, 2 the limits of a client that has not said the password
// 1  2  where the bytes are cut, little-endian
// 3     the bytes
// ```
//
// What is read must be the same whether the bytes come whole, in two pieces or one by one; a difference traps.
import CFuzzer
import Foundation

@testable import RESP

/// What was read of a stream, and how its reading ended.
private struct Requests: Equatable {
  var requests: [[[UInt8]]] = []
  var error: ProtocolError?

  init(_ pieces: [ArraySlice<UInt8>], _ limits: RequestLimits) {
    var parser = RequestParser(limits: limits)
    var buffer: [UInt8] = []
    for piece in pieces {
      buffer += piece
      while error == nil, let count = step(&parser, buffer) { buffer.removeFirst(count) }
    }
  }

  /// The bytes of what was read; `nil` if nothing is whole.
  private mutating func step(_ parser: inout RequestParser, _ buffer: [UInt8]) -> Int? {
    // A copy of exactly these bytes, so that the sanitizer sees an access behind them.
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count, alignment: 1)
    defer { input.deallocate() }
    input.copyBytes(from: buffer)
    switch parser.parse(UnsafeRawBufferPointer(input)) {
    case .request(let count):
      requests.append((0..<parser.count).map { Array(parser.argument($0, of: UnsafeRawBufferPointer(input))) })
      return count
    case .nothing(let count): return count
    case .incomplete(let count):
      precondition(count > buffer.count, "an incomplete request asks for no more than there is")
      return nil
    case .failed(let failure):
      error = failure
      return nil
    }
  }
}

private struct Replies: Equatable {
  var replies: [String] = []
  var failure: ReplyReader.Failure?

  init(_ pieces: [ArraySlice<UInt8>]) {
    var reader = ReplyReader()
    do throws(ReplyReader.Failure) {
      for piece in pieces {
        reader.feed(piece)
        // As text: a NaN equals nothing.
        while let reply = try reader.next() { replies.append("\(reply)") }
      }
    } catch {
      failure = error
    }
  }
}

private func run(_ input: UnsafeRawBufferPointer) {
  guard input.count >= 3 else { return }
  let bytes = Array(input.dropFirst(3))
  let cut = (Int(input[1]) | Int(input[2]) << 8) % (bytes.count + 1)
  let pieces = [[bytes[...]], [bytes[..<cut], bytes[cut...]], bytes.indices.map { bytes[$0...$0] }]
  if input[0] & 1 == 0 {
    let limits = input[0] & 2 == 0 ? RequestLimits.usual : .unauthenticated
    let readings = pieces.map { Requests($0, limits) }
    precondition(readings[0] == readings[1] && readings[0] == readings[2], "pieces matter: \(readings)")
  } else {
    let readings = pieces.map(Replies.init)
    precondition(readings[0] == readings[1] && readings[0] == readings[2], "pieces matter: \(readings)")
  }
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, byteCount in
    run(UnsafeRawBufferPointer(start: data, count: byteCount))
    return 0
  })
