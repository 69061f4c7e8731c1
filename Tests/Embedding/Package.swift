// swift-tools-version: 6.2
import PackageDescription

/// A package of its own that uses the engine as others do: by its product, and by nothing that is not public.
let package = Package(
  name: "embedding",
  dependencies: [.package(name: "kvstore", path: "../..")],
  targets: [
    .executableTarget(
      name: "embedding", dependencies: [.product(name: "KVCluster", package: "kvstore")],
      swiftSettings: [.treatAllWarnings(as: .error)])
  ],
  swiftLanguageModes: [.v6]
)
