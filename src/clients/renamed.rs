//! Clients whose keys are those of one run alone. Who runs their own servers has other data there, and that of earlier runs.

use rashomon_external::{Client, Future};
use rashomon_history::{Call, Key, MicroOp, Outcome, Returned};
use tokio::time::Instant;

/// A client that puts something after every key, and takes it away from every answer. Not before: the first letter says to some
/// clients what is there.
pub(super) struct Renamed {
    client: Box<dyn Client>,
    suffix: String,
}

impl Renamed {
    pub(super) fn new(client: Box<dyn Client>, suffix: String) -> Self {
        Self { client, suffix }
    }
}

impl Client for Renamed {
    fn call<'a>(&'a mut self, call: &'a Call, until: Instant) -> Future<'a, Outcome> {
        Box::pin(async move {
            let mut renamed = call.clone();
            for key in keys_of_call(&mut renamed) {
                *key = Key::from(format!("{key}{}", self.suffix));
            }
            let mut outcome = self.client.call(&renamed, until).await;
            if let Outcome::Ok(returned) = &mut outcome {
                for key in keys_of_returned(returned) {
                    if let Some(own) = key.as_str().strip_suffix(&self.suffix) {
                        *key = Key::from(own);
                    }
                }
            }
            outcome
        })
    }
}

fn keys_of_call(call: &mut Call) -> Vec<&mut Key> {
    match call {
        Call::Read { key }
        | Call::Write { key, .. }
        | Call::Cas { key, .. }
        | Call::Append { key, .. }
        | Call::Add { key, .. }
        | Call::Remove { key, .. }
        | Call::Contains { key, .. }
        | Call::Delete { key }
        | Call::Increment { key, .. }
        | Call::Enqueue { key, .. }
        | Call::Dequeue { key }
        | Call::Drain { key }
        | Call::Acquire { key, .. }
        | Call::Release { key, .. }
        | Call::Generate { key }
        | Call::Send { key, .. } => vec![key],
        Call::Transfer { from, to, .. } => vec![from, to],
        Call::Poll { keys } | Call::Assign { keys } => keys.iter_mut().collect(),
        Call::Txn { ops } => ops.iter_mut().map(key_of).collect(),
        Call::OpenSession { .. } | Call::KeepAlive { .. } => Vec::new(),
    }
}

fn keys_of_returned(returned: &mut Returned) -> Vec<&mut Key> {
    match returned {
        Returned::Map(entries) => entries.iter_mut().map(|(key, _)| key).collect(),
        Returned::Records(records) => records.iter_mut().map(|record| &mut record.key).collect(),
        Returned::Txn(ops) => ops.iter_mut().map(key_of).collect(),
        Returned::Versioned { returned, .. } => keys_of_returned(returned),
        Returned::Done
        | Returned::Value(_)
        | Returned::List(_)
        | Returned::Swapped
        | Returned::NotSwapped { .. }
        | Returned::Flag(_)
        | Returned::Token(_)
        | Returned::Offset(_) => Vec::new(),
    }
}

fn key_of(op: &mut MicroOp) -> &mut Key {
    match op {
        MicroOp::Read { key, .. } | MicroOp::Write { key, .. } | MicroOp::Append { key, .. } => key,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Answers a transaction with itself, and keeps what it was asked.
    struct Echo(Arc<Mutex<Vec<Call>>>);

    impl Client for Echo {
        fn call<'a>(&'a mut self, call: &'a Call, _: Instant) -> Future<'a, Outcome> {
            self.0.lock().unwrap().push(call.clone());
            let returned = match call {
                Call::Txn { ops } => Returned::Txn(ops.clone()),
                _ => Returned::Done,
            };
            Box::pin(std::future::ready(Outcome::Ok(returned)))
        }
    }

    #[tokio::test]
    async fn servers_see_the_keys_of_the_run_and_histories_see_those_of_the_workload() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut client = Renamed::new(Box::new(Echo(Arc::clone(&asked))), "@run-7".into());
        let ops =
            vec![MicroOp::Read { key: "l1".into(), seen: None }, MicroOp::Append { key: "l2".into(), value: 3.into() }];
        let call = Call::Txn { ops: ops.clone() };
        let outcome = client.call(&call, Instant::now()).await;
        assert_eq!(outcome, Outcome::Ok(Returned::Txn(ops)));
        client.call(&Call::Read { key: "r1".into() }, Instant::now()).await;
        let asked = asked.lock().unwrap();
        let keys = |call: &Call| keys_of_call(&mut call.clone()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(keys(&asked[0]), ["l1@run-7", "l2@run-7"]);
        assert_eq!(keys(&asked[1]), ["r1@run-7"]);
    }
}
