import KVCluster

/// Opens the full-screen dashboard and returns the program's exit status when it is left.
///
/// The seam to `Screen/`: until the dashboard is wired in here, a terminal gets line mode.
func runDashboard(_ options: ClusterOptions) async -> Int32 {
  await LineMode.run(options)
}
