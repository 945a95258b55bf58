//! What happens inside.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rashomon_history::{Call, ProcessId, Recorder, read_history};
use rashomon_nemesis::linux::ProcessGroup;
use rashomon_nemesis::{
    Action, Choice, Direction, Fault, FaultKind, Grudge, Hands, Nemesis, Node, RangeMs, Schedule, ScheduleOptions,
    Shape, Target,
};

use super::super::{Entered, Inside, NodeCommand, Sandbox, SandboxError, enter};
use super::harness::{SKIPPED, Scenario, folder_of_this_process};

const NODES: u16 = 5;

/// Goes into a sandbox and plays. Does not return.
pub(super) fn play(scenario: Scenario) -> ! {
    match enter() {
        Ok(Entered::Inside(inside)) => {
            match scenario {
                Scenario::Network => network(&inside),
                Scenario::Partitions => partitions(&inside),
                Scenario::Processes => processes(&inside),
                Scenario::UnexpectedExit => unexpected_exit(&inside),
                Scenario::Nemesis => nemesis(&inside),
                Scenario::ExitSeven => std::process::exit(7),
                Scenario::RunForEver => run_for_ever(&inside),
            }
            println!("played to the end");
            std::process::exit(0)
        }
        Ok(Entered::Finished(code)) => std::process::exit(code.into()),
        Err(error) => {
            eprintln!("{error}");
            // What this machine can't do is skipped; that there is one thread is ours to see to.
            let is_ours = matches!(error, SandboxError::ManyThreads { .. });
            std::process::exit(if is_ours { 1 } else { SKIPPED })
        }
    }
}

fn build(inside: &Inside) -> Sandbox {
    Sandbox::build(inside, NODES, &folder_of_this_process()).unwrap().0
}

fn shell(script: &str) -> NodeCommand {
    NodeCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()], ..NodeCommand::default() }
}

fn set(numbers: &[u16]) -> BTreeSet<Node> {
    numbers.iter().map(|number| Node(*number)).collect()
}

/// A socket on every host; the controller is node 0.
struct Ears {
    sockets: BTreeMap<Node, UdpSocket>,
}

const CONTROLLER: Node = Node(0);
const PORT: u16 = 4000;

impl Ears {
    fn open(sandbox: &Sandbox) -> Self {
        let on_controller = UdpSocket::bind((Sandbox::CONTROLLER, PORT)).unwrap();
        let on_nodes = sandbox.hosts.iter().map(|(node, host)| {
            let bind = || UdpSocket::bind((host.address(), PORT));
            (*node, host.namespace().inside(bind).unwrap())
        });
        let sockets: BTreeMap<Node, UdpSocket> = on_nodes.chain([(CONTROLLER, on_controller)]).collect();
        for socket in sockets.values() {
            socket.set_nonblocking(true).unwrap();
        }
        Self { sockets }
    }

    fn address(node: Node) -> Ipv4Addr {
        if node == CONTROLLER { Sandbox::CONTROLLER } else { Sandbox::address(node) }
    }

    /// Everybody calls everybody; answers who was heard by whom, as (sender, receiver).
    fn call(&self, round: u8, expected: &BTreeSet<(Node, Node)>) -> BTreeSet<(Node, Node)> {
        for socket in self.sockets.values() {
            for receiver in self.sockets.keys() {
                socket.send_to(&[round], (Self::address(*receiver), PORT)).unwrap();
            }
        }
        let mut heard = BTreeSet::new();
        let began = Instant::now();
        // What is expected is waited for. That nothing else comes can't be: it gets a moment more.
        let mut all_since = None;
        while began.elapsed() < Duration::from_secs(5) {
            for (receiver, socket) in &self.sockets {
                let mut message = [0];
                while let Ok((_, SocketAddr::V4(from))) = socket.recv_from(&mut message) {
                    assert_eq!(message, [round], "a packet of an earlier round came late");
                    let sender = self.sockets.keys().find(|node| Self::address(**node) == *from.ip()).unwrap();
                    heard.insert((*sender, *receiver));
                }
            }
            if heard.is_superset(expected) && all_since.get_or_insert_with(Instant::now).elapsed().as_millis() > 30 {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        heard
    }

    /// All pairs but those that the grudge cuts.
    fn open_edges(&self, grudge: &Grudge) -> BTreeSet<(Node, Node)> {
        let all = self.sockets.keys();
        let pairs = all.clone().flat_map(|sender| all.clone().map(|receiver| (*sender, *receiver)));
        pairs.filter(|(sender, receiver)| !grudge.is_cut(*sender, *receiver)).collect()
    }
}

fn network(inside: &Inside) {
    let sandbox = build(inside);
    let ears = Ears::open(&sandbox);
    let everybody = ears.open_edges(&Grudge::default());
    assert_eq!(everybody.len(), 36);
    assert_eq!(ears.call(1, &everybody), everybody);

    let interfaces = |text: &str| -> BTreeSet<String> {
        text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
    };
    let read = || std::fs::read_to_string("/proc/thread-self/net/dev");
    let in_node = sandbox.hosts[&Node(3)].namespace().inside(read).unwrap();
    assert_eq!(interfaces(&in_node), ["eth0", "lo"].map(String::from).into());
    let in_controller: BTreeSet<String> = ["lo", "n1", "n2", "n3", "n4", "n5", "rashomon"].map(String::from).into();
    assert_eq!(interfaces(&read().unwrap()), in_controller);
}

fn partitions(inside: &Inside) {
    let sandbox = build(inside);
    let ears = Ears::open(&sandbox);
    let kinds = vec![FaultKind::Partition];
    let schedule = Schedule::draw(&ScheduleOptions::new(NODES, kinds, 60_000), 11).unwrap();
    let shapes: BTreeMap<Shape, Grudge> = schedule
        .entries
        .iter()
        .filter_map(|entry| match (&entry.fault, entry.fault.resolve(Some(Node(4)), NODES)) {
            (Fault::Partition(partition), Action::Cut(grudge)) => Some((partition.shape, grudge)),
            _ => None,
        })
        .collect();
    assert_eq!(shapes.len(), Shape::ALL.len());
    let mut grudges: Vec<Grudge> = shapes.into_values().collect();
    // Whatever was drawn, one of each direction.
    grudges.extend(
        [Direction::Both, Direction::Deaf, Direction::Mute].map(|way| Grudge::around(&set(&[2, 5]), NODES, way)),
    );
    let mut round = 0;
    for grudge in &grudges {
        let seen = sandbox.cut(grudge).unwrap();
        let (_, receiver) = grudge.edges().next().unwrap();
        assert!(seen.contains(&format!("{receiver} drops ")), "{seen}");
        round += 1;
        let open = ears.open_edges(grudge);
        assert_eq!(ears.call(round, &open), open, "{grudge}");
    }
    assert_eq!(sandbox.cut(&Grudge::default()).unwrap(), "all rules are gone");
    let everybody = ears.open_edges(&Grudge::default());
    assert_eq!(ears.call(round + 1, &everybody), everybody);
}

fn pid_of(sandbox: &Sandbox, node: Node) -> u32 {
    let path = sandbox.data_folder(node).unwrap().join("pid");
    let began = Instant::now();
    loop {
        if let Ok(pid) = std::fs::read_to_string(&path).unwrap_or_default().trim().parse() {
            std::fs::remove_file(&path).unwrap();
            return pid;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{node} does not write its number");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn processes(inside: &Inside) {
    let sandbox = build(inside);
    for node in sandbox.nodes() {
        let data = sandbox.data_folder(node).unwrap();
        // A child of its own: what a node starts is killed and paused with it.
        let script =
            format!("cd {} && sleep 1000 & cd {} && echo $$ > pid.new && mv pid.new pid; wait", "/", data.display());
        sandbox.launch(node, shell(&script)).unwrap();
    }
    let first: BTreeMap<Node, u32> = sandbox.nodes().map(|node| (node, pid_of(&sandbox, node))).collect();
    let states = |node: Node| ProcessGroup::led_by(first[&node]).thread_states();

    let minority = set(&[2, 4]);
    assert_eq!(sandbox.pause(&minority).unwrap(), "n2, n4 stopped, 4 threads stand still");
    assert_eq!(states(Node(2)), BTreeMap::from([('T', 2)]));
    assert!(!states(Node(1)).contains_key(&'T'));
    sandbox.resume(&minority).unwrap();
    assert!(!states(Node(2)).contains_key(&'T'));

    // A paused node can be killed.
    sandbox.pause(&set(&[1])).unwrap();
    assert_eq!(sandbox.kill(&set(&[1, 3])).unwrap(), "n1, n3 are dead");
    assert!(kill(Pid::from_raw(i32::try_from(first[&Node(1)]).unwrap()), None).is_err());
    assert_eq!(states(Node(3)).keys().filter(|state| **state != 'Z').count(), 0);
    assert!(sandbox.kill(&set(&[3])).unwrap_err().to_string().contains("n3 is not running: signal: 9 (SIGKILL)"));
    assert!(sandbox.pause(&set(&[3])).is_err());
    assert_eq!(sandbox.start(&set(&[1, 2, 3])).unwrap(), "n1, n3 started again");
    assert_ne!(pid_of(&sandbox, Node(1)), first[&Node(1)]);

    assert_eq!(sandbox.kill(&set(&[1, 2, 3, 4, 5])).unwrap(), "n1, n2, n3, n4, n5 are dead");
    sandbox.start(&set(&[1, 2, 3, 4, 5])).unwrap();
    sandbox.shut_down().unwrap();
    let log = std::fs::read_to_string(folder_of_this_process().join("n1/node.log")).unwrap();
    assert_eq!(log.lines().last(), Some("--- start 3 of n1 ---"));
}

fn unexpected_exit(inside: &Inside) {
    let (sandbox, mut exits) = Sandbox::build(inside, 2, &folder_of_this_process()).unwrap();
    sandbox.launch(Node(1), shell("sleep 1000")).unwrap();
    sandbox.launch(Node(2), shell("echo my last words; echo to stderr >&2; exit 3")).unwrap();
    let exit = exits.blocking_recv().unwrap();
    assert_eq!((exit.node, exit.status.as_str()), (Node(2), "exit status: 3"));
    assert_eq!(exit.last_lines, ["--- start 1 of n2 ---", "my last words", "to stderr"]);
    assert!(exit.to_string().contains("n2 ended though nobody killed it (exit status: 3)"), "{exit}");
    sandbox.shut_down().unwrap();
    assert!(exits.try_recv().is_err(), "n1 was killed by us");
    let command = std::fs::read_to_string(folder_of_this_process().join("n1/command")).unwrap();
    assert_eq!(command, "/bin/sh -c 'sleep 1000'\n");
    let missing = NodeCommand { program: "/no/such/server".into(), args: vec![], ..NodeCommand::default() };
    let error = sandbox.launch(Node(1), missing).unwrap_err().to_string();
    assert!(error.starts_with("can't start n1 with `/no/such/server`: No such file"), "{error}");
}

fn nemesis(inside: &Inside) {
    let sandbox = Arc::new(build(inside));
    for node in sandbox.nodes() {
        sandbox.launch(node, shell("sleep 1000")).unwrap();
    }
    let options = ScheduleOptions {
        duration_ms: RangeMs { min: 100, max: 200 },
        quiet_ms: RangeMs { min: 10, max: 50 },
        ..ScheduleOptions::new(NODES, vec![FaultKind::Partition, FaultKind::Kill, FaultKind::Pause], 3000)
    };
    let mut schedule = Schedule::draw(&options, 5).unwrap();
    // One more that overlaps with others.
    let target = Target { choice: Choice::All, nodes: Node::all(NODES).collect() };
    schedule.entries[1].fault = Fault::Kill(target);
    schedule.entries[1].at_ms = schedule.entries[0].at_ms + 20;
    let path = folder_of_this_process().join("history.jsonl");
    let recorder = Arc::new(Recorder::create(&path).unwrap());
    recorder.invoke(ProcessId(0), None, false, &Call::Read { key: "k".into() }).unwrap();
    let nemesis = Nemesis::new(schedule.clone(), NODES, Arc::clone(&sandbox) as Arc<dyn Hands>, recorder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let leads = || std::future::ready(Some(Node(2)));
    let summary = runtime.block_on(nemesis.run(leads, std::future::pending())).unwrap();
    let told: Vec<String> = read_history(&path).unwrap().nemesis().map(|event| format!("{event:?}")).collect();
    for (kind, seen) in &summary.kinds {
        assert!(seen.injected > 0 && seen.bitten == seen.injected, "{kind}: {seen:?}: {told:#?}");
    }
    assert_eq!(told.len(), schedule.entries.len() * 3);
    let ears = Ears::open(&sandbox);
    let everybody = ears.open_edges(&Grudge::default());
    assert_eq!(ears.call(1, &everybody), everybody);
    assert!(sandbox.kill(&Node::all(NODES).collect()).is_ok(), "a node was not running after the faults");
}

fn run_for_ever(inside: &Inside) {
    let sandbox = build(inside);
    for node in sandbox.nodes() {
        // With an orphan, which is nobody's but the init's.
        sandbox.launch(node, shell("(sleep 1000 &); sleep 1000")).unwrap();
    }
    sandbox.cut(&Grudge::around(&set(&[1]), NODES, Direction::Both)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        eprintln!("ready");
        terminated.recv().await;
        eprintln!("terminated");
        // A controller that is told to end may take its time; a second signal is for those that take too long.
        if std::env::var_os("RASHOMON_TEST_STUBBORN").is_some() {
            std::future::pending::<()>().await;
        }
    });
    std::process::exit(Signal::SIGTERM as i32);
}
