//! What the log costs on a simulated disk. `cargo bench -p rashomon-systems --bench disk`

use bytes::Bytes;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use rashomon_systems::server::{Write, WriteId};
use rashomon_systems::sim::disk::{SEGMENT_BYTES, SimDisk};
use rashomon_systems::wal::WalOptions;

fn main() {
    divan::main();
}

const OPTIONS: WalOptions = WalOptions { segment_bytes: SEGMENT_BYTES, bug: None };

/// One record, durable.
#[divan::bench(args = [30, 300, 3000])]
fn append(bencher: Bencher<'_, '_>, record_bytes: usize) {
    let record = Bytes::from(vec![7; record_bytes]);
    let disk = SimDisk::new();
    let (mut wal, _) = disk.open(OPTIONS).expect("the disk is empty");
    let mut id = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        id += 1;
        // As often as a server would, so that the disk does not fill.
        let write = if id % 1000 == 0 {
            Write::Checkpoint { snapshot: record.clone(), tail: Vec::new() }
        } else {
            Write::Append(vec![record.clone()])
        };
        let in_flight = wal.begin(vec![(WriteId(id), write)]).expect("nothing is wrong with the disk");
        wal.finish();
        in_flight
    });
}

/// A snapshot, durable, and the generation before it removed.
#[divan::bench(args = [1_000, 100_000])]
fn checkpoint(bencher: Bencher<'_, '_>, snapshot_bytes: usize) {
    let snapshot = Bytes::from(vec![7; snapshot_bytes]);
    let disk = SimDisk::new();
    let (mut wal, _) = disk.open(OPTIONS).expect("the disk is empty");
    let mut id = 0;
    bencher.counter(BytesCount::new(snapshot_bytes)).bench_local(|| {
        id += 1;
        let write = Write::Checkpoint { snapshot: snapshot.clone(), tail: Vec::new() };
        wal.begin(vec![(WriteId(id), write)]).expect("nothing is wrong with the disk");
        wal.finish();
    });
}

/// A new life that finds a thousand records.
#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let record = Bytes::from(vec![7; 100]);
    let disk = SimDisk::new();
    let (mut wal, _) = disk.open(OPTIONS).expect("the disk is empty");
    for id in 1..=1000 {
        wal.begin(vec![(WriteId(id), Write::Append(vec![record.clone()]))]).expect("nothing is wrong with the disk");
        wal.finish();
    }
    bencher.bench_local(|| disk.open(OPTIONS).expect("nothing is wrong with the disk").1.records.len());
}
