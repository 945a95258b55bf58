use super::*;

#[test]
fn a_failed_sync_ends_the_log_and_what_was_durable_stays() {
    let mut draw = Draw::from_seed(1);
    let (mut spared, mut lost) = (0, 0);
    for _ in 0..200 {
        let disk = SimDisk::new();
        let (mut wal, _) = disk.open(options(4096)).unwrap();
        write(&mut wal, &[append("kept")]);
        disk.set_faults(DiskFaults { sync_error: true, ..DiskFaults::default() });
        let error = wal.begin(vec![(WriteId(2), append(&"x".repeat(900)))]).unwrap_err();
        assert!(matches!(error, WalError::Io { doing: "syncing", .. }), "{error}");
        disk.crash(Crash::Power, &mut draw);
        let (_, recovered) = disk.open(options(4096)).unwrap();
        match recovered.records.len() {
            1 => lost += 1,
            _ => spared += 1,
        }
        assert_eq!(texts(&recovered)[0], "kept");
    }
    assert!(spared > 20 && lost > 20, "{spared} spared, {lost} lost");
}

#[test]
fn what_a_restart_found_after_a_failed_sync_stays_when_the_power_fails_later() {
    let mut draw = Draw::from_seed(1);
    for _ in 0..200 {
        let disk = SimDisk::new();
        let (mut wal, _) = disk.open(options(4096)).unwrap();
        write(&mut wal, &[append("kept")]);
        disk.set_faults(DiskFaults { sync_error: true, ..DiskFaults::default() });
        wal.begin(vec![(WriteId(2), append(&"x".repeat(900)))]).unwrap_err();
        disk.crash(Crash::Process, &mut draw);
        let (_, found) = disk.open(options(4096)).unwrap();
        assert_eq!(found.records.len(), 2, "it is in the page cache");
        disk.crash(Crash::Power, &mut draw);
        assert_eq!(disk.open(options(4096)).unwrap().1, found);
    }
}

#[test]
fn a_full_disk_takes_what_fits_and_opens_again() {
    let disk = SimDisk::new();
    let (mut wal, _) = disk.open(options(2000)).unwrap();
    disk.set_faults(DiskFaults { full: true, ..DiskFaults::default() });
    let mut durable = 0;
    let error = loop {
        match wal.begin(vec![(WriteId(durable + 1), append(&"x".repeat(300)))]) {
            Ok(in_flight) => durable = in_flight.durable.0,
            Err(error) => break error,
        }
        wal.finish();
    };
    assert!(error.to_string().contains("make room"), "{error}");
    assert!(durable > 3, "{durable}");
    disk.crash(Crash::Process, &mut Draw::from_seed(1));
    let (mut wal, recovered) = disk.open(options(2000)).unwrap();
    assert_eq!(recovered.records.len() as u64, durable);
    disk.set_faults(DiskFaults::default());
    write(&mut wal, &[append("more"), append(&"y".repeat(300))]);
}

#[test]
fn a_flipped_bit_is_told_or_harmless_and_never_loses_what_was_reported() {
    let mut draw = Draw::from_seed(1);
    let (mut refused, mut harmless) = (0, 0);
    for round in 0..2000 {
        let disk = SimDisk::new();
        let (mut wal, _) = disk.open(options(700)).unwrap();
        let mut writes: Vec<Write> = (0..10).map(|number| append(&format!("{number}{}", "x".repeat(50)))).collect();
        if round % 3 == 0 {
            let (snapshot, tail) = (Bytes::from("s".repeat(100)), vec![Bytes::from("tail")]);
            writes.insert(draw.below(10), Write::Checkpoint { snapshot, tail });
        }
        write(&mut wal, &writes);
        let place = disk.flip_bit(&mut draw).unwrap();
        disk.crash(draw.pick(&[Crash::Process, Crash::Power]), &mut draw);
        match disk.open(options(700)) {
            Ok((_, recovered)) => {
                assert_eq!(recovered, after(&writes), "{place}");
                harmless += 1;
            }
            Err(WalError::Corrupt { .. }) => refused += 1,
            Err(other) => panic!("{place}: {other}"),
        }
    }
    assert!(refused > 1500, "{refused} refused, {harmless} harmless");
}

#[test]
fn an_empty_disk_has_no_bit_to_flip() {
    assert_eq!(SimDisk::new().flip_bit(&mut Draw::from_seed(1)), None);
}

#[test]
#[should_panic(expected = "a node that is dead uses its disk")]
fn a_dead_node_can_not_write() {
    let disk = SimDisk::new();
    let (mut wal, _) = disk.open(options(4096)).unwrap();
    disk.crash(Crash::Process, &mut Draw::from_seed(1));
    write(&mut wal, &[append("late")]);
}
