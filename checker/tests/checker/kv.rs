//! Porcupine's key-value histories: get, put, and append to a text.

use std::collections::HashMap;

use rashomon_checker::Operation;
use rashomon_history::{Call, Key, Returned, Value};

/// Calls and returns by process, put together to operations. What was still open at the end is of unknown outcome.
pub(crate) struct Pairing<C, R> {
    open: HashMap<u64, usize>,
    pub(crate) history: Vec<Operation<C, R>>,
    now: u64,
}

impl<C, R> Pairing<C, R> {
    pub(crate) fn new() -> Self {
        Self { open: HashMap::new(), history: Vec::new(), now: 0 }
    }

    pub(crate) fn invoke(&mut self, process: u64, call: C) {
        self.now += 1;
        self.open.insert(process, self.history.len());
        self.history.push(Operation::unknown(process, call, self.now));
    }

    pub(crate) fn complete(&mut self, process: u64, returned: Option<R>) {
        self.now += 1;
        if let Some(position) = self.open.remove(&process) {
            self.history[position].returned = returned;
            self.history[position].completed = self.now;
        }
    }
}

/// A line of a key-value history: `{:process 9, :type :invoke, :f :append, :key "0", :value "x 9 0 y"}`.
pub(crate) fn read_kv(text: &str) -> Vec<Operation<Call, Returned>> {
    let mut pairing = Pairing::new();
    for line in text.lines() {
        let field = |name: &str| {
            let rest = line.split_once(&format!(":{name} ")).expect("the field").1;
            if let Some(quoted) = rest.strip_prefix('"') {
                quoted.split('"').next().unwrap_or_default()
            } else {
                rest.split([',', '}']).next().unwrap_or_default()
            }
        };
        let process = field("process").parse().expect("a number");
        let (key, value) = (Key::from(field("key")), Value::from(field("value")));
        match (field("type"), field("f")) {
            (":invoke", ":get") => pairing.invoke(process, Call::Read { key }),
            (":invoke", ":put") => pairing.invoke(process, Call::Write { key, value }),
            (":invoke", ":append") => pairing.invoke(process, Call::Append { key, value }),
            (":ok", ":get") => pairing.complete(process, Some(Returned::Value(value))),
            (":ok", _) => pairing.complete(process, Some(Returned::Done)),
            other => panic!("{other:?}"),
        }
    }
    pairing.history
}
