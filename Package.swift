// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Part of the program; `Theme.builtIn` names them again, because what is embedded is known by name only.
let themes = ["midnight", "daylight", "nord", "gruvbox", "contrast", "colorblind", "mono", "terminal"]

let package = Package(
  name: "kvstore",
  products: [
    .executable(name: "kvstore", targets: ["kvstore"]),
    .library(name: "KVCluster", targets: ["KVCluster"]),
    // For the fuzzer, which is a package of its own.
    .library(name: "RESP", targets: ["RESP"]),
  ],
  dependencies: [
    // Options, help, usage errors and shell completions of the executable.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    // The heap of what is due when, in the engine and the simulator.
    .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
    // The server's sockets and event loops: what is outside of this project's purpose, well kept, and as fast here as a loop
    // of our own (measured).
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    // Latency percentiles of the benchmark: the field's standard structure, exact to three digits.
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .target(name: "CKernels"),
    .target(name: "Text", swiftSettings: strict),
    .target(name: "ClusterModel", dependencies: ["Text"], swiftSettings: strict),
    .target(
      name: "KVCluster",
      dependencies: [.product(name: "HeapModule", package: "swift-collections"), "CKernels", "ClusterModel", "Text"],
      swiftSettings: strict),
    .target(name: "RESP", swiftSettings: strict),
    .target(
      name: "Server",
      dependencies: [
        "ClusterModel", "KVCluster", "RESP", "Text", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "RedisCluster",
      dependencies: [
        "ClusterModel", "RESP", "Text", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(name: "KVSimulator", dependencies: ["KVCluster", "Text"], swiftSettings: strict),
    .target(name: "LiveVerdict", dependencies: ["ClusterModel", "KVCluster", "KVSimulator"], swiftSettings: strict),
    .target(
      name: "KVBench",
      dependencies: ["KVCluster", "CKernels", "Text", .product(name: "Histogram", package: "hdrhistogram-swift")],
      swiftSettings: strict),
    .target(name: "Commands", dependencies: ["ClusterModel", "KVCluster", "KVBench", "Text"], swiftSettings: strict),
    .target(
      name: "Demo", dependencies: ["KVCluster", "KVBench", "LiveVerdict", "Commands", "Text"], swiftSettings: strict),
    .target(
      name: "Dashboard", dependencies: ["ClusterModel", "Text"],
      resources: themes.map { .embedInCode("../../Themes/\($0).theme") },
      swiftSettings: strict),
    .target(
      name: "CTerminal",
      linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
    .target(
      name: "Faces",
      dependencies: [
        "ClusterModel", "KVCluster", "KVBench", "KVSimulator", "LiveVerdict", "Commands", "Demo", "Dashboard",
        "CTerminal", "RESP", "RedisCluster", "Server", "Text",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "kvstore",
      dependencies: [
        "KVCluster", "KVBench", "KVSimulator", "Commands", "Demo", "Dashboard", "Faces", "RedisCluster", "Server",
        "Text",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(name: "KVClusterTests", dependencies: ["KVCluster", "KVSimulator"], swiftSettings: strict),
    .testTarget(name: "KVSimulatorTests", dependencies: ["KVSimulator", "KVCluster"], swiftSettings: strict),
    .testTarget(
      name: "LiveVerdictTests", dependencies: ["ClusterModel", "LiveVerdict", "KVSimulator", "KVCluster"],
      swiftSettings: strict),
    .testTarget(name: "RESPTests", dependencies: ["RESP"], swiftSettings: strict),
    .testTarget(
      name: "ServerTests",
      dependencies: ["Server", "RESP", "KVCluster", .product(name: "NIOCore", package: "swift-nio")],
      swiftSettings: strict),
    .testTarget(
      name: "RedisClusterTests", dependencies: ["RedisCluster", "RESP", "ClusterModel", "Text"], swiftSettings: strict),
    .testTarget(name: "KVBenchTests", dependencies: ["KVBench", "Text"], swiftSettings: strict),
    .testTarget(name: "TextTests", dependencies: ["Text", "Commands"], swiftSettings: strict),
    .testTarget(name: "CommandsTests", dependencies: ["Commands", "KVCluster", "Text"], swiftSettings: strict),
    .testTarget(name: "DemoTests", dependencies: ["Demo", "KVCluster"], swiftSettings: strict),
    .testTarget(
      name: "kvstoreTests",
      dependencies: [
        "kvstore", "Commands", "Dashboard", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    // A backend whose answers a test writes, and one over a dictionary.
    .target(name: "TestBackends", dependencies: ["ClusterModel"], path: "Tests/TestBackends", swiftSettings: strict),
    .testTarget(
      name: "FacesTests",
      dependencies: [
        "ClusterModel", "Faces", "Dashboard", "Commands", "Demo", "KVBench", "KVCluster", "KVSimulator", "Server",
        "TestBackends", "Text",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BackendTests", dependencies: ["ClusterModel", "Dashboard", "Commands", "KVBench", "TestBackends", "Text"],
      swiftSettings: strict),
    .testTarget(
      name: "DashboardTests", dependencies: ["Dashboard", "Commands", "ClusterModel", "TestBackends", "Text"],
      exclude: ["Goldens"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
