//! Registers that are hard to search.

use std::time::{Duration, Instant};

use rashomon_checker::models::Register;
use rashomon_checker::{Model, ObjectKey};
use rashomon_history::{Call, Returned, Value};

/// A register that promises nothing.
pub(crate) struct Silent(pub(crate) Register);

impl Model for Silent {
    type Call = Call;
    type Return = Returned;
    type State = Value;

    fn init(&self) -> Value {
        self.0.init()
    }

    fn step(&self, state: &Value, call: &Call, returned: Option<&Returned>) -> Option<Value> {
        self.0.step(state, call, returned)
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        self.0.object(call)
    }
}

/// A register of which every step takes a millisecond.
pub(crate) struct Slow(pub(crate) Register);

impl Model for Slow {
    type Call = Call;
    type Return = Returned;
    type State = Value;

    fn init(&self) -> Value {
        self.0.init()
    }

    fn step(&self, state: &Value, call: &Call, returned: Option<&Returned>) -> Option<Value> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(1) {
            std::hint::spin_loop();
        }
        self.0.step(state, call, returned)
    }
}
