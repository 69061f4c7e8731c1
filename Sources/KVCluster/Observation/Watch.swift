/// Which keys are watched: those whose hashes agree with a pattern in the bits of a mask, one in 2^bits of them.
///
/// Both fit one word, so that an operation reads them together, at once.
package struct Watch: Sendable, Equatable {
  /// The pattern above, the mask below; 0 watches nothing.
  package let word: UInt64

  package static let none = Watch(word: 0)
  package static let all = Watch(mask: 0, pattern: 0)
  /// One key in 16 million: fewer are none.
  package static let bitsMax = 24

  package init(word: UInt64) { self.word = word }

  package init(mask: UInt32, pattern: UInt32) {
    // An empty mask looks at no bit of the pattern: one is set, so that the word is not that of `none`.
    word = UInt64(mask == 0 ? 1 : pattern & mask) << 32 | UInt64(mask)
  }

  package var mask: UInt32 { UInt32(truncatingIfNeeded: word) }
  package var pattern: UInt32 { UInt32(truncatingIfNeeded: word >> 32) & mask }
  package var bits: Int { mask.nonzeroBitCount }

  @inline(__always)
  package func includes(_ hash: UInt64) -> Bool {
    word != 0 && (UInt32(truncatingIfNeeded: hash) ^ UInt32(truncatingIfNeeded: word >> 32)) & mask == 0
  }

  /// Half of it, the one without this key.
  package func excluding(_ hash: UInt64) -> Watch {
    let bit = UInt32(1) << UInt32((~mask).trailingZeroBitCount)
    guard bits < Watch.bitsMax else { return .none }
    return Watch(mask: mask | bit, pattern: pattern | (~UInt32(truncatingIfNeeded: hash) & bit))
  }
}
