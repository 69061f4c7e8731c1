import KVSimulator
import Testing

/// The two formats of recorded histories, and what is said of files that are in neither.
@Suite struct RecordedFormatTests {
  @Test func jepsensRegisterLogIsRead() throws {
    let text = """
      INFO  jepsen.util - 0\t:invoke\t:read\tnil
      INFO  jepsen.util - 1\t:invoke\t:write\t3
      INFO  jepsen.util - 0\t:ok\t:read\tnil
      INFO  jepsen.util - :nemesis\t:info\t:start\tnil
      INFO  jepsen.util - 1\t:info\t:write\t:timed-out
      INFO  jepsen.util - 2   :invoke   :cas   [3 4]
      INFO  jepsen.util - 2   :fail   :cas   [3 4]

      INFO  jepsen.util - 2\t:invoke\t:read\tnil
      INFO  jepsen.util - 2\t:fail\t:read\t:timed-out
      INFO  jepsen.util - 2\t:invoke\t:cas\t[3 5]\r
      """
    let history = try RecordedHistory.parse(bytes(text))
    #expect(history.initialContents == [nil])
    #expect(
      history.operations.map(\.summary) == [
        "get → absent", "put \"3\"", "cas \"3\" to \"4\" → refused", "get", "cas \"3\" to \"5\"",
      ])
    #expect(history.operations.map(\.invokedAt) == [1, 2, 6, 9, 11])
    #expect(history.operations.map(\.returnedAt) == [3, nil, 7, nil, nil])
  }

  @Test func theKeyValueLogIsRead() throws {
    let text = """
      {:process 0, :type :invoke, :f :append, :key "4", :value "x \\"0\\" y"}
      {:process 1, :type :invoke, :f :get, :key "5", :value nil}
      {:type :ok :process 1 :f :get :key "5" :value ""}
      {:process 0, :type :ok, :f :append, :key "4", :value "x \\"0\\" y"}
      {:process 0, :type :invoke, :f :put, :key "4", :value "z"}
      """
    let history = try RecordedHistory.parse(bytes(text))
    #expect(history.initialContents == [[]])
    #expect(history.operations.map(\.summary) == [#"append "x \"0\" y""#, "get → \"\"", "put \"z\""])
    #expect(history.operations.map(\.key) == [bytes("4"), bytes("5"), bytes("4")])
    #expect(history.operations.map(\.returnedAt) == [4, 3, nil])
  }

  @Test func numbersOfAnySizeAreComparedAsNumbers() throws {
    let text = """
      INFO  jepsen.util - 0 :invoke :write 0099999999999999999999999\r
      INFO  jepsen.util - 0 :ok :write 99999999999999999999999\r
      INFO  jepsen.util - 0 :invoke :cas [-00 -7]\r
      INFO  jepsen.util - 0 :fail :cas [0 -7]\r
      """
    let history = try RecordedHistory.parse(bytes(text))
    #expect(history.operations.map(\.summary) == ["put \"99999999999999999999999\"", #"cas "0" to "-7" → refused"#])
  }

  @Test func whatTheTesterDidIsSkippedAndEveryEscapeOfEDNIsRead() throws {
    let text = """
      \u{feff}{:process :nemesis, :type :info, :f :start, :value nil}
      {:process 0, :type :invoke, :f :put, :key "k", :value "\\b\\f\\u00e4\\\\u"}
      {:process 0, :type :info, :f :put, :key "k", :value "\\b\\f\\u00e4\\\\u", :error "lost", :time 12}
      """
    let history = try RecordedHistory.parse(bytes(text))
    #expect(history.operations.map(\.call) == [.put([8, 12] + bytes("ä\\u"))])
    #expect(history.operations[0].outcome == .unknown)
  }

  @Test(arguments: [
    ("", "line 1: the file holds no events"),
    ("INFO  jepsen.util - :nemesis :info :start nil", "line 1: the file holds no events of clients"),
    ("INFO  jepsen.util - 0 :invoke :write -", "line 1: - is not a number"),
    ("{:process 0, :type :invoke, :f :put, :key \"1\", :value \"\\ud800\"}", "line 1: \\ud800 at column"),
    ("{:process 0, :type :invoke, :f :put, :key \"1\", :value \"\\u00", "line 1: \\u00 at column"),
    ("\n  \nhello\n", "line 3: neither"),
    ("INFO  jepsen.util - 0 :invoke :read nil\nINFO  jepsen.util - 0 :invoke :read nil", "line 2: process 0 has been"),
    ("INFO  jepsen.util - 0 :ok :read nil", "line 1: an answer to process 0, which asked for nothing"),
    ("INFO  jepsen.util - 0 :invoke :write four", "line 1: four is not a number"),
    ("INFO  jepsen.util - 0 :invoke :push 4", "line 1: expected :read nil, :write NUMBER or :cas"),
    ("INFO  jepsen.util - 0 :invoke", "line 1: expected PROCESS"),
    ("INFO  jepsen.util - 0 :begin :read nil", "line 1: :begin is none of"),
    ("INFO  jepsen.util - 0 :invoke :read nil\n{:process 1}", "line 2: not a line of Jepsen's log"),
    ("INFO  jepsen.util - 0 :invoke :write 4\nINFO  jepsen.util - 0 :ok :write 5", "line 2: this is no answer"),
    ("INFO  jepsen.util - 0 :invoke :write 4\nINFO  jepsen.util - 0 :ok :read 4", "line 2: process 0 asked for :write"),
    ("{:process 0, :type :invoke, :f :get, :key \"1\", :value nil", "line 1: the closing brace is missing"),
    ("{:process 0, :type :invoke, :f :get, :key \"1", "line 1: the closing quotation mark is missing"),
    ("{:process x, :type :invoke, :f :get, :key \"1\"}", "line 1: :process is missing or no number"),
    ("{:process 0, :type :invoke, :f :swap, :key \"1\"}", "line 1: :swap is none of"),
    ("{:process 0, :process 0}", "line 1: :process occurs twice"),
    (
      "{:process 0, :type :invoke, :f :get, :key \"1\"}\n{:process 0, :type :ok, :f :get, :key \"2\", :value \"\"}",
      "line 2: process 0 asked for another key in line 1"
    ),
  ])
  func anErrorNamesTheLineAndTheFault(text: String, message: String) {
    do {
      let history = try RecordedHistory.parse(bytes(text))
      Issue.record("was read as \(history.operations)")
    } catch {
      #expect(error.description.hasPrefix(message), "\(error)")
    }
  }
}
