/// One meaning a theme gives a colour to. The raw value is its place in a theme's colours: they are looked up for every cell that
/// is drawn.
package enum ThemeKey: Int, CaseIterable, Sendable {
  case background, text, dim, title, accent, border, borderFocus, selectionText, selectionBackground, brandText,
    brandBackground
  case ok, warn, bad, info
  case prompt, ghost, keyName
  case meterStart, meterMid, meterEnd, meterEmpty, graphReadStart, graphReadMid, graphReadEnd, graphWriteStart,
    graphWriteMid, graphWriteEnd, graphMark
  case ringMoving, ringDead, ringKey
  case node1, node2, node3, node4, node5, node6, node7, node8, node9, node10, node11, node12

  /// The key's name in a theme file.
  package var name: String { Self.names[rawValue] }

  private static let names = [
    "main_bg", "text", "dim", "title", "accent", "border", "border_focus", "selection_fg", "selection_bg",
    "brand_fg", "brand_bg", "ok", "warn", "bad", "info", "prompt", "ghost", "key_name", "meter_start", "meter_mid",
    "meter_end", "meter_bg", "graph_read_start", "graph_read_mid", "graph_read_end", "graph_write_start",
    "graph_write_mid", "graph_write_end", "graph_mark", "ring_moving", "ring_dead", "ring_key", "node_1", "node_2",
    "node_3", "node_4", "node_5", "node_6", "node_7", "node_8", "node_9", "node_10", "node_11", "node_12",
  ]

  /// The colours of nodes, which nodes with higher numbers use again.
  package static let nodes: [ThemeKey] = [
    .node1, .node2, .node3, .node4, .node5, .node6, .node7, .node8, .node9, .node10, .node11, .node12,
  ]

  /// The key of btop's that means the same, so that btop's own themes load as they are.
  package var btopName: String? {
    switch self {
    case .text, .ringKey: "main_fg"
    case .dim, .ghost, .ringDead: "inactive_fg"
    case .accent, .borderFocus, .keyName, .prompt, .info, .graphMark, .brandBackground: "hi_fg"
    case .border: "div_line"
    case .selectionText: "selected_fg"
    case .selectionBackground: "selected_bg"
    case .ok: "temp_start"
    case .warn, .ringMoving: "temp_mid"
    case .bad: "temp_end"
    case .meterStart: "used_start"
    case .meterMid: "used_mid"
    case .meterEnd: "used_end"
    case .graphReadStart: "download_start"
    case .graphReadMid: "download_mid"
    case .graphReadEnd: "download_end"
    case .graphWriteStart: "upload_start"
    case .graphWriteMid: "upload_mid"
    case .graphWriteEnd: "upload_end"
    case .background, .title, .meterEmpty, .brandText: nil
    case .node1, .node2, .node3, .node4, .node5, .node6, .node7, .node8, .node9, .node10, .node11, .node12: nil
    }
  }
}
