/// One meaning a theme gives a colour to. The raw value is the key's name in a theme file.
package enum ThemeKey: String, CaseIterable, Sendable {
  case background = "main_bg"
  case text
  case dim
  case title
  case accent
  case border
  case borderFocus = "border_focus"
  case selectionText = "selection_fg"
  case selectionBackground = "selection_bg"
  case brandText = "brand_fg"
  case brandBackground = "brand_bg"

  case ok
  case warn
  case bad
  case info

  case prompt
  case ghost
  case keyName = "key_name"

  case meterStart = "meter_start"
  case meterMid = "meter_mid"
  case meterEnd = "meter_end"
  case meterEmpty = "meter_bg"
  case graphReadStart = "graph_read_start"
  case graphReadMid = "graph_read_mid"
  case graphReadEnd = "graph_read_end"
  case graphWriteStart = "graph_write_start"
  case graphWriteMid = "graph_write_mid"
  case graphWriteEnd = "graph_write_end"
  case graphMark = "graph_mark"

  case ringMoving = "ring_moving"
  case ringDead = "ring_dead"
  case ringKey = "ring_key"

  case node1 = "node_1"
  case node2 = "node_2"
  case node3 = "node_3"
  case node4 = "node_4"
  case node5 = "node_5"
  case node6 = "node_6"
  case node7 = "node_7"
  case node8 = "node_8"
  case node9 = "node_9"
  case node10 = "node_10"
  case node11 = "node_11"
  case node12 = "node_12"

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
