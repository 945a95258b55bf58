//! The folder of a run, and the files in it. `docs/ARCHITECTURE.md` names them all.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;

use crate::plan::Plan;

/// The folder of one run: `OUT/<system>-<workload>/<UTC time>-<seed>/`.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder for the plan and points `OUT/latest` to it. Never takes one that is there already.
    pub(crate) fn create(out: &Path, plan: &Plan) -> Result<Self> {
        let group = out.join(format!("{}-{}", plan.system_name(), plan.workload));
        fs::create_dir_all(&group).with_context(|| format!("making the results folder {}", group.display()))?;
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let path = unused_folder(&group, &format!("{time}-{}", plan.seed))?;
        let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
        point_latest(out, &path);
        Ok(Self { path })
    }

    /// Makes a new folder beside that of another run, or beside its plan: `<run>-<what>`.
    pub(crate) fn beside(run: &Path, what: &str) -> Result<Self> {
        let run = run.canonicalize().with_context(|| format!("finding {}", run.display()))?;
        let group = run.parent().with_context(|| format!("{} is no run", run.display()))?;
        let name = run.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { path: unused_folder(group, &format!("{name}-{what}"))? })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.path.join("history.jsonl")
    }

    pub(crate) fn verdict(&self) -> PathBuf {
        self.path.join("verdict.json")
    }

    pub(crate) fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    pub(crate) fn nodes(&self) -> PathBuf {
        self.path.join("nodes")
    }

    /// Removes the data of the servers; their logs stay.
    pub(crate) fn forget_data(&self) -> Result<()> {
        let nodes = self.nodes();
        for node in fs::read_dir(&nodes).with_context(|| format!("reading {}", nodes.display()))?.flatten() {
            let data = node.path().join("data");
            if data.exists() {
                fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))?;
            }
        }
        Ok(())
    }
}

fn unused_folder(group: &Path, name: &str) -> Result<PathBuf> {
    for attempt in 0..1000 {
        let path = group.join(if attempt == 0 { name.to_owned() } else { format!("{name}.{attempt}") });
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("making the run's folder {}", path.display())),
        }
    }
    bail!("{} holds a thousand runs named {name}: remove some", group.display())
}

/// `latest` is a convenience: a run goes on without it, and two runs at a time may quarrel about it.
fn point_latest(out: &Path, run: &Path) {
    let Ok(out) = out.canonicalize() else { return };
    let Ok(target) = run.strip_prefix(&out) else { return };
    let link = out.join("latest");
    let fresh = out.join(format!(".latest-{}", std::process::id()));
    if symlink(target, &fresh).is_ok() && fs::rename(&fresh, &link).is_err() {
        let _ = fs::remove_file(&fresh);
    }
}

/// Writes a file of the run whole or not at all.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<()> {
    write_bytes(path, text.as_bytes())
}

/// The same, of what need not be text.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    let fresh = path.with_extension("tmp");
    fs::write(&fresh, bytes)
        .and_then(|()| fs::rename(&fresh, path))
        .with_context(|| format!("writing {}", path.display()))
}

/// The same, as JSON for people and programs.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).with_context(|| format!("writing {}", path.display()))?;
    text.push('\n');
    write_file(path, &text)
}
