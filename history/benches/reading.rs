//! How fast histories are read: MB/s of text in memory, generated from a seed. `cargo bench -p rashomon-history --bench reading`

use std::fmt::Write as _;
use std::path::Path;

use divan::{Bencher, counter::BytesCount};
use rashomon_history::parse_history;

const OPERATIONS: u64 = 100_000;

/// Operations that are open at a time; each is completed when the next of its process begins.
const CLIENTS: u64 = 20;

fn main() {
    divan::main();
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What one client asked and what it will be answered, as JSON and as EDN.
struct Asked {
    f: &'static str,
    key: u64,
    asked: String,
    answered: String,
}

/// `write` puts down one event: position, process, type, operation.
fn generate(mut ask: impl FnMut(&mut Dice) -> Asked, write: fn(&mut String, u64, u64, &str, &Asked)) -> String {
    let mut dice = Dice(7);
    let mut open: Vec<Option<Asked>> = (0..CLIENTS).map(|_| None).collect();
    let mut text = String::new();
    let mut index = 0;
    for _ in 0..OPERATIONS {
        let process = dice.below(CLIENTS);
        let slot = &mut open[process as usize];
        if let Some(done) = slot.take() {
            write(&mut text, index, process, "ok", &done);
            index += 1;
        }
        let asked = slot.insert(ask(&mut dice));
        write(&mut text, index, process, "invoke", asked);
        index += 1;
    }
    text
}

fn register(dice: &mut Dice) -> Asked {
    let key = dice.below(10);
    let value = dice.below(1_000_000).to_string();
    if dice.below(2) == 0 {
        Asked { f: "read", key, asked: "null".into(), answered: value }
    } else {
        Asked { f: "write", key, asked: value.clone(), answered: value }
    }
}

/// One to four steps over ten keys at a time, lists of up to sixteen elements.
fn transaction(edn: bool) -> impl FnMut(&mut Dice) -> Asked {
    let mut number = 0;
    let (read, append, nil, comma) =
        if edn { ("[:r", "[:append", "nil", " ") } else { ("[\"r\"", "[\"append\"", "null", ",") };
    move |dice| {
        number += 1;
        let mut steps = (Vec::new(), Vec::new());
        for step in 0..=dice.below(4) {
            let key = number / 100 * 10 + dice.below(10);
            if dice.below(2) == 0 {
                let list: Vec<String> = (0..dice.below(17)).map(|place| (number / 10 + place).to_string()).collect();
                steps.0.push(format!("{read}{comma}{key}{comma}{nil}]"));
                steps.1.push(format!("{read}{comma}{key}{comma}[{}]]", list.join(comma)));
            } else {
                let append = format!("{append}{comma}{key}{comma}{}]", 4 * number + step);
                steps.0.push(append.clone());
                steps.1.push(append);
            }
        }
        let [asked, answered] = [steps.0, steps.1].map(|steps| format!("[{}]", steps.join(comma)));
        Asked { f: "txn", key: 0, asked, answered }
    }
}

fn json(text: &mut String, index: u64, process: u64, kind: &str, told: &Asked) {
    let value = if kind == "ok" { &told.answered } else { &told.asked };
    let key = if told.f == "txn" { String::new() } else { format!("\"key\":\"k{}\",", told.key) };
    let time = index * 1013;
    writeln!(
        text,
        "{{\"index\":{index},\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{}\",{key}\"value\":{value},\
         \"node\":\"n{}\"}}",
        told.f,
        process % 5
    )
    .expect("memory");
}

fn edn(text: &mut String, index: u64, process: u64, kind: &str, told: &Asked) {
    let value = if kind == "ok" { &told.answered } else { &told.asked };
    let value = if value == "null" { "nil" } else { value };
    let value = if told.f == "txn" { value.into() } else { format!("[{} {value}]", told.key) };
    let time = index * 1013;
    writeln!(
        text,
        "{{:index {index}, :time {time}, :type :{kind}, :process {process}, :f :{}, :value {value}}}",
        told.f
    )
    .expect("memory");
}

fn read(bencher: Bencher<'_, '_>, text: &str) {
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| parse_history(Path::new("h"), text.as_bytes()).expect("a sound history"));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn jsonl_registers(bencher: Bencher<'_, '_>) {
    read(bencher, &generate(register, json));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn jsonl_transactions(bencher: Bencher<'_, '_>) {
    read(bencher, &generate(transaction(false), json));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn edn_registers(bencher: Bencher<'_, '_>) {
    read(bencher, &generate(register, edn));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn edn_transactions(bencher: Bencher<'_, '_>) {
    read(bencher, &generate(transaction(true), edn));
}
