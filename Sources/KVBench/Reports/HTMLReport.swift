package struct HTMLReport { package init(_ r: BenchmarkResult) {}; package var page: String { "" } }
