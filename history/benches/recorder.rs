//! How many events a second the recorder takes from many clients at once, each on disk before its call returns, and how
//! fast a history is read back.

use divan::{Bencher, counter::BytesCount, counter::ItemsCount};
use rashomon_history::{Call, Outcome, ProcessId, Recorder, Returned, read_history};
use std::path::Path;

const EVENTS: usize = 200_000;

fn main() {
    divan::main();
}

fn record(path: &Path, clients: usize) {
    let recorder = Recorder::create(path).expect("a new file in a new folder");
    std::thread::scope(|scope| {
        for client in 0..clients {
            let recorder = &recorder;
            scope.spawn(move || {
                let process = ProcessId(client as u64);
                for number in 0..EVENTS / clients / 2 {
                    let call = Call::Write { key: "7".into(), value: (number as i64).into() };
                    recorder.invoke(process, Some("n1"), false, &call).expect("room on the disk");
                    let outcome = Outcome::Ok(Returned::Done);
                    recorder.complete(process, Some("n1"), false, &call, outcome).expect("room on the disk");
                }
            });
        }
    });
}

#[divan::bench(args = [1, 2, 10, 100], sample_count = 10, sample_size = 1)]
fn record_events(bencher: Bencher<'_, '_>, clients: usize) {
    bencher
        .counter(ItemsCount::new(EVENTS))
        .with_inputs(|| tempfile::tempdir().expect("room on the disk"))
        .bench_values(|folder| {
            record(&folder.path().join("history.jsonl"), clients);
            folder
        });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_back(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("room on the disk");
    let path = folder.path().join("history.jsonl");
    record(&path, 10);
    let bytes = std::fs::metadata(&path).expect("it was just written").len();
    bencher.counter(BytesCount::new(bytes)).bench(|| read_history(&path).expect("a sound history").events().len());
}
