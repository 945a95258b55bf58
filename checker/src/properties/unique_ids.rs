//! No identifier is given twice.

use rashomon_history::{Call, Key, Outcome, Returned, Value};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    for name in ["attempt", "acknowledged", AnomalyKind::Duplicated.name()] {
        run.count(name, 0);
    }
    let mut keys: Numbers<&Key> = Numbers::new();
    let mut ids: Numbers<(usize, &Value)> = Numbers::new();
    let mut first: Vec<u32> = Vec::new();
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        let Call::Generate { key } = &operation.call else { return Err(Halt::NotOfTheProperty(position)) };
        run.count("attempt", 1);
        let Outcome::Ok(returned) = &operation.outcome else { continue };
        let Returned::Value(id) = plain(returned) else { return Err(Halt::NotOfTheProperty(position)) };
        run.count("acknowledged", 1);
        let object = keys.number(run, key)?;
        let number = ids.number(run, (object, id))?;
        if number == first.len() {
            run.push(&mut first, position)?;
            continue;
        }
        let other = first[number];
        run.violation(AnomalyKind::Duplicated, Some(key), &[other, position], |story| {
            format!("{}, and {}: the same identifier was given twice.", story.whole(other), story.whole(position))
        });
    }
    run.objects(keys.len());
    let doubt =
        (run.counted("acknowledged") < 2).then(|| PropertyWhy::nothing("fewer than two identifiers were given"));
    Ok(doubt)
}
