//! A simulated cluster with its clients and, where they are wanted, its faults.

use std::collections::BTreeMap;

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Returned};

use super::oracle::Oracle;
use super::person::{LOCKS, Person};
use crate::api::{Api, HttpResponse, TransportError};
use crate::client::{ClientMachine, Next};
use crate::lock::{Bug, LockApi, LockClientOptions, LockInvariants, LockOptions, LockRequest, LockServers};
use crate::raft::{Compaction, Config};
use crate::server::{Micros, NodeId};
use crate::sim::disk::Crash;
use crate::sim::{Cluster, DiskOptions, Disturbance, Happening, Lost, NetworkOptions, Token};
use crate::wal::WalOptions;

/// Members; the resource comes after them.
pub(super) const MEMBERS: u16 = 3;
const RESOURCE: NodeId = NodeId(MEMBERS + 1);
const PATIENCE_US: u64 = 800_000;
const WAKE_FATE: u64 = u64::MAX;

/// What a run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) seed: u64,
    pub(super) faults: bool,
    pub(super) ttl_ms: u64,
    pub(super) fencing: bool,
    pub(super) careful: bool,
    /// Whether the resource is killed and paused, too. Without fencing a write that is held up there does harm.
    pub(super) resource_fails: bool,
    /// Permits of each lock.
    pub(super) permits: u32,
    pub(super) bug: Option<Bug>,
    pub(super) lasts_us: u64,
}

impl Setting {
    pub(super) fn calm(seed: u64) -> Self {
        Self {
            seed,
            faults: false,
            ttl_ms: 1_000,
            fencing: true,
            careful: true,
            resource_fails: true,
            permits: 1,
            bug: None,
            lasts_us: 5_000_000,
        }
    }
}

pub(super) struct World {
    setting: Setting,
    cluster: Cluster<LockServers, LockInvariants>,
    api: LockApi,
    pub(super) people: Vec<Person>,
    pub(super) oracle: Oracle,
    draw: Draw,
    /// Whether clients ask anything new.
    is_open: bool,
    pub(super) broken: Option<String>,
    /// Answers that came to clients who stand still.
    kept: BTreeMap<Token, Result<HttpResponse, TransportError>>,
    tokens: u64,
}

impl World {
    pub(super) fn new(setting: Setting, people: u64) -> Self {
        let Setting { seed, ttl_ms, fencing, careful, permits, bug, .. } = setting;
        let mut draw = Draw::stream(seed, "fate");
        let options = LockOptions { ttl_ms, bug, ..LockOptions::default() };
        let config = Config {
            compaction: Compaction { threshold_entries: draw.between(20, 400), ..Compaction::default() },
            seed,
            ..Config::new(NodeId(1), (1..=MEMBERS).map(NodeId))
        };
        let servers = LockServers { config, options, resource: Some(RESOURCE), fencing };
        let network = NetworkOptions {
            loss_ppm: if setting.faults { draw.below(20_000) as u32 } else { 0 },
            duplicate_ppm: if setting.faults { draw.below(20_000) as u32 } else { 0 },
            in_order: draw.chance(50),
            ..NetworkOptions::default()
        };
        let invariants = LockInvariants::new(MEMBERS, options);
        let (disk, wal) = (DiskOptions::default(), WalOptions::simulated());
        let mut cluster = Cluster::new(servers, invariants, RESOURCE.0, network, disk, wal, seed);
        cluster.nodes().for_each(|node| cluster.start(node));
        let client = |number: u64| LockClientOptions {
            home: NodeId((number % u64::from(MEMBERS)) as u16 + 1),
            members: MEMBERS,
            resource: RESOURCE,
            ttl_ms,
            permits,
            tries: number % 4 == 3,
            careful,
            fencing,
            bug,
        };
        Self {
            setting,
            cluster,
            api: LockApi::default(),
            people: (0..people).map(|number| Person::new(number, client(number), seed)).collect(),
            oracle: Oracle::new(ttl_ms * 1000, permits),
            draw,
            is_open: true,
            broken: None,
            kept: BTreeMap::new(),
            tokens: 0,
        }
    }

    /// The whole run; the first promise that was seen broken.
    pub(super) fn run(&mut self) -> Option<String> {
        for number in 0..self.people.len() {
            self.set_alarm(number);
        }
        if self.setting.faults {
            self.cluster.wake(Micros(1_000_000), WAKE_FATE);
        }
        self.pass(Micros(self.setting.lasts_us));
        self.is_open = false;
        self.heal();
        // Who stands still goes on, and all sessions end.
        let end = self.cluster.now().after(7_000_000);
        self.pass(end);
        self.settle();
        self.broken.clone()
    }

    fn note(&mut self, found: Result<(), String>) {
        if let Err(found) = found {
            self.broken.get_or_insert(found);
        }
    }

    fn pass(&mut self, until: Micros) {
        while let Some(happening) = self.cluster.next(until) {
            match happening {
                Happening::Wake(WAKE_FATE) if self.is_open => self.fate(),
                Happening::Wake(WAKE_FATE) | Happening::Ended { .. } => {}
                Happening::Wake(number) => self.alarm(usize::try_from(number).unwrap()),
                Happening::Answered { token, result } => self.answered(token, result),
                Happening::Noticed => {}
                Happening::Storm => self.note(Err("the servers keep each other busy".into())),
            }
            if self.broken.is_none()
                && let Some((name, text)) = self.cluster.observer().violation()
            {
                self.broken = Some(format!("{name}: {text}"));
            }
            if self.broken.is_some() {
                return;
            }
        }
    }

    fn set_alarm(&mut self, number: usize) {
        let person = &self.people[number];
        self.cluster.wake(person.due.max(person.still_until), number as u64);
    }

    /// It is time for what a client waits for, or for its next call.
    fn alarm(&mut self, number: usize) {
        let now = self.cluster.now();
        let person = &mut self.people[number];
        if now < person.still_until || now < person.due {
            return self.set_alarm(number);
        }
        if let Some((_, token, attempt)) = person.asked
            && let Some(result) = self.kept.remove(&token)
        {
            person.asked = None;
            if let Some(next) = person.machine.answered(now, attempt, result) {
                self.follow(number, next);
            }
            return;
        }
        let next = if person.under_way.is_some() {
            person.machine.time(now)
        } else if self.is_open {
            let call = person.next_call();
            self.oracle.begins(now, &call);
            let next = person.machine.begin(now, &call, now.after(PATIENCE_US));
            person.under_way = Some((call, now));
            Some(next)
        } else {
            None
        };
        if let Some(next) = next {
            self.follow(number, next);
        }
    }

    fn answered(&mut self, token: Token, result: Result<crate::lock::LockResponse, Lost>) {
        let now = self.cluster.now();
        let result = match result {
            Ok(response) => Ok(self.api.respond(response)),
            Err(Lost::Refused) => Err(TransportError::NotSent("connection refused".into())),
            Err(Lost::Broken) => Err(TransportError::Broken("connection reset".into())),
        };
        let waits = |person: &Person| person.asked.is_some_and(|(_, asked, _)| asked == token);
        let Some(number) = self.people.iter().position(waits) else { return };
        let person = &mut self.people[number];
        if now < person.still_until {
            self.kept.insert(token, result);
            person.due = person.still_until;
            return self.set_alarm(number);
        }
        let Some((_, _, attempt)) = person.asked.take() else { return };
        if let Some(next) = person.machine.answered(now, attempt, result) {
            self.follow(number, next);
        }
    }

    fn follow(&mut self, number: usize, next: Next) {
        let now = self.cluster.now();
        let person = &mut self.people[number];
        if let Some((node, token, _)) = person.asked.take() {
            self.cluster.abandon(node, token);
        }
        match next {
            Next::Ask { node, request, attempt, until } => {
                let request: LockRequest = self.api.route(&request).unwrap_or_else(|error| panic!("{error:?}"));
                self.tokens += 1;
                let token = Token(self.tokens);
                person.asked = Some((node, token, attempt));
                person.due = until;
                self.cluster.ask(node, token, request);
            }
            Next::Wait { until } => person.due = until,
            Next::Done { outcome, .. } => {
                let Some((call, asked)) = person.under_way.take() else { return };
                person.heard(now, &call, &outcome);
                let found = self.oracle.ends(asked, now, &call, &outcome);
                self.note(found);
            }
        }
        self.set_alarm(number);
    }

    /// Something breaks, or is mended.
    fn fate(&mut self) {
        let now = self.cluster.now();
        let ttl_us = self.setting.ttl_ms * 1000;
        let fail = if self.setting.resource_fails { RESOURCE.0 } else { MEMBERS };
        let node = NodeId(1 + self.draw.below(usize::from(fail)) as u16);
        let member = NodeId(1 + self.draw.below(usize::from(MEMBERS)) as u16);
        match self.draw.below(10) {
            0..=2 => {
                let person = self.draw.below(self.people.len());
                self.people[person].still_until = now.after(self.draw.between(ttl_us / 2, 3 * ttl_us));
            }
            3 => self.cluster.crash(node, if self.draw.chance(50) { Crash::Process } else { Crash::Power }),
            4 => self.cluster.pause(node),
            5 => self.cut_off(member),
            6 => self.cluster.set_clock_rate(member, self.draw.between(0, 200_000) as i32 - 100_000),
            7 if self.draw.chance(30) => self.cluster.jump_clock(member, self.draw.between(0, 2 * ttl_us)),
            8 => {
                let request = LockRequest::TransferLeadership { to: member };
                self.tokens += 1;
                let token = Token(self.tokens);
                self.cluster.nodes().for_each(|node| self.cluster.ask(node, token, request.clone()));
            }
            _ => self.heal(),
        }
        let at = now.after(self.draw.between(50_000, 600_000));
        self.cluster.wake(at, WAKE_FATE);
    }

    fn cut_off(&mut self, member: NodeId) {
        let cut = Disturbance { cut: true, ..Disturbance::default() };
        for other in self.cluster.nodes().filter(|other| *other != member) {
            self.cluster.disturb(member, other, cut);
            self.cluster.disturb(other, member, cut);
        }
    }

    fn heal(&mut self) {
        for node in self.cluster.nodes() {
            self.cluster.start(node);
            self.cluster.resume(node);
            for other in self.cluster.nodes() {
                self.cluster.disturb(node, other, Disturbance::default());
            }
        }
    }

    /// All is quiet: replicas agree, holds excluded each other, and what was acknowledged is there.
    fn settle(&mut self) {
        if self.broken.is_some() {
            return;
        }
        self.cluster
            .show(|observer, running| observer.converged(running.iter().map(|(node, server)| (*node, *server))));
        if let Some((name, text)) = self.cluster.observer().violation() {
            return self.note(Err(format!("{name}: {text}")));
        }
        let found = self.oracle.check_exclusion();
        self.note(found);
        for lock in 1..=LOCKS {
            let key = Key::from(format!("s{lock}"));
            let found = match self.read(&key) {
                Some(Outcome::Ok(Returned::List(elements))) => self.oracle.check_set(&key, &elements),
                other => Err(format!("the final read of {key}: {other:?}")),
            };
            self.note(found);
        }
    }

    fn read(&mut self, key: &Key) -> Option<Outcome> {
        let now = self.cluster.now();
        let next = self.people[0].machine.begin(now, &Call::Read { key: key.clone() }, now.after(PATIENCE_US));
        let Next::Ask { node, request, attempt, .. } = next else { return None };
        let request = self.api.route(&request).ok()?;
        let asked = Token(u64::MAX);
        self.cluster.ask(node, asked, request);
        while let Some(happening) = self.cluster.next(now.after(PATIENCE_US)) {
            if let Happening::Answered { token, result: Ok(response) } = happening
                && token == asked
            {
                let response = self.api.respond(response);
                let next = self.people[0].machine.answered(self.cluster.now(), attempt, Ok(response));
                return match next {
                    Some(Next::Done { outcome, .. }) => Some(outcome),
                    _ => None,
                };
            }
        }
        None
    }
}
