//! Porcupine's logs and key-value histories.

use crate::{complaint, operations, read, told};

const ETCD: &str = "\
INFO  jepsen.core - run begins
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1   :invoke :cas    [3 0]
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 0\t:ok\t:read\t4
INFO  jepsen.util - 1\t:fail\t:cas\t[3 0]
INFO  jepsen.util - 0\t:invoke\t:write\t2
INFO  jepsen.util - 0\t:info\t:write\t:timed-out
INFO  jepsen.util - 7\t:invoke\t:cas\t[1 2]
INFO  jepsen.util - 7\t:ok\t:cas\t[1 2]
INFO  jepsen.util - 8\t:invoke\t:read\tnil
INFO  jepsen.util - 8\t:fail\t:read\t:timed-out
";

#[test]
fn logs_of_etcd_are_read_and_a_failed_cas_was_an_answer() {
    assert_eq!(
        told(&operations(ETCD)),
        ["read x: 4", "cas x 3 -> 0: not swapped", "write x = 2: info", "cas x 1 -> 2: swapped", "read x: fail"]
    );
    let torn = read(&ETCD[..ETCD.len() - 5]);
    assert_eq!(torn.torn_bytes(), ETCD.lines().last().unwrap().len() - 4);
}

#[test]
fn logs_that_cant_be_are_refused_with_their_line() {
    let cases = [
        (ETCD.replace(":ok\t:read\t4", ":ok\t:read\tfour"), "h:5: the value is \"four\""),
        (ETCD.replace(":invoke\t:write", ":invoke\t:wrote"), "h:7: the call is :wrote"),
        (ETCD.replace("0\t:ok\t:read", "5\t:ok\t:read"), "h:5: process 5 completes an operation that it never invoked"),
        (ETCD.replace("7\t:invoke\t:cas\t[1 2]", "7\t:invoke\t:cas\t1"), "h:9: the value of a cas is 1"),
        (ETCD.replace("0\t:ok", "0\t:okay"), "h:5: :okay :read is no event"),
    ];
    for (text, wanted) in cases {
        assert!(complaint(&text).starts_with(wanted), "{wanted}\n{}", complaint(&text));
    }
}

#[test]
fn key_value_histories_are_read() {
    let text = r#"{:process 9, :type :invoke, :f :append, :key "0", :value "x 9 0 y"}
{:process 2, :type :invoke, :f :put, :key "1", :value "p"}
{:process 1, :type :invoke, :f :get, :key "0", :value nil}
{:process 2, :type :ok, :f :put, :key "1", :value "p"}
{:process 9, :type :ok, :f :append, :key "0", :value "x 9 0 y"}
{:process 1, :type :ok, :f :get, :key "0", :value ""}
"#;
    assert_eq!(told(&operations(text)), ["append \"x 9 0 y\" to 0: ok", "write 1 = \"p\": ok", "read 0: \"\""]);
}
