import KVCluster
import RESP
import Text

/// A command that reads a key and writes it in one step: what it makes of the value, and what it answers.
struct ValueUpdate: Sendable {
  private enum Kind {
    case add(Int)
    case append([UInt8])
    case overwrite(offset: Int, [UInt8])
    /// `SET` with options, `SETNX`, `GETSET`.
    case set([UInt8], Condition, answer: Answered)
    case delete
    /// `DEL` of one key.
    case remove
  }

  private enum Condition { case always, ifAbsent, ifPresent }

  private enum Answered { case done, whether, old }

  /// What a client is told.
  enum Reply: Sendable {
    case ok
    case integer(Int)
    case value([UInt8]?)
    case error(String)

    func write(to reply: inout ReplyBuffer) {
      switch self {
      case .ok: reply.ok()
      case .integer(let number): reply.integer(number)
      case .value(let value?): reply.bulk(value)
      case .value(nil): reply.null()
      case .error(let text): reply.error(text)
      }
    }
  }

  private let kind: Kind

  static let remove = ValueUpdate(kind: .remove)

  private init(kind: Kind) { self.kind = kind }

  /// - Parameter arguments: without the name.
  /// - Returns: `nil` if the command writes whatever there is: a plain `SET`.
  /// - Throws: the text of the error.
  init?(_ id: CommandID, _ arguments: [[UInt8]]) throws(ScanOptions.Wrong) {
    switch id {
    case .incr: kind = .add(1)
    case .decr: kind = .add(-1)
    case .incrby: kind = .add(try Self.number(arguments[1]))
    case .decrby:
      let number = try Self.number(arguments[1])
      // The one number that has no opposite.
      guard number != .min else { throw ScanOptions.Wrong(text: "ERR decrement would overflow") }
      kind = .add(-number)
    case .append: kind = .append(arguments[1])
    case .setrange:
      let offset = try Self.number(arguments[1])
      guard offset >= 0 else { throw ScanOptions.Wrong(text: "ERR offset is out of range") }
      guard arguments[2].isEmpty || offset <= Limits.valueBytesMax - arguments[2].count else {
        throw ScanOptions.Wrong(
          text: "ERR string exceeds maximum allowed size (\(Figures.given(bytes: Limits.valueBytesMax)))")
      }
      kind = .overwrite(offset: offset, arguments[2])
    case .setnx: kind = .set(arguments[1], .ifAbsent, answer: .whether)
    case .getset: kind = .set(arguments[1], .always, answer: .old)
    case .getdel: kind = .delete
    case .set:
      guard let update = try Self.set(arguments) else { return nil }
      self = update
    default: preconditionFailure("\(id) reads and writes nothing in one step")
    }
  }

  private static func number(_ bytes: [UInt8]) throws(ScanOptions.Wrong) -> Int {
    guard let number = Integer.parse(bytes) else { throw ScanOptions.Wrong(text: ErrorReply.notAnInteger) }
    return number
  }

  private static func set(_ arguments: [[UInt8]]) throws(ScanOptions.Wrong) -> ValueUpdate? {
    var (condition, answer) = (Condition.always, Answered.done)
    for word in arguments.dropFirst(2) {
      switch String(decoding: word, as: UTF8.self).uppercased() {
      case "NX" where condition == .always: condition = .ifAbsent
      case "XX" where condition == .always: condition = .ifPresent
      case "GET" where answer == .done: answer = .old
      case "EX", "PX", "EXAT", "PXAT", "KEEPTTL":
        throw ScanOptions.Wrong(text: "ERR keys do not expire here: EX, PX, EXAT, PXAT and KEEPTTL are not supported")
      default: throw ScanOptions.Wrong(text: ErrorReply.syntax)
      }
    }
    if condition == .always, answer == .done { return nil }
    return ValueUpdate(kind: .set(arguments[1], condition, answer: answer))
  }

  /// - Parameter old: the value; `nil` for none.
  func apply(to old: UnsafeRawBufferPointer?) -> (Change, Reply) {
    switch kind {
    case .add(let number):
      guard let value = old.map({ Integer.parse($0) }) ?? 0 else { return (.keep, .error(ErrorReply.notAnInteger)) }
      let (sum, isTooLarge) = value.addingReportingOverflow(number)
      if isTooLarge { return (.keep, .error("ERR increment or decrement would overflow")) }
      return (.put(Array(String(sum).utf8)), .integer(sum))
    case .append(let suffix):
      if old != nil, suffix.isEmpty { return (.keep, .integer(old?.count ?? 0)) }
      let value = (old.map { Array($0) } ?? []) + suffix
      guard value.count <= Limits.valueBytesMax else {
        return (
          .keep, .error("ERR string exceeds maximum allowed size (\(Figures.given(bytes: Limits.valueBytesMax)))")
        )
      }
      return (.put(value), .integer(value.count))
    case .overwrite(let offset, let part):
      if part.isEmpty { return (.keep, .integer(old?.count ?? 0)) }
      var value = old.map { Array($0) } ?? []
      let end = offset + part.count
      if value.count < end { value += [UInt8](repeating: 0, count: end - value.count) }
      value.replaceSubrange(offset..<end, with: part)
      return (.put(value), .integer(value.count))
    case .set(let value, let condition, let answer):
      let isWanted =
        switch condition {
        case .always: true
        case .ifAbsent: old == nil
        case .ifPresent: old != nil
        }
      let reply: Reply =
        switch answer {
        case .done: isWanted ? .ok : .value(nil)
        case .whether: .integer(isWanted ? 1 : 0)
        case .old: .value(old.map { Array($0) })
        }
      return (isWanted ? .put(value) : .keep, reply)
    case .delete: return (old == nil ? .keep : .delete, .value(old.map { Array($0) }))
    case .remove: return (old == nil ? .keep : .delete, .integer(old == nil ? 0 : 1))
    }
  }
}
