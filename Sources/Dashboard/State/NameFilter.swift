/// Words that are looked for in names.
package struct NameFilter: Equatable, Sendable {
  package internal(set) var text = ""
  /// Whether what is typed goes into it.
  package internal(set) var isTyping = false

  package var isActive: Bool { isTyping || !text.isEmpty }

  func matches(_ name: String) -> Bool {
    text.isEmpty || name.lowercased().contains(text.lowercased())
  }

  /// Names are shorter.
  private static let pastedMax = 64

  mutating func type(_ key: Key) {
    switch key {
    case .character(let character): text.append(character)
    case .paste(let pasted): text += pasted.prefix(Self.pastedMax)
    case .backspace where text.isEmpty: isTyping = false
    case .backspace: text.removeLast()
    case .enter: isTyping = false
    case .escape: self = NameFilter()
    default: break
    }
  }
}
