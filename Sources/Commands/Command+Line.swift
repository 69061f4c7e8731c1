import ClusterModel
import Text

extension Command {
  /// The line that ``parse(_:)`` reads as this command; its keys and paths may stand for any bytes, see `ByteText`. Options of a
  /// benchmark are left out.
  package var line: String {
    let name = name.rawValue
    return switch self {
    case .put(let key, let value, let level):
      "\(name) \(Quoted.text(key)) \(Quoted.text(value))" + Self.option(level)
    case .get(let key, let level), .delete(let key, let level): "\(name) \(Quoted.text(key))" + Self.option(level)
    case .getAll(let keys): ([name] + keys.map { Quoted.text($0) }).joined(separator: " ")
    case .putTogether(let pairs):
      ([name] + pairs.flatMap { [Quoted.text($0.key), Quoted.text($0.value)] }).joined(separator: " ")
    case .update(let key, .compareAndSet(let old?, let new)):
      "\(name) \(Quoted.text(key)) \(Quoted.text(old)) \(Quoted.text(new))"
    case .update(let key, .compareAndSet(nil, let new)):
      "\(name) \(Self.absentOption) \(Quoted.text(key)) \(Quoted.text(new))"
    case .update(let key, .increment(let amount)): "\(name) \(Quoted.text(key)) \(amount)"
    case .update(let key, .append(let suffix)): "\(name) \(Quoted.text(key)) \(Quoted.text(suffix))"
    case .update(let key, .take), .update(let key, .timeToLive), .update(let key, .persist):
      "\(name) \(Quoted.text(key))"
    case .update(let key, .expire(let end)): "\(name) \(Quoted.text(key)) \(Self.words(end))"
    case .order(let order, let isMeant): order.line + (isMeant ? " yes" : "")
    case .benchmark(.averages): name
    case .benchmark(.run(let plan, _)): "\(name) \(plan.workload.rawValue)"
    case .benchmark(.stop): "\(name) stop"
    case .benchmark(.results): "\(name) results"
    case .load(let path), .backup(let path): "\(name) \(Quoted.text(path))"
    case .keys(let prefix, _): prefix.isEmpty ? name : "\(name) \(Quoted.text(prefix))"
    case .explain(let topic): topic.map { "\(name) \($0.rawValue)" } ?? name
    case .help(let about): about.map { "\(name) \($0.rawValue)" } ?? name
    case .nodes, .verdict, .demo, .exit: name
    }
  }

  private static func words(_ end: ExpiryTime) -> String {
    switch end {
    case .after(let milliseconds): "\(milliseconds)ms"
    case .at(let unixMilliseconds): "\(unixMilliseconds)"
    }
  }

  private static func option(_ level: Consistency?) -> String {
    level.map { " \(consistencyOption) \($0.rawValue)" } ?? ""
  }
}

extension AdminCommand {
  /// The line that gives this order at a prompt.
  package var line: String { ([CommandName(self).rawValue] + arguments).joined(separator: " ") }

  private var arguments: [String] {
    switch self {
    case .addNode(let name), .removeNode(let name), .kill(let name), .restart(let name), .pause(let name),
      .resume(let name), .corrupt(let name), .failSync(let name), .failOver(let name):
      [name]
    case .replaceNode(let name, let replacement): [name, replacement]
    case .partition(let groups): [groups.map { $0.joined(separator: " ") }.joined(separator: " | ")]
    case .heal: []
    case .slow(let name, let ns): [name, "\(Figures.number(Double(ns) / 1e6, placesMax: 6))ms"]
    case .drop(let name, let perMille): [name, "\(Figures.number(Double(perMille) / 10, placesMax: 1))%"]
    case .compact(let name): name.map { [$0] } ?? []
    case .backUp(let path): [Quoted.text(ByteText.decode(path))]
    case .steer(let wish): [wish.rawValue]
    }
  }
}
