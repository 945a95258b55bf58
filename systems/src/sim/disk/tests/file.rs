use std::collections::BTreeSet;

use super::*;
use crate::sim::disk::file::{Change, File, Luck};

/// What a file may hold after a power loss.
fn outcomes(prepare: impl Fn(&mut File)) -> BTreeSet<Vec<u8>> {
    let mut draw = Draw::from_seed(1);
    (0..2000)
        .map(|_| {
            let mut file = File::default();
            prepare(&mut file);
            file.lose(Luck::draw(&mut draw), &mut draw);
            file.read()
        })
        .collect()
}

fn put(file: &mut File, offset: u64, byte: u8, count: usize) {
    file.change(Change::Write { offset, bytes: vec![byte; count] });
}

#[test]
fn what_was_synced_stays_and_the_rest_is_lost_sector_by_sector() {
    let outcomes = outcomes(|file| {
        put(file, 0, 1, 1024);
        file.sync();
        put(file, 0, 2, 1536);
    });
    let sectors: BTreeSet<Vec<u8>> =
        outcomes.iter().map(|bytes| bytes.iter().step_by(512).copied().collect()).collect();
    let expected = [
        [1, 1].to_vec(),
        [1, 2].to_vec(),
        [2, 1].to_vec(),
        [2, 2].to_vec(),
        [1, 1, 2].to_vec(),
        [1, 2, 2].to_vec(),
        [2, 1, 2].to_vec(),
        [2, 2, 2].to_vec(),
    ];
    assert_eq!(sectors, BTreeSet::from(expected));
    let is_whole = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[0]);
    assert!(outcomes.iter().all(|bytes| bytes.chunks(512).all(is_whole)), "a sector is never torn");
}

#[test]
fn the_writes_to_one_sector_reach_the_disk_in_their_order() {
    let outcomes = outcomes(|file| {
        for number in 1..=3 {
            put(file, u64::from(number) - 1, number, 1);
        }
    });
    assert_eq!(outcomes, BTreeSet::from([vec![], vec![1], vec![1, 2], vec![1, 2, 3]]));
}

#[test]
fn a_length_that_was_not_synced_may_be_lost() {
    let outcomes = outcomes(|file| {
        put(file, 0, 1, 4);
        file.sync();
        file.change(Change::Truncate(2));
        file.change(Change::Allocate(6));
    });
    let expected = [vec![1, 1, 1, 1], vec![1, 1], vec![1, 1, 1, 1, 0, 0], vec![1, 1, 0, 0, 0, 0]];
    assert_eq!(outcomes, BTreeSet::from(expected));
}

#[test]
fn after_a_failed_sync_readers_see_the_bytes_the_next_sync_succeeds_and_they_may_be_lost() {
    let outcomes = outcomes(|file| {
        put(file, 0, 1, 512);
        file.forget();
        put(file, 512, 2, 1);
        file.sync();
        assert_eq!(file.read().len(), 513);
    });
    let expected = [vec![0; 512], vec![1; 512]].map(|mut bytes| {
        bytes.push(2);
        bytes
    });
    assert_eq!(outcomes, BTreeSet::from(expected));
}

#[test]
fn bytes_that_are_written_and_synced_again_after_a_failed_sync_stay() {
    let outcomes = outcomes(|file| {
        put(file, 0, 1, 600);
        file.forget();
        put(file, 0, 1, 600);
        file.sync();
    });
    assert_eq!(outcomes, BTreeSet::from([vec![1; 600]]));
}
