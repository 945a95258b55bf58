//! `rashomon compare`: runs side by side.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use jiff::Timestamp;
use rashomon_history::{History, read_history};
use rashomon_report::{Compared, VerdictFile, comparison_page, comparison_table};

use crate::cli::Failure;
use crate::cli::exit;
use crate::cli::test::fresh_seed;
use crate::plan::Plan;
use crate::plan_file::PlanFile;
use crate::results::write_file;

const EXAMPLES: &str = "\
Examples:
  rashomon compare results/raft-register/20260101T000000Z-7 results/etcd-register/20260101T000100Z-7
  rashomon compare raft etcd zookeeper+reads=plain --workload register --nemesis partition,kill

Names of systems are run first, one after the other, with the same workload, faults, sizes and seed, and so with the same calls
and the same schedule as far as their numbers of nodes are the same. A setting of a real system stands behind its name with a
plus. Folders of runs are taken as they are.

Prints a table and writes a page, comparison.html, beside what was run, or where --page says.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// Systems, each with its settings: `etcd+reads=serializable`; or folders of runs
    #[arg(required = true, value_name = "SYSTEM|RUN")]
    what: Vec<String>,
    /// What the clients ask of each system
    #[arg(long)]
    workload: Option<String>,
    /// Faults to inject into each
    #[arg(long)]
    nemesis: Option<String>,
    /// Servers of each [default: as is usual for each]
    #[arg(long)]
    nodes: Option<u16>,
    /// Concurrent clients of each
    #[arg(long)]
    clients: Option<u16>,
    /// Calls a second of all clients together
    #[arg(long)]
    rate: Option<u32>,
    /// How long clients ask and faults come, such as 30s
    #[arg(long)]
    time_limit: Option<String>,
    /// How long one operation may take, such as 1s
    #[arg(long)]
    operation_deadline: Option<String>,
    /// All choices of all runs come from it; drawn when left out
    #[arg(long)]
    seed: Option<u64>,
    /// Where to write the page
    #[arg(long)]
    page: Option<PathBuf>,
    /// Folder for the results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Whether a verdict of `unknown` exits with 2 instead of 0
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail_on_unknown: bool,
}

/// A run, read back.
struct Run {
    folder: PathBuf,
    plan: Plan,
    verdict: VerdictFile,
    history: History,
}

/// Compares; the worst verdict gives the exit code.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let is_run = |what: &String| Path::new(what).join("plan.json").is_file();
    let (folders, home) = if args.what.iter().all(is_run) {
        (args.what.iter().map(PathBuf::from).collect(), args.out.clone())
    } else if let Some(mixed) = args.what.iter().find(|what| is_run(what)) {
        return Err(Failure::Input(anyhow!("{mixed} is a run, and others are not: name either runs or systems")));
    } else {
        args.run_all()?
    };
    let runs = folders.iter().map(|folder| Run::read(folder)).collect::<Result<Vec<_>>>().map_err(Failure::Input)?;
    let page = args.page.clone().unwrap_or_else(|| home.join("comparison.html"));
    let names = names(&runs);
    let compared: Vec<Compared<'_>> = runs.iter().zip(names).map(|(run, name)| run.compared(name, &page)).collect();
    write_file(&page, &comparison_page(&title(&runs), &compared)).map_err(Failure::Internal)?;
    print!("{}", comparison_table(&compared));
    println!("\npage  {}", page.display());
    let worst = runs.iter().map(|run| run.verdict.verdict).reduce(rashomon_report::Verdict::worse);
    Ok(worst.map_or(ExitCode::SUCCESS, |worst| exit::of_verdict(worst, args.fail_on_unknown)))
}

impl CompareArgs {
    /// Runs each system, in a process and so in a sandbox of its own. Says where the runs are, and where all of them are.
    fn run_all(&self) -> Result<(Vec<PathBuf>, PathBuf), Failure> {
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let home = self.out.join(format!("comparison-{time}"));
        let seed = self.seed.unwrap_or_else(fresh_seed);
        let mut folders = Vec::new();
        for (number, system) in self.what.iter().enumerate() {
            eprintln!("run {} of {}: {system}", number + 1, self.what.len());
            let out = home.join(format!("{}", number + 1));
            let status = Command::new("/proc/self/exe")
                .args(self.test_of(system, seed))
                .arg("--out")
                .arg(&out)
                // The table says it in the end.
                .stdout(Stdio::null())
                .status()
                .context("starting a run")
                .map_err(Failure::Internal)?;
            match status.code() {
                Some(0..=2) => {}
                Some(254) => return Err(Failure::Input(anyhow!("{system} can't be run so"))),
                Some(_) | None => return Err(Failure::Internal(anyhow!("the run of {system} failed: {status}"))),
            }
            let latest = out.join("latest");
            let folder = latest.canonicalize().with_context(|| format!("finding {}", latest.display()));
            folders.push(folder.map_err(Failure::Internal)?);
        }
        Ok((folders, home))
    }

    fn test_of(&self, system: &str, seed: u64) -> Vec<String> {
        let mut parts = system.split('+');
        let mut words = vec!["test".to_owned(), parts.next().unwrap_or_default().to_owned()];
        let mut give = |option: &str, value: Option<String>| {
            words.extend(value.map(|value| format!("--{option}={value}")));
        };
        for setting in parts {
            give("set", Some(setting.to_owned()));
        }
        give("workload", self.workload.clone());
        give("nemesis", self.nemesis.clone());
        give("nodes", self.nodes.map(|nodes| nodes.to_string()));
        give("clients", self.clients.map(|clients| clients.to_string()));
        give("rate", self.rate.map(|rate| rate.to_string()));
        give("time-limit", self.time_limit.clone());
        give("operation-deadline", self.operation_deadline.clone());
        give("seed", Some(seed.to_string()));
        words
    }
}

impl Run {
    fn read(folder: &Path) -> Result<Self> {
        let plan = PlanFile::read(folder)?.plan;
        let path = folder.join("verdict.json");
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let verdict = serde_json::from_slice(&text).with_context(|| format!("{} is no verdict", path.display()))?;
        let history = folder.join("history.jsonl");
        let history = read_history(&history).with_context(|| format!("reading {}", history.display()))?;
        Ok(Self { folder: folder.to_owned(), plan, verdict, history })
    }

    fn compared(&self, name: String, page: &Path) -> Compared<'_> {
        let plan = &self.plan;
        let what = format!(
            "{} under {}, {} nodes, {} clients, {} ms, seed {}",
            plan.workload,
            plan.nemesis_text(),
            plan.nodes,
            plan.clients,
            plan.time_limit_ms,
            plan.seed
        );
        let link = relative(page, &self.folder.join("report.html"));
        Compared { name, what, verdict: &self.verdict, history: &self.history, link }
    }
}

/// What tells each run from the others: its system, settings that are not as usual, and a number where that is not enough.
fn names(runs: &[Run]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let named = runs.iter().map(|run| {
        let plan = &run.plan;
        let mut name = plan.system_name();
        if let Some(real) = &plan.real {
            let is_usual = |setting: &str, value: &String| {
                real.description.settings.get(setting).is_some_and(|setting| setting.usual == *value)
            };
            for (setting, value) in real.settings.iter().filter(|(setting, value)| !is_usual(setting, value)) {
                name += &format!("+{setting}={value}");
            }
        }
        if let Some(bug) = plan.bug {
            name += &format!(" {bug}");
        }
        let mut unique = name.clone();
        let mut number = 2;
        while !taken.insert(unique.clone()) {
            unique = format!("{name} ({number})");
            number += 1;
        }
        unique
    });
    named.collect()
}

fn title(runs: &[Run]) -> String {
    let all = |of: &dyn Fn(&Plan) -> String| {
        let different: BTreeSet<String> = runs.iter().map(|run| of(&run.plan)).collect();
        different.into_iter().collect::<Vec<_>>().join(", ")
    };
    format!("{} under {}", all(&|plan| plan.workload.to_string()), all(&|plan| plan.nemesis_text()))
}

/// The way from a page to a file, as a link; `None` where there is none.
fn relative(page: &Path, file: &Path) -> Option<String> {
    let folder = std::path::absolute(page).ok()?.parent()?.canonicalize().ok()?;
    let file = file.canonicalize().ok()?;
    let common = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| "..".to_owned());
    let down = file.components().skip(common).filter_map(|part| match part {
        Component::Normal(name) => {
            Some(name.to_string_lossy().replace('%', "%25").replace('#', "%23").replace('?', "%3f"))
        }
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    });
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}
