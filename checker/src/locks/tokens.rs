//! Holds in the order of their fencing tokens.
//!
//! The tokens tell the order of the holds that have one, so each must be able to begin after all holds of smaller tokens
//! have ended: its first completion may not be earlier than the last invocation of any of them. Holds without a token
//! are brief (an acquire of unknown outcome and the release that needed it); they are put between the others by time
//! alone. If two holds with tokens each had to be on another side of such a one, it would lie inside one of them.

use super::clash::LockContradiction;
use super::owners::Owners;
use super::schedule::{Hold, Moment, schedule};
use super::{AMBIGUOUS, Failed, LockOperation};

/// A moment for each hold, or why there is none.
pub(super) fn moments<O>(
    operations: &[LockOperation<O>],
    owners: &Owners,
    holds: &[Hold],
    is_reentrant: bool,
) -> Result<Vec<Moment>, Failed> {
    let token = |hold: u32| operations[holds[hold as usize].first as usize].token();
    let (mut with_token, without): (Vec<u32>, Vec<u32>) =
        (0..holds.len() as u32).partition(|hold| token(*hold).is_some());
    if without.iter().any(|hold| !holds[*hold as usize].is_brief()) {
        return Err(Failed::NotApplicable("a hold whose token nobody knows takes time"));
    }
    // By time alone, and with it the places of those without a token.
    let mut moments = schedule(holds, 1)?;
    with_token.sort_unstable_by_key(|hold| (token(*hold), holds[*hold as usize].first));
    // Of the holds before, the one that ends last.
    let mut latest: Option<u32> = None;
    let mut time = 0;
    let mut last: Option<u32> = None;
    for (rank, number) in (1..).zip(with_token) {
        let hold = &holds[number as usize];
        if let Some(last) = last.replace(number).filter(|last| token(*last) == token(number)) {
            return Err(reused(owners, &holds[last as usize], hold, is_reentrant));
        }
        if hold.first_completed < time {
            let Some(smaller) = latest else { unreachable!("no time passes before the first hold") };
            return Err(out_of_order(operations, &holds[smaller as usize], hold));
        }
        let begins = if hold.is_brief() { time.max(hold.last_invoked) } else { hold.first_completed };
        moments[number as usize] = Moment { time: begins, rank };
        if latest.is_none() || hold.last_invoked > time {
            latest = Some(number);
            time = hold.last_invoked.max(time);
        }
    }
    Ok(moments)
}

/// Two holds have the same token. (An acquire of unknown outcome may have made them one.)
fn reused(owners: &Owners, first: &Hold, second: &Hold, is_reentrant: bool) -> Failed {
    let owner = owners.of[first.first as usize];
    let is_one_owner = owner == owners.of[second.first as usize];
    if is_reentrant && is_one_owner && !owners.unknown_acquires(owner).is_empty() {
        return AMBIGUOUS;
    }
    Failed::Contradiction(LockContradiction::TokenReused { first: first.first, end: first.end(), second: second.first })
}

/// The hold of the larger token began before that of the smaller one could end.
fn out_of_order<O>(operations: &[LockOperation<O>], smaller: &Hold, larger: &Hold) -> Failed {
    let is_granted_later = larger.first_completed < operations[smaller.first as usize].invoked;
    if !is_granted_later && !smaller.is_certain {
        return AMBIGUOUS;
    }
    let end = smaller.end();
    Failed::Contradiction(LockContradiction::TokenOrder { smaller: smaller.first, end, larger: larger.first })
}
