import KVCluster
import RESP
import Text

/// A command that reads a key and writes it in one step: what it makes of the value, and what it answers.
struct ValueUpdate: Sendable {
  fileprivate enum Kind {
    case add(Int)
    case append([UInt8])
    case overwrite(offset: Int, [UInt8])
    /// `SET` with options, `SETNX`, `GETSET`.
    case set([UInt8], Condition, ExpiryChange, answer: Answered)
    case delete
    /// `GETEX`; `nil` leaves the time as it is.
    case touch(ExpiryChange?)
    case expire(ExpiryTime, ExpiryArguments.Condition)
    case persist
    case timeToLive(TimeUnit)
    /// `DEL` of one key.
    case remove
  }

  fileprivate enum Condition {
    case always, ifAbsent, ifPresent
    /// Always, with something of what there was.
    case keeping
  }

  fileprivate enum Answered { case done, whether, old }

  /// How `TTL` and its kin answer.
  fileprivate enum TimeUnit { case seconds, milliseconds, unixSeconds, unixMilliseconds }

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
  /// - Returns: `nil` if the command writes whatever there is: see ``PlainSet``.
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
    case .setnx: kind = .set(arguments[1], .ifAbsent, .none, answer: .whether)
    case .getset: kind = .set(arguments[1], .always, .none, answer: .old)
    case .getdel: kind = .delete
    case .getex: kind = .touch(try Self.touch(arguments.dropFirst()))
    case .persist: kind = .persist
    case .ttl: kind = .timeToLive(.seconds)
    case .pttl: kind = .timeToLive(.milliseconds)
    case .expiretime: kind = .timeToLive(.unixSeconds)
    case .pexpiretime: kind = .timeToLive(.unixMilliseconds)
    case .expire: kind = try Self.expire(arguments, .seconds, "expire")
    case .pexpire: kind = try Self.expire(arguments, .milliseconds, "pexpire")
    case .expireat: kind = try Self.expire(arguments, .unixSeconds, "expireat")
    case .pexpireat: kind = try Self.expire(arguments, .unixMilliseconds, "pexpireat")
    case .set:
      let set = try Self.set(arguments)
      if case .set(_, .always, _, .done) = set { return nil }
      kind = set
    case .setex, .psetex: return nil
    default: preconditionFailure("\(id) reads and writes nothing in one step")
    }
  }

  private static func number(_ bytes: [UInt8]) throws(ScanOptions.Wrong) -> Int {
    guard let number = Integer.parse(bytes) else { throw ScanOptions.Wrong(text: ErrorReply.notAnInteger) }
    return number
  }

  fileprivate static func set(_ arguments: [[UInt8]]) throws(ScanOptions.Wrong) -> Kind {
    var (condition, answer) = (Condition.always, Answered.done)
    var expiry: ExpiryChange?
    var words = arguments.dropFirst(2)
    while let word = words.popFirst() {
      let name = String(decoding: word, as: UTF8.self).uppercased()
      switch name {
      case "NX" where condition == .always: condition = .ifAbsent
      case "XX" where condition == .always: condition = .ifPresent
      case "GET" where answer == .done: answer = .old
      case "KEEPTTL" where expiry == nil: expiry = .kept
      default:
        guard expiry == nil, let unit = ExpiryArguments.Unit(word: name), let number = words.popFirst() else {
          throw ScanOptions.Wrong(text: ErrorReply.syntax)
        }
        expiry = .set(try ExpiryArguments.time(number, unit, of: "set"))
      }
    }
    // What is kept has to be read first.
    if expiry == .kept, condition == .always, answer == .done { condition = .keeping }
    return .set(arguments[1], condition, expiry ?? .none, answer: answer)
  }

  private static func touch(_ words: ArraySlice<[UInt8]>) throws(ScanOptions.Wrong) -> ExpiryChange? {
    guard let first = words.first else { return nil }
    let name = String(decoding: first, as: UTF8.self).uppercased()
    if name == "PERSIST", words.count == 1 { return ExpiryChange.none }
    guard let unit = ExpiryArguments.Unit(word: name), words.count == 2, let number = words.last else {
      throw ScanOptions.Wrong(text: ErrorReply.syntax)
    }
    return .set(try ExpiryArguments.time(number, unit, of: "getex"))
  }

  private static func expire(
    _ arguments: [[UInt8]], _ unit: ExpiryArguments.Unit, _ name: String
  ) throws(ScanOptions.Wrong) -> Kind {
    let time = try ExpiryArguments.time(arguments[1], unit, of: name, mayHavePassed: true)
    return .expire(time, try ExpiryArguments.Condition(arguments.dropFirst(2)))
  }

  /// - Parameter clock: by which values expire.
  func apply(to found: Found, _ clock: ExpiryClock) -> (Change, Reply) {
    let old = found.value
    switch kind {
    case .add(let number):
      guard let value = old.map({ Integer.parse($0) }) ?? 0 else { return (.keep, .error(ErrorReply.notAnInteger)) }
      let (sum, isTooLarge) = value.addingReportingOverflow(number)
      if isTooLarge { return (.keep, .error("ERR increment or decrement would overflow")) }
      return (.put(Array(String(sum).utf8), .kept), .integer(sum))
    case .append(let suffix):
      if old != nil, suffix.isEmpty { return (.keep, .integer(old?.count ?? 0)) }
      let value = (old.map { Array($0) } ?? []) + suffix
      guard value.count <= Limits.valueBytesMax else {
        return (
          .keep, .error("ERR string exceeds maximum allowed size (\(Figures.given(bytes: Limits.valueBytesMax)))")
        )
      }
      return (.put(value, .kept), .integer(value.count))
    case .overwrite(let offset, let part):
      if part.isEmpty { return (.keep, .integer(old?.count ?? 0)) }
      var value = old.map { Array($0) } ?? []
      let end = offset + part.count
      if value.count < end { value += [UInt8](repeating: 0, count: end - value.count) }
      value.replaceSubrange(offset..<end, with: part)
      return (.put(value, .kept), .integer(value.count))
    case .set(let value, let condition, let expiry, let answer):
      let isWanted =
        switch condition {
        case .always, .keeping: true
        case .ifAbsent: old == nil
        case .ifPresent: old != nil
        }
      let reply: Reply =
        switch answer {
        case .done: isWanted ? .ok : .value(nil)
        case .whether: .integer(isWanted ? 1 : 0)
        case .old: .value(old.map { Array($0) })
        }
      return (isWanted ? .put(value, expiry) : .keep, reply)
    case .delete: return (old == nil ? .keep : .delete, .value(old.map { Array($0) }))
    case .touch(let expiry):
      guard let old, let expiry else { return (.keep, .value(old.map { Array($0) })) }
      let value = Array(old)
      return (expiry == .none && found.expiry == nil ? .keep : .put(value, expiry), .value(value))
    case .expire(let end, let condition):
      guard let old else { return (.keep, .integer(0)) }
      do throws(ClusterError) {
        guard condition.allows(try clock.time(end), insteadOf: found.expiry) else { return (.keep, .integer(0)) }
        return (.put(Array(old), .set(end)), .integer(1))
      } catch {
        return (.keep, .error(ErrorReply.text(error)))
      }
    case .persist:
      guard let old, found.expiry != nil else { return (.keep, .integer(0)) }
      return (.put(Array(old)), .integer(1))
    case .timeToLive(let unit):
      guard old != nil else { return (.keep, .integer(-2)) }
      guard let expiry = found.expiry.map({ Int($0) }) else { return (.keep, .integer(-1)) }
      let left = max(0, expiry - Int(clock.now))
      return switch unit {
      case .seconds: (.keep, .integer((left + 500) / 1_000))
      case .milliseconds: (.keep, .integer(left))
      case .unixSeconds: (.keep, .integer((expiry + 500) / 1_000))
      case .unixMilliseconds: (.keep, .integer(expiry))
      }
    case .remove: return (old == nil ? .keep : .delete, .integer(old == nil ? 0 : 1))
    }
  }
}

/// A command that writes a value whatever there is: `SET` without conditions, `SETEX`, `PSETEX`.
struct PlainSet: Sendable {
  let key: [UInt8]
  let value: [UInt8]
  var expiry: ExpiryTime?

  /// - Parameter arguments: without the name.
  /// - Returns: `nil` if the command depends on what there is: see ``ValueUpdate``.
  init?(_ id: CommandID, _ arguments: [[UInt8]]) throws(ScanOptions.Wrong) {
    key = arguments[0]
    switch id {
    case .set:
      value = arguments[1]
      guard case .set(_, .always, let change, .done) = try ValueUpdate.set(arguments) else { return nil }
      if case .set(let end) = change { expiry = end }
    case .setex, .psetex:
      value = arguments[2]
      let unit: ExpiryArguments.Unit = id == .setex ? .seconds : .milliseconds
      expiry = try ExpiryArguments.time(arguments[1], unit, of: id == .setex ? "setex" : "psetex")
    default: return nil
    }
  }
}
