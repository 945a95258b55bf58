//! Lets a server's outputs out in the order, and with the durability, that [`crate::server`] demands. Whoever gives a
//! server hands, real or simulated, keeps one for each life of it.

use std::collections::VecDeque;

use crate::server::{NodeId, Output, RequestId, Write, WriteId};

/// What is to be done now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect<M, R> {
    /// Begin to make this durable; what waits for it comes out of [`Outlet::release`].
    Write {
        /// The write's name.
        id: WriteId,
        /// What to write.
        write: Write,
    },
    /// Send this to another member.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: M,
    },
    /// Answer a client.
    Reply {
        /// The request's name.
        id: RequestId,
        /// The answer.
        response: R,
    },
}

/// What waits for a write that is not durable yet.
enum Waiting<M, R> {
    Durable(WriteId),
    Send { to: NodeId, message: M },
    Reply { id: RequestId, response: R },
}

/// Holds back what must not leave before a write is durable.
pub struct Outlet<M, R> {
    /// Begins with a write that is not durable, or is empty.
    waiting: VecDeque<Waiting<M, R>>,
}

impl<M, R> Default for Outlet<M, R> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<M, R> Outlet<M, R> {
    /// The server's next output; what it asks for now, if nothing holds it back.
    pub fn offer(&mut self, output: Output<M, R>) -> Option<Effect<M, R>> {
        match output {
            Output::Persist { id, write } => {
                self.waiting.push_back(Waiting::Durable(id));
                Some(Effect::Write { id, write })
            }
            Output::SendNow { to, message } => Some(Effect::Send { to, message }),
            Output::ReplyNow { id, response } => Some(Effect::Reply { id, response }),
            Output::Send { to, message } if self.waiting.is_empty() => Some(Effect::Send { to, message }),
            Output::Reply { id, response } if self.waiting.is_empty() => Some(Effect::Reply { id, response }),
            Output::Send { to, message } => {
                self.waiting.push_back(Waiting::Send { to, message });
                None
            }
            Output::Reply { id, response } => {
                self.waiting.push_back(Waiting::Reply { id, response });
                None
            }
        }
    }

    /// The write `durable` and all before it are durable: the next of what waited for them, until there is no more. The
    /// server hears of it afterwards.
    pub fn release(&mut self, durable: WriteId) -> Option<Effect<M, R>> {
        loop {
            match self.waiting.pop_front()? {
                Waiting::Durable(id) if id > durable => {
                    self.waiting.push_front(Waiting::Durable(id));
                    return None;
                }
                Waiting::Durable(_) => {}
                Waiting::Send { to, message } => return Some(Effect::Send { to, message }),
                Waiting::Reply { id, response } => return Some(Effect::Reply { id, response }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn persist(id: u64) -> Output<&'static str, &'static str> {
        Output::Persist { id: WriteId(id), write: Write::Append(Vec::new()) }
    }

    fn send(message: &'static str) -> Output<&'static str, &'static str> {
        Output::Send { to: NodeId(2), message }
    }

    fn released(outlet: &mut Outlet<&'static str, &'static str>, durable: u64) -> Vec<&'static str> {
        let effects = std::iter::from_fn(|| outlet.release(WriteId(durable)));
        let words = effects.map(|effect| match effect {
            Effect::Send { message, .. } => message,
            Effect::Reply { response, .. } => response,
            Effect::Write { .. } => unreachable!("a write waits for nothing"),
        });
        words.collect()
    }

    #[test]
    fn what_comes_after_a_write_waits_for_it_and_for_all_before() {
        let mut outlet = Outlet::default();
        assert!(matches!(outlet.offer(send("first")), Some(Effect::Send { .. })));
        assert!(matches!(outlet.offer(persist(1)), Some(Effect::Write { .. })));
        assert_eq!(outlet.offer(send("one")), None);
        assert!(matches!(outlet.offer(persist(2)), Some(Effect::Write { .. })));
        assert_eq!(outlet.offer(Output::Reply { id: RequestId(1), response: "two" }), None);
        assert_eq!(released(&mut outlet, 1), ["one"]);
        assert_eq!(outlet.offer(send("three")), None);
        assert_eq!(released(&mut outlet, 2), ["two", "three"]);
        assert!(outlet.offer(send("four")).is_some());
    }

    #[test]
    fn what_depends_on_no_write_overtakes() {
        let mut outlet = Outlet::<_, &str>::default();
        outlet.offer(persist(1));
        assert!(outlet.offer(Output::SendNow { to: NodeId(2), message: "now" }).is_some());
        assert!(outlet.offer(Output::ReplyNow { id: RequestId(1), response: "now" }).is_some());
    }
}
