//! One run, top-down: set up, drive, heal, final reads, tear down, check, report.
//!
//! The runner owns this order, so that no workload can forget a part of it. Faults are healed out of band, before
//! anything waits for a client. Every phase has a deadline.

mod drive;
mod guards;
mod judge;
mod progress;
mod remarks;
mod stop;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use rashomon_checker::Options;
use rashomon_history::{History, Recorder, TimeNs, read_history};
use rashomon_nemesis::{Nemesis, Node};
use rashomon_report::lamport::Lamport;
use rashomon_report::{Leadership, ReportInput, Verdict, VerdictFile, render};
use tokio::time::Instant;

use crate::clients::{Address, Client, Looker, Standstill};
use crate::plan::{Plan, World};
use crate::results::{RunFolder, write_bytes, write_file, write_json};
use crate::swarm::Looked;
use crate::verdict::Judgement;
use crate::world::{Cluster, Ground};
use drive::Drive;
pub(crate) use guards::Lifecycle;
use judge::{Evidence, judge};
use progress::Progress;
use stop::Stop;
use watch::Watch;

/// For all final reads of all nodes.
const FINAL_READS_DEADLINE: Duration = Duration::from_secs(15);
/// The check and its explanation.
const CHECK_TIME: Duration = Duration::from_secs(15);
const CHECK_MEMORY_BYTES: usize = 2 << 30;
/// How often a condition is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Carries out the plan, and leaves its files in the folder.
pub(crate) async fn run(plan: &Plan, folder: &RunFolder, ground: &Ground) -> Result<VerdictFile> {
    let stop = Stop::on_signals()?;
    let progress = Progress::new();
    let began = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    write_json(&folder.plan(), plan)?;
    let seen = record(plan, folder, ground, &stop, &progress).await;
    let verdict = seen.and_then(|seen| {
        progress.phase("check");
        conclude(plan, folder, &seen, &began)
    });
    progress.finish();
    let verdict = verdict?;
    if matches!(ground, Ground::Sandbox { programs: Some(_), .. }) && verdict.verdict == Verdict::Valid {
        // Five members of etcd leave 600 MB, in which nobody would look.
        folder.forget_data()?;
    }
    Ok(verdict)
}

/// What the runner saw beside the history.
struct Seen {
    lifecycle: Lifecycle,
    leaders: Vec<Leadership>,
    surroundings: Vec<(&'static str, String)>,
}

/// The part of a run in which there are servers: everything that it sees is in the history.
async fn record(plan: &Plan, folder: &RunFolder, ground: &Ground, stop: &Stop, progress: &Progress) -> Result<Seen> {
    progress.phase("set up");
    let cluster = Cluster::start(plan, &folder.nodes(), ground).context("setting up the cluster")?;
    let cluster = Arc::new(cluster);
    let began = Instant::now();
    let nodes = cluster.nodes();
    let recorder = Arc::new(Recorder::create(&folder.history())?);
    let watch = Arc::new(Watch::start(Looker::all(plan, &nodes)?, &recorder));
    get_ready(plan, &cluster, &watch, stop).await?;
    let ready_after_ms = began.elapsed().as_millis();

    let drive = Arc::new(Drive::new(plan, Arc::clone(&recorder)));
    break_and_drive(plan, &cluster, &drive, &watch, stop, progress).await?;

    progress.phase("heal");
    let settled_after_ms = settle(plan, &watch, &nodes, stop).await?;

    progress.phase("final reads");
    let final_reads = final_reads(plan, &drive, &nodes, settled_after_ms.is_some(), progress).await?;

    recorder.flush().context("recording the history")?;
    progress.phase("tear down");
    let leaders = watch.leaders();
    drop(watch);
    let deaths = cluster.stop().context("stopping the servers")?;
    let is_interrupted = stop.is_requested();
    let lifecycle = Lifecycle { is_interrupted, settled_after_ms, final_reads, majority_lost: false, deaths };
    let mut surroundings = surroundings(&cluster, ground);
    surroundings.push(("ready", format!("{ready_after_ms} ms after the servers were started")));
    Ok(Seen { lifecycle, leaders, surroundings })
}

/// What else may matter to who compares two runs.
fn surroundings(cluster: &Cluster, ground: &Ground) -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".into(), |cores| cores.to_string());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut rows = vec![("machine", format!("Linux {}, {cores} cores", kernel.trim()))];
    if let Ground::Sandbox { inside, .. } = ground {
        let rights = if inside.in_user_namespace { "an ordinary user, in a user namespace" } else { "root" };
        rows.push(("run as", rights.into()));
    }
    rows.extend(cluster.surroundings());
    rows
}

/// Waits until all servers answer, joins them where they don't do so by themselves, and waits until they are a cluster.
async fn get_ready(plan: &Plan, cluster: &Arc<Cluster>, watch: &Watch, stop: &Stop) -> Result<()> {
    let deadline = plan.ready_deadline();
    wait_until(cluster, watch, stop, deadline, Watch::all_answer).await?;
    let (joining, joined) = (Arc::clone(cluster), plan.clone());
    tokio::task::spawn_blocking(move || joining.set_up(&joined))
        .await
        .context("joining the servers to a cluster")?
        .context("joining the servers to a cluster")?;
    wait_until(cluster, watch, stop, deadline, Watch::is_settled).await
}

async fn wait_until(
    cluster: &Cluster,
    watch: &Watch,
    stop: &Stop,
    deadline: Duration,
    holds: impl Fn(&Watch) -> bool,
) -> Result<()> {
    let give_up = Instant::now() + deadline;
    while !holds(watch) {
        if let Some(death) = cluster.deaths().first() {
            bail!("a server ended before the cluster was ready: {death}");
        }
        if stop.is_requested() {
            bail!("stopped before the cluster was ready");
        }
        if Instant::now() >= give_up {
            let (seconds, why, ends) = (deadline.as_secs(), watch.not_ready(), cluster.ends_of_logs());
            bail!("the cluster was not ready after {seconds} s: {why}; the ends of the logs:{ends}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Clients ask while the nemesis follows its schedule. When this returns all faults are healed, whatever the clients do.
async fn break_and_drive(
    plan: &Plan,
    cluster: &Cluster,
    drive: &Arc<Drive>,
    watch: &Arc<Watch>,
    stop: &Stop,
    progress: &Progress,
) -> Result<()> {
    progress.phase("run");
    let _following = progress.follow(drive);
    let nodes = cluster.nodes();
    let until = Instant::now() + Duration::from_millis(plan.time_limit_ms);
    let recorder = drive.recorder();
    let standstill = Standstill::new();
    let hands = cluster.hands(standstill.clone())?;
    let nemesis = Nemesis::new(plan.schedule.clone(), plan.servers(), hands, recorder);
    let mut current = nemesis.current();
    let showing = progress.clone();
    let show = async move {
        while current.changed().await.is_ok() {
            showing.fault(&current.borrow());
        }
    };
    let leader = || {
        let leader = watch.leader().and_then(|name| nodes.iter().position(|node| node.name == name));
        std::future::ready(leader.and_then(|position| u16::try_from(position + 1).ok()).map(Node))
    };
    let ends = {
        let stop = stop.clone();
        async move {
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    };
    let client = |number| Client::of_run(plan, number, &nodes, &standstill);
    let clients = (0..plan.clients.into()).map(client).collect::<Result<_>>()?;
    let (broken, driven, ()) = tokio::join!(nemesis.run(leader, ends), drive.run(plan, clients, until, stop), show);
    broken.context("breaking the cluster")?;
    driven
}

/// Waits until all nodes agree on a leader and it answers a read. Says how long that took.
async fn settle(plan: &Plan, watch: &Watch, nodes: &Arc<[Address]>, stop: &Stop) -> Result<Option<u64>> {
    let began = Instant::now();
    let mut probe = Client::reader(plan, plan.home_of(0), nodes)?;
    let mut readers = readers(plan, nodes)?;
    while began.elapsed() < plan.ready_deadline() {
        if watch.is_settled()
            && probe.is_answered(&plan.probe(), LOOK_EVERY * 25).await
            && is_quiet(plan, &mut readers).await
        {
            return Ok(Some(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)));
        }
        if stop.is_requested() && began.elapsed() > Duration::from_secs(3) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

/// One reader at each node that is asked for the final reads.
fn readers(plan: &Plan, nodes: &Arc<[Address]>) -> Result<Vec<Client>> {
    plan.homes().into_iter().map(|home| Client::reader(plan, home, nodes)).collect()
}

/// Whether final reads may begin: what was decided is done everywhere.
async fn is_quiet(plan: &Plan, readers: &mut [Client]) -> bool {
    let Some(question) = plan.what_is_open() else { return true };
    for reader in readers {
        if !reader.answers(&question, LOOK_EVERY * 25, Plan::is_nothing_open).await {
            return false;
        }
    }
    true
}

async fn final_reads(
    plan: &Plan,
    drive: &Arc<Drive>,
    nodes: &Arc<[Address]>,
    is_settled: bool,
    progress: &Progress,
) -> Result<(u64, u64)> {
    let _following = progress.follow(drive);
    let patience = if is_settled { FINAL_READS_DEADLINE } else { Duration::from_secs(2) };
    let deadline = Instant::now() + patience;
    let (answered, wanted) = drive
        .final_reads(readers(plan, nodes)?, deadline, |read| plan.can_be_read(read) && !plan.is_read_last(read))
        .await?;
    let mut quiet_readers = readers(plan, nodes)?;
    while is_settled && Instant::now() < deadline && !is_quiet(plan, &mut quiet_readers).await {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let (last_answered, last_wanted) =
        drive.final_reads(readers(plan, nodes)?, deadline, |read| plan.is_read_last(read)).await?;
    Ok((answered + last_answered, wanted + last_wanted))
}

/// The part of a run that is left when the servers are gone.
fn conclude(plan: &Plan, folder: &RunFolder, seen: &Seen, began: &str) -> Result<VerdictFile> {
    let history = read_history(&folder.history()).context("reading back what was recorded")?;
    let operations = history.operations();
    let options =
        Options { time_budget: Some(CHECK_TIME), memory_budget_bytes: Some(CHECK_MEMORY_BYTES), ..Options::default() };
    let checks = plan.workload.check(&plan.promises(), operations, &options).context("checking the history")?;
    let evidence = Evidence {
        plan,
        history: &history,
        operations,
        leaders: &seen.leaders,
        lifecycle: &seen.lifecycle,
        violated: None,
        began,
    };
    let verdict = judge(&evidence, checks.iter().map(|check| Judgement::of(check, operations)).collect(), Vec::new());
    write_json(&folder.verdict(), &verdict)?;
    write_report(plan, folder, &history, &verdict, &seen.surroundings, None)?;
    Ok(verdict)
}

/// Writes the files of a simulated run that was carried out and checked.
pub(crate) fn write_simulated(plan: &Plan, folder: &RunFolder, looked: &Looked) -> Result<VerdictFile> {
    let simulated = &looked.simulated;
    write_json(&folder.plan(), plan)?;
    write_bytes(&folder.history(), &simulated.recording.to_jsonl())?;
    let history = simulated.recording.history();
    // As in a swarm: a small run may show too little of one thing. What was looked at from outside always shows something.
    let (idle, busy): (Vec<_>, Vec<_>) = looked.checks.iter().partition(|check| check.is_empty());
    let judgement = |check| Judgement::of(check, history.operations());
    let from_outside = match &simulated.violation {
        Some(violation) => vec![Judgement::of_violation(violation)],
        None => simulated.kept().into_iter().map(Judgement::of_kept).collect(),
    };
    let judgements = busy.into_iter().map(judgement).chain(from_outside).collect();
    let idle = idle.into_iter().map(|check| judgement(check).checker).collect();
    let began = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let evidence = Evidence {
        plan,
        history,
        operations: history.operations(),
        leaders: &simulated.leaders,
        lifecycle: &simulated.lifecycle,
        violated: simulated.violation.as_ref().map(|violation| TimeNs(violation.at.0 * 1000)),
        began: &began,
    };
    let verdict = judge(&evidence, judgements, idle);
    write_json(&folder.verdict(), &verdict)?;
    let virtual_s = Duration::from_micros(simulated.lasted.0).as_secs_f64();
    let surroundings = [("virtual time", format!("{virtual_s:.3} s"))];
    write_report(plan, folder, history, &verdict, &surroundings, simulated.lamport.as_ref())?;
    Ok(verdict)
}

fn write_report(
    plan: &Plan,
    folder: &RunFolder,
    history: &History,
    verdict: &VerdictFile,
    surroundings: &[(&'static str, String)],
    lamport: Option<&Lamport>,
) -> Result<()> {
    let mut rows = plan.rows();
    rows.extend_from_slice(surroundings);
    let mut links: Vec<(String, String)> =
        ["history.jsonl", "plan.json", "verdict.json"].map(|file| (file.to_owned(), file.to_owned())).into();
    if plan.world == World::Netns {
        for node in 1..=plan.nodes {
            links.push((format!("n{node}"), format!("nodes/n{node}/node.log")));
            let setup = format!("nodes/n{node}/setup.log");
            if folder.path().join(&setup).exists() {
                links.push((format!("n{node}, set up"), setup));
            }
        }
    }
    let page = render(&ReportInput {
        title: &format!("{} {}", plan.system_name(), plan.workload),
        verdict,
        history,
        plan: &rows,
        links: &links,
        lamport,
        lease_ttl: Some(plan.promises().ttl).filter(|ttl| !ttl.is_zero()),
    });
    write_file(&folder.report(), &page)
}
