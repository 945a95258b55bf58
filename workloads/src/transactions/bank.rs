//! A bank: money moves between accounts, and all accounts together hold the same at every moment.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome};

use super::decisions;
use crate::{Asker, Generator};

/// Accounts `a1` to `a5`, which all begin with the same balance.
const ACCOUNTS: usize = 5;
const FIRST_BALANCE: i64 = 100;
/// What all accounts of the bank hold together.
pub const BANK_TOTAL: i64 = ACCOUNTS as i64 * FIRST_BALANCE;
/// Large enough that an account is empty now and then, and a transfer must be refused.
const MOST_MOVED: u64 = 30;

pub(crate) struct BankGenerator {
    draw: Draw,
}

impl BankGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { draw: Draw::stream(seed, "calls") }
    }
}

fn account(number: usize) -> Key {
    Key::from(format!("a{}", number + 1))
}

fn all_accounts() -> Call {
    Call::Read { key: Key::from("") }
}

impl Generator for BankGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        if self.draw.chance(asker.role.reads_percent()) {
            return all_accounts();
        }
        let from = self.draw.below(ACCOUNTS);
        let to = (from + 1 + self.draw.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = i64::try_from(self.draw.between(1, MOST_MOVED)).unwrap_or(1);
        Call::Transfer { from: account(from), to: account(to), amount }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        vec![all_accounts(), decisions()]
    }
}
