// swift-tools-version: 6.2
import PackageDescription

/// A package of its own: libFuzzer and the address sanitizer are for all that it links, and for nothing else.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "kvstore", path: "../..")],
  targets: [
    .target(name: "CFuzzer"),
    .executableTarget(
      name: "fuzz", dependencies: ["CFuzzer", .product(name: "KVCluster", package: "kvstore")],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "fuzz-protocol", dependencies: ["CFuzzer", .product(name: "RESP", package: "kvstore")],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6]
)
