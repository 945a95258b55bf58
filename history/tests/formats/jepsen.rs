//! Jepsen's EDN and JSON.

use std::path::Path;

use rashomon_history::{Call, Format, IndependentKeys, Outcome, ProcessId, ReadOptions, Returned, TimeNs, Value};

use crate::{complaint, complaint_with, operations, read, returned, told};

const REGISTER: &str = "\
{:index 0, :time 10, :type :invoke, :process 0, :f :write, :value 1}
{:index 1, :time 20, :type :invoke, :process 1, :f :read, :value nil}
{:index 2, :time 30, :type :ok, :process 0, :f :write, :value 1}
{:index 3, :time 40, :type :ok, :process 1, :f :read, :value 1}
{:index 4, :time 50, :type :invoke, :process 0, :f :cas, :value [1 2]}
{:index 5, :time 60, :type :info, :process 0, :f :cas, :value [1 2], :error :timeout}
{:index 6, :time 70, :type :invoke, :process 5, :f :cas, :value [2 3]}
{:index 7, :time 80, :type :fail, :process 5, :f :cas, :value nil}
";

const REGISTER_TOLD: [&str; 4] = ["write x = 1: ok", "read x: 1", "cas x 1 -> 2: info", "cas x 2 -> 3: fail"];

#[test]
fn operations_stand_a_line() {
    let operations = operations(REGISTER);
    assert_eq!(told(&operations), REGISTER_TOLD);
    assert_eq!(operations[2].outcome, Outcome::Info("timeout".into()));
    assert_eq!((operations[0].invoked, operations[0].completed), (TimeNs(10), Some(TimeNs(30))));
    assert_eq!((operations[1].invoke_index, operations[1].complete_index), (1, Some(3)));
    assert_eq!(operations[3].process, ProcessId(5));
}

#[test]
fn operations_stand_in_a_vector_a_list_or_as_records() {
    let lines = |wrap: fn(&str) -> String| REGISTER.lines().map(wrap).collect::<String>();
    let records = lines(|op| format!("#jepsen.history.Op{op}\n"));
    let spaced = lines(|op| format!("  {}\n;; next\n", op.replace(", ", "\n   ")));
    for text in [
        format!("[{REGISTER}]\n"),
        format!("({REGISTER})"),
        format!("; a comment, with {{ and \"\n[{spaced}]"),
        records.clone(),
        format!("[{records}]"),
        records.replace("Op{", "Op {"),
        REGISTER.replace("{:index", "#_ {:not \"this\"} {:index"),
        REGISTER.replace('\n', "\r\n"),
        format!("\u{feff}{REGISTER}"),
        REGISTER.trim_end().into(),
    ] {
        assert_eq!(told(&operations(&text)), REGISTER_TOLD, "{text}");
    }
}

#[test]
fn what_is_not_told_is_made_up_from_the_order() {
    let bare = "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read :value 3}\n";
    let operations = operations(bare);
    assert_eq!(told(&operations), ["read x: 3"]);
    assert_eq!((operations[0].invoked, operations[0].completed), (TimeNs(0), Some(TimeNs(1))));
    assert_eq!((operations[0].invoke_index, operations[0].complete_index), (0, Some(1)));
}

#[test]
fn time_that_goes_back_a_little_stands_still() {
    let operations = operations(&REGISTER.replace(":time 30", ":time 15"));
    assert_eq!(operations[0].completed, Some(TimeNs(20)));
}

#[test]
fn values_are_numbers_texts_and_keywords() {
    for (edn, value) in [
        ("-7", Value::Int(-7)),
        ("+7", Value::Int(7)),
        ("7N", Value::Int(7)),
        ("9223372036854775807", Value::Int(i64::MAX)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("92233720368547758080", "92233720368547758080".into()),
        ("1.5", "1.5".into()),
        ("1/3", "1/3".into()),
        ("##Inf", "Inf".into()),
        (":a/b", "a/b".into()),
        ("sym", "sym".into()),
        ("-sym", "-sym".into()),
        ("true", "true".into()),
        (r#""a \"b\"\n\u00e9""#, "a \"b\"\né".into()),
        (r"\a", "a".into()),
        (r"\newline", "newline".into()),
        ("#inst \"2024-01-01\"", "2024-01-01".into()),
        ("^{:line 3} 5", Value::Int(5)),
        ("nil", Value::Nil),
    ] {
        let read = operations(&format!("{{:process 0 :type :invoke :f :write :value {edn}}}\n"));
        assert_eq!(read[0].call, Call::Write { key: "x".into(), value }, "{edn}");
    }
}

#[test]
fn independent_keys_are_found_by_how_all_values_look() {
    let keyed = "\
{:type :invoke, :process 0, :f :read, :value [7 nil]}
{:type :ok, :process 0, :f :read, :value [7 4]}
{:type :invoke, :process 0, :f :cas, :value [7 [4 5]]}
{:type :ok, :process 0, :f :cas, :value [7 [4 5]]}
{:type :invoke, :process 1, :f :write, :value [8 1]}
{:type :info, :process 1, :f :write, :value nil}
";
    let wanted = ["read 7: 4", "cas 7 4 -> 5: swapped", "write 8 = 1: info"];
    assert_eq!(told(&operations(keyed)), wanted);
    let tagged = keyed.replace("[7 nil]", "#jepsen.independent.Tuple{:key 7, :value nil}");
    assert_eq!(told(&operations(&tagged)), wanted);
    let tuple = keyed.replace("[7 ", "#jepsen.independent/tuple [7 ");
    assert_eq!(told(&operations(&tuple)), wanted);
    let json = r#"
{"type":"invoke","process":0,"f":"read","value":["k",null]}
{"type":"ok","process":0,"f":"read","value":["k",4]}
{"type":"invoke","process":0,"f":"cas","value":["k",[4,5]]}
{"type":"ok","process":0,"f":"cas","value":["k",[4,5]]}
"#;
    assert_eq!(told(&operations(json)), ["read k: 4", "cas k 4 -> 5: swapped"]);
}

#[test]
fn pairs_that_are_no_keys_are_left_alone() {
    let cas = "{:type :invoke, :process 0, :f :cas, :value [1 2]}\n{:type :ok, :process 0, :f :cas, :value [1 2]}\n";
    assert_eq!(told(&operations(cas)), ["cas x 1 -> 2: swapped"]);
    let set = "{:type :invoke :process 0 :f :read :value nil}\n{:type :ok :process 0 :f :read :value [1 2]}\n";
    assert_eq!(*returned(&operations(set)[0]), Returned::List(vec![1.into(), 2.into()]));
    let txn = "{:type :invoke :process 0 :f :txn :value [[:r 1 nil] [:r 2 nil]]}\n";
    assert_eq!(told(&operations(txn)), ["txn read 1, read 2: info"]);
}

#[test]
fn keys_can_be_forced_and_forbidden() {
    let appends = "{:type :invoke, :process 0, :f :append, :value [7 1]}\n";
    assert_eq!(told(&operations(appends)), ["append 1 to 7: info"]);
    let never = ReadOptions { keys: IndependentKeys::Never, format: None };
    let refused = complaint_with(never, appends);
    assert!(refused.starts_with("h:1: the value of a append is [7 1]"), "{refused}");
    let always = ReadOptions { keys: IndependentKeys::Always, format: None };
    let refused = complaint_with(always, REGISTER);
    assert!(refused.starts_with("h:1: the value is 1, but this history has independent keys"), "{refused}");
    let tagged = "{:type :invoke, :process 0, :f :append, :value #jepsen.independent/tuple [7 1]}\n";
    let told_so = never.read_from(Path::new("h"), tagged.as_bytes()).unwrap();
    assert_eq!(told(told_so.operations()), ["append 1 to 7: info"], "a tag is never mistaken");
    let cas = "{:type :invoke, :process 0, :f :cas, :value [1 [2 3]]}\n";
    let forced = always.read_from(Path::new("h"), cas.as_bytes()).unwrap();
    assert_eq!(told(forced.operations()), ["cas 1 2 -> 3: info"]);
}

#[test]
fn transactions_have_their_reads_filled_in() {
    let txns = "\
{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append :k 2] [:w \"z\" nil]]}
{:type :ok, :process 0, :f :txn, :value [[:r 1 [3 4]] [:append :k 2] [:w \"z\" nil]]}
{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil]]}
{:type :ok, :process 0, :f :txn, :value [[:r 1]]}
{:type :invoke, :process 0, :value [[:r 1 nil]]}
{:type :ok, :process 0, :value [[:r 1 5]]}
";
    assert_eq!(
        told(&operations(txns)),
        [
            "txn read 1, append 2 to k, write z = nil: read 1: [3, 4], append 2 to k, write z = nil",
            "txn read 1: read 1: nil",
            "txn read 1: read 1: 5"
        ]
    );
    let changed = txns.replace("[3 4]] [:append :k 2]", "[3 4]] [:append :k 9]");
    assert!(complaint(&changed).starts_with("h:2: process 0 completes"), "{}", complaint(&changed));
    let moved = txns.replace("[[:r 1 5]]", "[[:r 2 5]]");
    assert!(complaint(&moved).starts_with("h:6: process 0 completes"), "{}", complaint(&moved));
}

#[test]
fn every_call_of_jepsens_workloads_is_known() {
    let cases = [
        (":add", "3", "3", "add 3 to x: ok"),
        (":enqueue", "3", "3", "enqueue 3 in x: ok"),
        (":dequeue", "nil", "3", "dequeue from x: 3"),
        (":drain", "nil", "[1 2]", "drain x: [1, 2]"),
        (":drain", "nil", "nil", "drain x: []"),
        (":read", "nil", "#{3 1 2}", "read x: [1, 2, 3]"),
        (":read", "nil", "(3 1)", "read x: [3, 1]"),
        (":acquire", "nil", "nil", "acquire x for 0: ok"),
        (":acquire", "nil", "{:client \"c\" :fence 4}", "acquire x for 0: token 4"),
        (":release", "nil", "nil", "release x of 0: ok"),
        (":generate", "nil", "17", "generate x: 17"),
        (":increment", "2", "2", "increment x by 2: ok"),
        (":decrement", "2", "2", "increment x by -2: ok"),
        (":contains", "2", "true", "is 2 in x: yes"),
        (":delete", "nil", "nil", "delete x: ok"),
        (":send", "[[:send 5 1]]", "[[:send 5 [0 1]]]", "send 1 to 5: offset 0"),
        (":poll", "[[:poll]]", "[[:poll {5 [[0 1] [2 3]]}]]", "poll: [5@0: 1, 5@2: 3]"),
        (":assign", "[1 2]", "[1 2]", "assign 1, 2: ok"),
        (":subscribe", "[1 2]", "[1 2]", "assign 1, 2: ok"),
    ];
    for (f, asked, answered, wanted) in cases {
        let text = format!(
            "{{:process 0 :type :invoke :f {f} :value {asked}}}\n{{:process 0 :type :ok :f {f} :value {answered}}}\n"
        );
        assert_eq!(told(&operations(&text)), [wanted], "{text}");
    }
}

#[test]
fn a_bank_is_read_without_a_key() {
    let bank = "\
{:process 0 :type :invoke :f :read :value nil}
{:process 1 :type :invoke :f :transfer :value {:from 0, :to 1, :amount 5}}
{:process 1 :type :ok :f :transfer :value {:from 0, :to 1, :amount 5}}
{:process 0 :type :ok :f :read :value {1 15, 0 5}}
";
    assert_eq!(told(&operations(bank)), ["read everything: {0: 5, 1: 15}", "transfer 5 from 0 to 1: ok"]);
}

#[test]
fn completions_without_effect_may_carry_anything() {
    for value in ["nil", "[7 nil]", ":timed-out", "{:a 1}", "\"x\""] {
        for kind in [":fail", ":info"] {
            let text = format!(
                "{{:process 0 :type :invoke :f :write :value 3}}\n{{:process 0 :type {kind} :f :write :value {value}}}\n"
            );
            assert_eq!(operations(&text)[0].call, Call::Write { key: "x".into(), value: 3.into() });
        }
    }
}

#[test]
fn json_is_read_in_jepsens_manner() {
    let json = r#"[
{"index":0,"time":5,"type":":invoke","process":0,"f":":write","value":1},
{"index":1,"time":6,"type":":info","process":":nemesis","f":":start","value":["n1",{"a":[]}]},
{"index":2,"time":7,"type":":ok","process":0,"f":":write","value":1,"extra":{"x":[1.5]}},
{"index":3,"time":8,"type":":invoke","process":0,"f":":read","value":null},
{"index":4,"time":9,"type":":info","process":0,"f":":read","value":null,"error":["timed out",7]}
]"#;
    let lines = json.trim_matches(['[', ']', '\n']).replace("},\n", "}\n");
    for text in [json, &lines] {
        let operations = operations(text);
        assert_eq!(told(&operations), ["write x = 1: ok", "read x: info"]);
        assert_eq!(operations[1].outcome, Outcome::Info("[\"timed out\" 7]".into()));
    }
}

#[test]
fn what_cant_be_is_refused_with_its_line() {
    let cases = [
        (REGISTER.replace(":process 1, :f :read, :value nil", ":process 0, :f :read"), "h:2: process 0 has two open"),
        (REGISTER.replace(":process 5", ":process 0"), "h:7: process 0 goes on although its operation of line 6"),
        (
            REGISTER.replacen(":ok, :process 0", ":ok, :process 9", 1),
            "h:3: process 9 completes an operation that it never",
        ),
        (REGISTER.replacen(":fail, :process 5", ":fail, :process 9", 1), "h:8: process 9 completes"),
        (REGISTER.replacen(":info, :process 0", ":info, :process 9", 1), "h:6: process 9 completes"),
        (
            REGISTER.replacen(
                "{:index 2, :time 30, :type :ok, :process 0, :f :write, :value 1}",
                "{:process 0 :type :ok :f :write :value 9}",
                1,
            ),
            "h:3: process 0 completes `write x = 9`, but on line 1",
        ),
        (
            REGISTER.replacen(":ok, :process 0, :f :write", ":ok, :process 0, :f :read", 1),
            "h:3: process 0 completes :read",
        ),
        (REGISTER.replacen(":type :ok", ":type :okay", 1), "h:3: the type is :okay"),
        (REGISTER.replacen(":f :cas", ":f :zap", 1), "h:5: the call :f is zap; known are"),
        (REGISTER.replacen(":process 1", ":process :who", 1), "h:2: the process is :who"),
        (REGISTER.replacen(":process 1", ":process -1", 1), "h:2: the process is -1"),
        (REGISTER.replacen("[1 2]", "[1 2 3]", 1), "h:5: the value of a cas is [1 2 3]"),
        (REGISTER.replacen(":value nil}", ":value nil]", 1), "h:2: a ']' that closes nothing"),
        (REGISTER.replacen(":value nil}", ":value}", 1), "h:2: a map whose last key has no value"),
        (REGISTER.replacen(":value nil}", ":value \"}", 1), "h:"),
        (REGISTER.replacen("{:index 3", "hello {:index 3", 1), "h:4: no event"),
        (format!("[{REGISTER}"), "h:9: the vector that holds the history is never closed"),
        (format!("[{REGISTER}] {{}}"), "h:9: the history was over with the bracket before this"),
        ("[]".into(), "h: the history is empty"),
        (format!("{{:value {}", "[".repeat(100_000)), "h:1: more than 64 levels"),
        ("{:process 0 :type".into(), "h:1: the brackets or quotes of this event are never closed"),
    ];
    for (text, wanted) in cases {
        let complaint = complaint(&text);
        assert!(complaint.starts_with(wanted), "{wanted}\n{complaint}\n{text:.300}");
    }
}

#[test]
fn lines_are_counted_also_inside_of_operations() {
    let spread = REGISTER.replacen(", ", ",\n", 3).replacen(":type :fail", ":type :failed", 1);
    assert!(complaint(&spread).starts_with("h:11: the type is :failed"), "{}", complaint(&spread));
}

#[test]
fn positions_that_repeat_do_not_reorder_events() {
    let repeated = operations(&REGISTER.replace(":index 2", ":index 0").replace(":index 3", ":index 0"));
    assert_eq!((repeated[0].invoke_index, repeated[0].complete_index), (0, Some(2)));
    assert_eq!((repeated[1].invoke_index, repeated[1].complete_index), (1, Some(3)));
}

#[test]
fn a_torn_last_line_is_left_out_and_told() {
    let whole = REGISTER.lines().take(7).map(|line| format!("{line}\n")).collect::<String>();
    let last = REGISTER.lines().nth(7).unwrap();
    for end in 1..last.len() {
        let history = read(&format!("{whole}{}", &last[..end]));
        assert_eq!(history.events().len(), 7, "cut at {end}");
        assert_eq!(history.torn_bytes(), end);
    }
    assert_eq!(read(&format!("{whole}{last}")).events().len(), 8);
    let unbalanced = REGISTER.replacen(":value nil}", ":value nil", 1);
    assert!(complaint(&unbalanced).starts_with("h:2: "), "{}", complaint(&unbalanced));
}

#[test]
fn a_history_longer_than_a_block_is_read_the_same() {
    let filler = "x".repeat(1000);
    let mut text = String::new();
    for number in 0..3000 {
        text += &format!("{{:process 0, :type :invoke, :f :write, :value \"{filler}{number}\"}}\n");
        text += &format!("{{:process 0, :type :ok, :f :write, :value \"{filler}{number}\"}}\n");
    }
    assert_eq!(operations(&text).len(), 3000);
    let broken = format!("{text}{{:process 0 :type :never}}\n");
    assert!(complaint(&broken).starts_with("h:6001: the type is :never"));
    let long = format!("{{:process 0 :type :invoke :f :write :value \"{}\"}}\n", "y".repeat(3 << 20));
    assert_eq!(operations(&format!("{long}{{:process 1 :type :invoke :f :read}}\n")).len(), 2);
}

#[test]
fn the_format_can_be_named() {
    let options = ReadOptions { format: Some(Format::Edn), ..ReadOptions::default() };
    assert_eq!(told(options.read_from(Path::new("h"), REGISTER.as_bytes()).unwrap().operations()), REGISTER_TOLD);
    let options = ReadOptions { format: Some(Format::Jsonl), ..ReadOptions::default() };
    assert!(complaint_with(options, REGISTER).starts_with("h:1: not JSON"));
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("csv".parse::<Format>().unwrap_err().contains("jsonl, edn"));
}
