use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use super::*;

/// Says all it is told to say, in order.
#[derive(Default)]
struct Parrot {
    inputs: Rc<RefCell<Vec<String>>>,
    writes: u64,
    deadline: Micros,
    ticks: u64,
}

/// Each letter is one output: `p` persist, `s` send, `S` send now, `r` reply, `R` reply now.
type Script = &'static str;

impl Server for Parrot {
    type Message = String;
    type Request = Script;
    type Response = u64;

    fn step(&mut self, now: Micros, input: Input<String, Script>, outputs: &mut Vec<Output<String, u64>>) {
        match input {
            Input::Tick => {
                self.ticks += 1;
                self.deadline = now.after(2_000);
            }
            Input::Message { from, message } => self.inputs.borrow_mut().push(format!("{from} says {message}")),
            Input::Abandon { id } => self.inputs.borrow_mut().push(format!("abandon {}", id.0)),
            Input::Persisted(id) => self.inputs.borrow_mut().push(format!("persisted {}", id.0)),
            Input::Request { id, request } => outputs.extend(request.chars().map(|letter| match letter {
                'p' => {
                    self.writes += 1;
                    Output::Persist { id: WriteId(self.writes), write: Write::Append(vec![Bytes::new()]) }
                }
                'S' => Output::SendNow { to: NodeId(2), message: format!("{} of {} now", self.writes, id.0) },
                'R' => Output::ReplyNow { id, response: self.writes },
                's' => Output::Send { to: NodeId(2), message: format!("{} of {}", self.writes, id.0) },
                _ => Output::Reply { id, response: self.writes },
            })),
        }
    }

    fn flush(&mut self, _now: Micros, _outputs: &mut Vec<Output<String, u64>>) {}

    fn deadline(&self) -> Micros {
        self.deadline
    }

    fn status(&self) -> Status {
        Status { applied_index: self.ticks, ..Status::default() }
    }
}

/// Writes down what the driver does.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Hands<String> for Notes {
    fn send(&self, _to: NodeId, message: &String) {
        self.0.borrow_mut().push(format!("send {message}"));
    }

    fn submit(&self, id: WriteId, _write: Write) {
        self.0.borrow_mut().push(format!("write {}", id.0));
    }
}

struct Rig {
    driver: Driver<Parrot, Notes>,
    asker: Asker<Parrot>,
    notes: Notes,
    inputs: Rc<RefCell<Vec<String>>>,
}

fn rig() -> Rig {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (notes, inputs) = (Notes::default(), Rc::default());
    let parrot = Parrot { inputs: Rc::clone(&inputs), ..Parrot::default() };
    let driver = Driver::new(parrot, notes.clone(), receiver, Instant::now());
    Rig { driver, asker: Asker::new(sender), notes, inputs }
}

impl Rig {
    /// Takes these events as one batch.
    fn batch(&mut self, events: Vec<Event<Parrot>>) {
        for event in events {
            self.driver.take(Micros(1), event).unwrap();
        }
        self.driver.finish_batch(Micros(1));
    }

    fn request(&mut self, id: u64, request: Script) -> (Event<Parrot>, oneshot::Receiver<u64>) {
        let (reply, answer) = oneshot::channel();
        (Event::Request { id: RequestId(id), request, reply }, answer)
    }

    fn notes(&self) -> Vec<String> {
        self.notes.0.borrow_mut().drain(..).collect()
    }
}

#[test]
fn what_comes_after_a_write_waits_until_it_is_durable() {
    let mut rig = rig();
    let (first, mut first_answer) = rig.request(1, "sprs");
    let (second, mut second_answer) = rig.request(2, "spr");
    rig.batch(vec![first, second]);
    assert_eq!(rig.notes(), ["send 0 of 1", "write 1", "write 2"]);
    assert!(first_answer.try_recv().is_err());

    rig.batch(vec![Event::Durable(Ok(WriteId(1)))]);
    assert_eq!(rig.notes(), ["send 1 of 1", "send 1 of 2"]);
    assert_eq!(first_answer.try_recv(), Ok(1));
    assert!(second_answer.try_recv().is_err());
    assert_eq!(*rig.inputs.borrow(), ["persisted 1"]);

    rig.batch(vec![Event::Durable(Ok(WriteId(2)))]);
    assert_eq!(second_answer.try_recv(), Ok(2));
    let (third, mut third_answer) = rig.request(3, "sr");
    rig.batch(vec![third]);
    assert_eq!(rig.notes(), ["send 2 of 3"]);
    assert_eq!(third_answer.try_recv(), Ok(2));
}

#[test]
fn what_depends_on_no_write_overtakes_what_does() {
    let mut rig = rig();
    let (first, mut first_answer) = rig.request(1, "psr");
    let (second, mut second_answer) = rig.request(2, "SR");
    rig.batch(vec![first, second]);
    assert_eq!(rig.notes(), ["write 1", "send 1 of 2 now"]);
    assert_eq!(second_answer.try_recv(), Ok(1));
    assert!(first_answer.try_recv().is_err());
}

#[test]
fn one_report_covers_all_writes_before_it() {
    let mut rig = rig();
    let (first, _first_answer) = rig.request(1, "psps");
    rig.batch(vec![first]);
    rig.notes();
    rig.batch(vec![Event::Durable(Ok(WriteId(2)))]);
    assert_eq!(rig.notes(), ["send 1 of 1", "send 2 of 1"]);
    assert_eq!(*rig.inputs.borrow(), ["persisted 2"]);
}

#[test]
fn a_failing_disk_ends_the_driver() {
    let mut rig = rig();
    let cause = std::io::Error::other("broken");
    let error = WalError::Io { doing: "syncing", path: "log".into(), cause };
    assert!(rig.driver.take(Micros(1), Event::Durable(Err(error))).is_err());
}

#[tokio::test]
async fn a_client_that_goes_away_is_abandoned_and_one_that_was_answered_is_not() {
    let Rig { driver, asker, inputs, .. } = rig();
    let client = async {
        assert_eq!(asker.ask("r").await, Ok(0));
        let lost = tokio::time::timeout(Duration::from_millis(20), asker.ask("p")).await;
        assert!(lost.is_err(), "the write is never durable here");
        while asker.status().await.unwrap().applied_index < 3 {
            tokio::task::yield_now().await;
        }
        asker.events.send(Event::Stop).unwrap();
    };
    let (result, ()) = tokio::join!(driver.run(), client);
    assert!(result.is_ok());
    assert_eq!(*inputs.borrow(), ["abandon 2"]);
    assert_eq!(asker.ask("r").await, Err(Stopped));
}
