//! Writes generated histories to files, for other checkers to be measured on the same ones.
//! `cargo bench -p rashomon-checker --bench histories -- FOLDER [NAME...]`, as `benches/checker-vs-peers` does.

#[path = "../speed/generate.rs"]
mod generate;
#[path = "../speed/generate_transactions.rs"]
mod generate_transactions;
mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use generate::{Recipe, queue, registers};
use generate_transactions::Generated;
use write::{write_queue, write_registers, write_transactions};

/// What a file holds.
enum Content {
    Registers,
    Queue,
    Lists,
    TransactionRegisters,
}

const VALID: Recipe = Recipe { operations: 1_000, clients: 10, keys: 1, unknown_percent: 0, is_stale: false, seed: 1 };
const TEN_THOUSAND: Recipe = Recipe { operations: 10_000, ..VALID };
const HUNDRED_THOUSAND: Recipe = Recipe { operations: 100_000, clients: 50, ..VALID };
const MILLION: Recipe = Recipe { operations: 1_000_000, clients: 50, ..VALID };

const FILES: [(&str, Content, Recipe); 17] = [
    ("a_1k_c10", Content::Registers, VALID),
    ("a_1k_c20", Content::Registers, Recipe { clients: 20, ..VALID }),
    ("a_1k_c50", Content::Registers, Recipe { clients: 50, ..VALID }),
    ("a_10k_c10", Content::Registers, TEN_THOUSAND),
    ("a_1m_c50", Content::Registers, MILLION),
    ("b_1k_c10", Content::Registers, Recipe { is_stale: true, ..VALID }),
    ("b_100k_c50", Content::Registers, Recipe { is_stale: true, ..HUNDRED_THOUSAND }),
    ("c_10k_c10_valid", Content::Registers, Recipe { unknown_percent: 5, ..TEN_THOUSAND }),
    ("c_10k_c10", Content::Registers, Recipe { unknown_percent: 5, is_stale: true, ..TEN_THOUSAND }),
    ("d_100k_c50", Content::Registers, Recipe { keys: 1_000, ..HUNDRED_THOUSAND }),
    ("d_1m_c50", Content::Registers, Recipe { keys: 1_000, ..MILLION }),
    ("e_1k_c2", Content::Queue, Recipe { clients: 2, ..VALID }),
    ("e_1m_c50", Content::Queue, MILLION),
    ("la_10k", Content::Lists, TEN_THOUSAND),
    ("la_100k", Content::Lists, HUNDRED_THOUSAND),
    ("la_1m", Content::Lists, MILLION),
    ("rw_100k", Content::TransactionRegisters, HUNDRED_THOUSAND),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let Some((folder, wanted)) = arguments.split_first() else {
        println!("histories: no folder was named, so nothing is written");
        return ExitCode::SUCCESS;
    };
    for (name, content, recipe) in &FILES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let path: PathBuf = Path::new(folder).join(name).with_extension("jsonl");
        let written = match content {
            Content::Registers => write_registers(&path, &registers(recipe)),
            Content::Queue => write_queue(&path, &queue(recipe)),
            Content::Lists => write_transactions(&path, &transactions(recipe.operations, true)),
            Content::TransactionRegisters => write_transactions(&path, &transactions(recipe.operations, false)),
        };
        if let Err(error) = written {
            eprintln!("writing {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn transactions(transactions: usize, is_list: bool) -> Generated {
    let recipe = generate_transactions::Recipe {
        transactions,
        is_list,
        unknown_percent: 0,
        stale_of_10_000: 0,
        has_stale_read: false,
    };
    generate_transactions::generate(recipe)
}
