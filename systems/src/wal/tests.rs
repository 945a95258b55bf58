//! Crashes, rot and full disks.

mod checkpoint;
mod damage;
mod reopen;

use std::fs;
use std::path::Path;

use bytes::Bytes;

use super::{Log, WalError, WalOptions};
use crate::server::Recovered;

const SMALL: WalOptions = WalOptions { segment_bytes: 160, bug: None };

fn record(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn append(log: &mut Log, records: &[&str]) {
    let records: Vec<Bytes> = records.iter().map(|text| record(text)).collect();
    log.append(&records).unwrap();
    log.seal().unwrap();
}

fn open(folder: &Path) -> (Log, Recovered) {
    Log::open(folder, SMALL).unwrap()
}

fn recover(folder: &Path) -> Result<Recovered, WalError> {
    Log::open(folder, SMALL).map(|(_, recovered)| recovered)
}

fn texts(recovered: &Recovered) -> Vec<&str> {
    recovered.records.iter().map(|record| std::str::from_utf8(record).unwrap()).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
