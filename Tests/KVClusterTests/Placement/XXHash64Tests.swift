import Testing

@testable import KVCluster

@Suite struct XXHash64Tests {
  @Test(
    "It gives the published values of well-known strings",
    arguments: [
      ("", 0xef46db3751d8e999),
      ("a", 0xd24ec4f1a98c6e5b),
      ("abc", 0x44bc2cf5ad770999),
      ("Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1),
    ] as [(String, UInt64)])
  func matchesPublished(text: String, expected: UInt64) {
    #expect(Array(text.utf8).withBytes { XXHash64.hash($0) } == expected)
  }

  /// Byte `i` is `(31 i + 7) mod 256`; the values are the reference implementation's (libxxhash).
  @Test(
    "It agrees with the reference implementation at every kind of length, with and without a seed",
    arguments: [
      (0, 0, 0xef46db3751d8e999),
      (0, 2654435761, 0xac75fda2929b17ef),
      (1, 0, 0xa96c7f0ce858bbb7),
      (1, 2654435761, 0x84e535b36672440d),
      (2, 0, 0xac378c5993cd5f9a),
      (2, 2654435761, 0x488adc3da39137c1),
      (3, 0, 0x56e6957632a487f9),
      (3, 2654435761, 0xd095a9239060f0a3),
      (4, 0, 0xc60d15b1e3ff8f04),
      (4, 2654435761, 0xd4e4b946fb0bfbb4),
      (5, 0, 0x808815858624dd4e),
      (5, 2654435761, 0x840b6a418001cba3),
      (7, 0, 0xafbefc3d6c6f9a8e),
      (7, 2654435761, 0x38386302628c52dc),
      (8, 0, 0x3da5c7aa269683e0),
      (8, 2654435761, 0x3748218f9083d1c1),
      (9, 0, 0x4b17a9ba9e215c09),
      (9, 2654435761, 0x6b8304f6e0246c53),
      (12, 0, 0x8fe8ab1c1fd0666e),
      (12, 2654435761, 0x026ca95299d9e652),
      (14, 0, 0x1523f762201ba56e),
      (14, 2654435761, 0xc3306ef15c74fadd),
      (15, 0, 0xae2a37eb9357caa7),
      (15, 2654435761, 0x283deb489df92be1),
      (16, 0, 0xa19ad429b02bc413),
      (16, 2654435761, 0x06f2d4c8d982f096),
      (17, 0, 0xfe9f0feb7eeedc09),
      (17, 2654435761, 0xade2a507106baee8),
      (20, 0, 0x0bfbadb368e7f37c),
      (20, 2654435761, 0x17785dc741aea4c3),
      (24, 0, 0x929438e5c2159ef9),
      (24, 2654435761, 0x519a9cb1272d7814),
      (31, 0, 0x4a74f3a1a39ad4a1),
      (31, 2654435761, 0xb806f858c84789ea),
      (32, 0, 0x8d57d6a4671cc43d),
      (32, 2654435761, 0x8ef2e38dde10f162),
      (33, 0, 0x62c9fd21ed857664),
      (33, 2654435761, 0x5a653650552f822c),
      (39, 0, 0x1789542489e59cc4),
      (39, 2654435761, 0xe401ae260917b600),
      (47, 0, 0x05e3ab06c6bb0a6b),
      (47, 2654435761, 0x0dc9a5dd1680bec3),
      (63, 0, 0x5c320a0d2707057f),
      (63, 2654435761, 0xcdec73bbccfd2d50),
      (64, 0, 0x7bbabbc45729d17e),
      (64, 2654435761, 0x861fd034d84dab20),
      (65, 0, 0xf3980c34bae65dc1),
      (65, 2654435761, 0x31a55de20688e18d),
      (100, 0, 0xefa0ad2d3e70c151),
      (100, 2654435761, 0x4ac13414471c7284),
      (127, 0, 0x4822f4e67f60ea91),
      (127, 2654435761, 0x0cb9d83df96f11bf),
      (128, 0, 0x725a5b9b3bedfe94),
      (128, 2654435761, 0xecce3e01f99b5f1e),
      (222, 0, 0xae41b80338869771),
      (222, 2654435761, 0xc727dafc97e97e61),
      (255, 0, 0x2c3db4bb567f731e),
      (255, 2654435761, 0x42fd73a6560124f6),
      (256, 0, 0x7c1ff7b1d57c10d5),
      (256, 2654435761, 0xee1509a7ba1559ec),
      (300, 0, 0x8d2ba0cd7fece76c),
      (300, 2654435761, 0x88a87907c214d1bd),
    ] as [(Int, UInt64, UInt64)])
  func matchesReference(length: Int, seed: UInt64, expected: UInt64) {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) }
    #expect(bytes.withBytes { XXHash64.hash($0, seed: seed) } == expected)
  }
}
