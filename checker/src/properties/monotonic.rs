//! What a process is told of one object never goes down: versions, fencing tokens, offsets of sent records and, where asked
//! for, the numbers that reads see.

use rashomon_history::{Call, Key, Outcome, Returned, Value};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};

/// What kind of number it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Carries {
    Version,
    Token,
    Offset,
    Value,
}

impl Carries {
    fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Token => "token",
            Self::Offset => "offset",
            Self::Value => "value",
        }
    }
}

/// The highest number so far, and who was told it.
#[derive(Clone, Copy)]
struct Highest {
    number: i128,
    position: u32,
}

struct Monotonic<'a> {
    objects: Numbers<Option<&'a Key>>,
    /// What one process is told of one object.
    streams: Numbers<(u64, usize, Carries)>,
    highest: Vec<Highest>,
}

pub(super) fn check(run: &mut Run<'_>, values: bool) -> Result<Doubt, Halt> {
    for name in ["observed", "compared", AnomalyKind::NonMonotonic.name()] {
        run.count(name, 0);
    }
    let mut all = Monotonic { objects: Numbers::new(), streams: Numbers::new(), highest: Vec::new() };
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        let Outcome::Ok(returned) = &operation.outcome else { continue };
        if let Returned::Versioned { version, .. } = returned {
            all.see(run, position, Carries::Version, i128::from(*version))?;
        }
        let is_number = values && matches!(operation.call, Call::Read { .. } | Call::Increment { .. });
        match plain(returned) {
            Returned::Token(token) => all.see(run, position, Carries::Token, i128::from(*token))?,
            Returned::Offset(offset) => all.see(run, position, Carries::Offset, i128::from(*offset))?,
            Returned::Value(Value::Int(value)) if is_number => {
                all.see(run, position, Carries::Value, i128::from(*value))?;
            }
            _ => {}
        }
    }
    run.objects(all.objects.len());
    let doubt = (run.counted("compared") == 0)
        .then(|| PropertyWhy::nothing("no process was told two versions, tokens, offsets or values of one object"));
    Ok(doubt)
}

impl<'a> Monotonic<'a> {
    fn see(&mut self, run: &mut Run<'a>, position: u32, carries: Carries, number: i128) -> Result<(), Halt> {
        let operation = run.operation(position);
        let key = operation.call.key();
        let object = self.objects.number(run, key)?;
        let stream = self.streams.number(run, (operation.process.0, object, carries))?;
        run.count("observed", 1);
        if stream == self.highest.len() {
            return run.push(&mut self.highest, Highest { number, position });
        }
        run.count("compared", 1);
        let before = self.highest[stream];
        if number < before.number {
            run.violation(AnomalyKind::NonMonotonic, key, &[before.position, position], |story| {
                let (earlier, later) = (story.whole(before.position), story.whole(position));
                let (name, from) = (carries.name(), before.number);
                format!("{earlier}; then {later}: the {name} went down from {from} to {number}.")
            });
        } else {
            self.highest[stream] = Highest { number, position };
        }
        Ok(())
    }
}
