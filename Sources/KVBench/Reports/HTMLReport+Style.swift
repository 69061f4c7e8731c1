extension HTMLReport {
  /// Light, dark and paper. The colours are those of Okabe and Ito, told apart by the colour-blind, lightened for dark.
  static let style = """
    :root { --back: #fff; --text: #1c2330; --dim: #5c6675; --line: #dfe3e8; --mark: #1c2330;
      --c0: #0072b2; --c1: #d55e00; --c2: #00805f; --c3: #b4518c; --c4: #9a7500; --c5: #2f86c9; --c6: #6b5bc4; --c7: #6f7782; }
    @media (prefers-color-scheme: dark) { :root { --back: #12161d; --text: #e4e8ee; --dim: #97a1b0; --line: #2b323d;
      --mark: #e4e8ee; --c0: #5ab4f0; --c1: #ff9a52; --c2: #3fd3a5; --c3: #e792c5; --c4: #e3c04c; --c5: #8ccbf5;
      --c6: #aa9df2; --c7: #a9b1bc; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
    main { max-width: 960px; margin: 0 auto; padding: 28px 24px; }
    h1 { font-size: 1.6em; margin: 0 0 .2em; } h2 { font-size: 1.05em; margin: 1.6em 0 .4em; } p { color: var(--dim); margin: .2em 0 1em; }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 18px 0; }
    .tiles div { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
    .tiles span, .tiles small { display: block; color: var(--dim); font-size: .85em; }
    .tiles b { font-size: 1.5em; font-variant-numeric: tabular-nums; }
    figure { margin: 22px 0 0; } figcaption { font-size: .95em; margin-bottom: 4px; }
    figcaption span { margin-left: 16px; color: var(--dim); white-space: nowrap; }
    i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 5px; vertical-align: -1px; }
    svg { width: 100%; height: auto; display: block; }
    svg text { fill: var(--dim); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
    .grid { stroke: var(--line); } .tick { stroke: var(--dim); }
    polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; } polygon { fill-opacity: .75; }
    line.mark { stroke: var(--mark); stroke-dasharray: 3 3; opacity: .7; } circle.mark { fill: var(--mark); }
    text.mark { fill: var(--back); font-weight: 600; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
    th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--line); } th:first-child { text-align: left; }
    th { font-weight: 600; color: var(--dim); } .marks { margin: 0; padding-left: 1.6em; }
    \((0..<8).map { ".c\($0) { stroke: var(--c\($0)); } .a\($0) { fill: var(--c\($0)); } .k\($0) { background: var(--c\($0)); }" }
      .joined(separator: "\n"))
    @media print { :root { --back: #fff; --text: #000; --dim: #444; --line: #ccc; --mark: #000; --c0: #0072b2;
      --c1: #d55e00; --c2: #00805f; --c3: #b4518c; --c4: #9a7500; --c5: #2f86c9; --c6: #6b5bc4; --c7: #6f7782; }
      * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } figure, section, table, li { break-inside: avoid; }
      h2 { break-after: avoid; } main { padding: 0 !important; } body { font-size: 12px; } figure { margin-top: 12px; }
      svg { width: 85%; } }
    """
}
