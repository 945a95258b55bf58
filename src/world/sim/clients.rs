//! The clients of a simulated run: the same state machines, generators and pace as in the real world.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use rashomon_history::{Call, OpenOperation, Outcome, ProcessId, Recording, TimeNs};
use rashomon_nemesis::Clients;
use rashomon_systems::api::{Api, HttpRequest, HttpResponse, TransportError};
use rashomon_systems::client::{ClientMachine, Next};
use rashomon_systems::server::{Micros, NodeId};
use rashomon_systems::sim::{Lost, Token};
use rashomon_workloads::{Pace, Role};

use super::run::Run;
use super::system::{Answered, Asked, OwnSystem};
use crate::plan::Plan;
use crate::script::{Script, ScriptedClient, ScriptedOperation};

/// After a refusal a client without a rate waits a little, or it would spend the run on refusals.
const REFUSED_PAUSE_US: u64 = 5_000;

/// What a client wants done.
pub(super) enum Wish<S: OwnSystem> {
    /// Ask this node.
    Ask { node: NodeId, token: Token, request: Asked<S> },
    /// Nothing more of what it asked this node.
    Abandon { node: NodeId, token: Token },
    /// The operation is over.
    Over { call: Call, outcome: Outcome },
}

/// What all clients share.
pub(super) struct Shared<S: OwnSystem> {
    pub(super) api: S::Api,
    pub(super) recording: Recording,
    /// Whose each process is, by its number.
    pub(super) processes: Vec<u64>,
    pub(super) names: Vec<Arc<str>>,
}

impl<S: OwnSystem> Shared<S> {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            api: S::api(),
            recording: Recording::default(),
            processes: Vec::new(),
            names: (0..=plan.nodes).map(|node| NodeId(node).to_string().into()).collect(),
        }
    }

    fn fresh_process(&mut self, client: u64) -> ProcessId {
        self.processes.push(client);
        ProcessId(self.processes.len() as u64 - 1)
    }

    fn name(&self, node: NodeId) -> &Arc<str> {
        &self.names[usize::from(node.0)]
    }
}

/// One client.
pub(super) struct SimClient<S: OwnSystem> {
    number: u64,
    machine: Box<dyn ClientMachine>,
    process: ProcessId,
    pub(super) role: Role,
    pace: Pace,
    patience_us: u64,
    /// Whether what it asks is written down, not drawn.
    pub(super) is_scripted: bool,
    /// What is written down and was not asked yet, and when it shall be.
    script: VecDeque<(Micros, Call)>,
    /// When it asks next.
    pub(super) next_call: Micros,
    under_way: Option<UnderWay>,
    /// When it was announced to be woken.
    pub(super) wake_at: Option<Micros>,
    /// Whether it does nothing, whatever comes.
    pub(super) stands_still: bool,
    /// What came meanwhile.
    pub(super) waiting: Vec<(Token, Result<Answered<S>, Lost>)>,
    /// When the clients began, and how often they ask all at once, if they do.
    began: Micros,
    burst_every_us: u64,
    system: PhantomData<S>,
}

/// An operation that is not over.
struct UnderWay {
    open: OpenOperation,
    /// When the machine wants to hear of the time.
    due: Micros,
    asked: Option<(NodeId, Token, u64)>,
}

/// A token holds the client's number and the number of its attempt.
const ATTEMPT_BITS: u32 = 40;

/// Whose token it is.
pub(super) fn client_of(token: Token) -> usize {
    usize::try_from(token.0 >> ATTEMPT_BITS).unwrap_or(usize::MAX)
}

impl<S: OwnSystem> SimClient<S> {
    /// The client `number` of the plan; it stays with the node of that number, counted round.
    pub(super) fn new(plan: &Plan, number: u64, shared: &mut Shared<S>) -> Self {
        let place = usize::try_from(number).unwrap_or(0);
        Self::at(plan, number, plan.home_of(place), plan.role_of(place), shared)
    }

    /// The client `number` of a script.
    pub(super) fn scripted(plan: &Plan, script: &Script, number: u64, shared: &mut Shared<S>) -> Self {
        let of_client = |operation: &&ScriptedOperation| u64::from(operation.client) == number;
        let operations = script.operations.iter().filter(of_client);
        let ScriptedClient { home, patience_ms } = script.clients[usize::try_from(number).unwrap_or(0)];
        let operations = operations.map(|operation| (Micros(operation.at_us), operation.call.clone()));
        let mut client = Self {
            is_scripted: true,
            script: operations.collect(),
            patience_us: patience_ms * 1000,
            ..Self::at(plan, number, NodeId(home), Role::Mixed, shared)
        };
        client.next_call = client.next_in_script();
        client
    }

    /// When the script wants its next operation; never where there is none.
    fn next_in_script(&self) -> Micros {
        self.script.front().map_or(Micros(u64::MAX), |(at, _)| *at)
    }

    /// The next operation of the script.
    pub(super) fn take_scripted(&mut self) -> Option<Call> {
        self.script.pop_front().map(|(_, call)| call)
    }

    /// Clients begin now: times so far were counted from here.
    pub(super) fn count_from(&mut self, began: Micros) {
        self.began = began;
        self.next_call = self.in_burst(began.after(self.next_call.0));
        self.script.iter_mut().for_each(|(at, _)| *at = began.after(at.0));
    }

    /// A client that makes final reads at `home`.
    pub(super) fn reader(plan: &Plan, number: u64, home: NodeId, shared: &mut Shared<S>) -> Self {
        Self::at(plan, number, home, Role::Reader, shared)
    }

    fn at(plan: &Plan, number: u64, home: NodeId, role: Role, shared: &mut Shared<S>) -> Self {
        let patience = plan.patience(role);
        let mut pace = Pace::new(plan.seed, number, plan.clients.into(), plan.rate.into());
        Self {
            number,
            machine: plan.client(home),
            process: shared.fresh_process(number),
            role,
            is_scripted: false,
            script: VecDeque::new(),
            next_call: Micros(pace.next_gap_us()),
            pace,
            patience_us: u64::try_from(patience.as_micros()).unwrap_or(u64::MAX),
            under_way: None,
            wake_at: None,
            stands_still: false,
            waiting: Vec::new(),
            began: Micros(0),
            burst_every_us: plan.simulation.as_ref().map_or(0, |simulation| simulation.traffic.burst_every_us),
            system: PhantomData,
        }
    }

    /// The first moment from then on at which it may ask.
    fn in_burst(&self, at: Micros) -> Micros {
        if self.is_scripted || self.burst_every_us == 0 {
            return at;
        }
        self.began.after(at.since(self.began).next_multiple_of(self.burst_every_us))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// When it wants to be woken.
    pub(super) fn due(&self) -> Micros {
        self.under_way.as_ref().map_or(self.next_call, |under_way| under_way.due)
    }

    /// Makes a call.
    pub(super) fn begin(&mut self, now: Micros, call: Call, is_final: bool, shared: &mut Shared<S>) -> Vec<Wish<S>> {
        let home = self.machine.home();
        let deadline = now.after(self.patience_us);
        let next = self.machine.begin(now, &call, deadline);
        let home = Arc::clone(shared.name(home));
        let open = shared.recording.invoke(time(now), self.process, &home, is_final, call);
        self.under_way = Some(UnderWay { open, due: deadline, asked: None });
        self.follow(now, next, shared)
    }

    /// It is time for what is under way.
    pub(super) fn time(&mut self, now: Micros, shared: &mut Shared<S>) -> Vec<Wish<S>> {
        match self.machine.time(now) {
            Some(next) => self.follow(now, next, shared),
            None => Vec::new(),
        }
    }

    /// A node answered, or the connection to it is lost.
    pub(super) fn answered(
        &mut self,
        now: Micros,
        token: Token,
        result: Result<Answered<S>, Lost>,
        shared: &mut Shared<S>,
    ) -> Vec<Wish<S>> {
        let Some(under_way) = &mut self.under_way else { return Vec::new() };
        let Some((_, _, attempt)) = under_way.asked.take_if(|(_, asked, _)| *asked == token) else {
            return Vec::new();
        };
        let result = match result {
            Ok(response) => Ok(shared.api.respond(response)),
            Err(Lost::Refused) => Err(TransportError::NotSent("connection refused".into())),
            Err(Lost::Broken) => Err(TransportError::Broken("connection reset".into())),
        };
        self.heard(now, attempt, result, shared)
    }

    fn heard(
        &mut self,
        now: Micros,
        attempt: u64,
        result: Result<HttpResponse, TransportError>,
        shared: &mut Shared<S>,
    ) -> Vec<Wish<S>> {
        match self.machine.answered(now, attempt, result) {
            Some(next) => self.follow(now, next, shared),
            None => Vec::new(),
        }
    }

    fn follow(&mut self, now: Micros, next: Next, shared: &mut Shared<S>) -> Vec<Wish<S>> {
        let Some(under_way) = &mut self.under_way else { return Vec::new() };
        let given_up = under_way.asked.take().map(|(node, token, _)| Wish::Abandon { node, token });
        let mut wishes = Vec::from_iter(given_up);
        match next {
            Next::Ask { node, request, attempt, until } => {
                under_way.due = until;
                wishes.extend(self.ask(now, node, &request, attempt, shared));
            }
            Next::Wait { until } => under_way.due = until,
            Next::Done { outcome, node } => wishes.extend(self.over(now, outcome, node, shared)),
        }
        wishes
    }

    fn ask(
        &mut self,
        now: Micros,
        node: NodeId,
        request: &HttpRequest,
        attempt: u64,
        shared: &mut Shared<S>,
    ) -> Vec<Wish<S>> {
        let token = Token((self.number << ATTEMPT_BITS) | attempt);
        match shared.api.route(request) {
            Ok(request) => {
                if let Some(under_way) = &mut self.under_way {
                    under_way.asked = Some((node, token, attempt));
                }
                vec![Wish::Ask { node, token, request }]
            }
            Err(response) => self.heard(now, attempt, Ok(response), shared),
        }
    }

    fn over(&mut self, now: Micros, outcome: Outcome, node: NodeId, shared: &mut Shared<S>) -> Option<Wish<S>> {
        let under_way = self.under_way.take()?;
        let node = Arc::clone(shared.name(node));
        shared.recording.complete(time(now), under_way.open, &node, outcome.clone());
        if matches!(outcome, Outcome::Info(_)) {
            self.process = shared.fresh_process(self.number);
        }
        self.next_call = self.next_call_after(&outcome);
        self.next_call = self.in_burst(now.max(self.next_call));
        Some(Wish::Over { call: shared.recording.call(under_way.open).clone(), outcome })
    }

    fn next_call_after(&mut self, outcome: &Outcome) -> Micros {
        if self.is_scripted {
            return self.next_in_script();
        }
        // A client that was held up does not catch up: bursts would hide what a fault does to latency.
        let mut gap_us = self.pace.next_gap_us();
        if gap_us == 0 && matches!(outcome, Outcome::Fail(_)) {
            gap_us = REFUSED_PAUSE_US;
        }
        self.next_call.after(gap_us)
    }
}

/// The world's time as it stands in a history.
pub(super) fn time(now: Micros) -> TimeNs {
    TimeNs(now.0 * 1000)
}

impl<S: OwnSystem> Run<'_, S> {
    /// From now on exactly these clients do nothing. The others go on where they stood, with whatever has come meanwhile.
    pub(super) fn pause_clients(&mut self, paused: Clients) {
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            let pause = u16::try_from(number).is_ok_and(|number| paused.0.contains(&number));
            if std::mem::replace(&mut client.stands_still, pause) && !pause {
                self.go_on_with(number);
            }
        }
    }

    fn go_on_with(&mut self, number: usize) {
        let now = self.now();
        for (token, result) in std::mem::take(&mut self.clients[number].waiting) {
            let wishes = self.clients[number].answered(now, token, result, &mut self.shared);
            self.fulfil(number, wishes);
        }
        // Whoever was woken in vain is woken again.
        self.clients[number].wake_at = None;
        self.set_alarm(number);
    }
}
