//! What a terminal shows at the end of a run, whichever world it was in.

use std::io::IsTerminal;

use rashomon_report::{TerminalOptions, VerdictFile, terminal_summary};

use crate::results::RunFolder;

/// Prints what the run came to, and where its files are.
pub(crate) fn print_summary(verdict: &VerdictFile, folder: &RunFolder) {
    let report = folder.report().display().to_string();
    let folder_text = folder.path().display().to_string();
    let options = TerminalOptions {
        colour: std::io::stdout().is_terminal(),
        columns: 100,
        paths: &[("report", &report), ("folder", &folder_text)],
    };
    print!("{}", terminal_summary(verdict, &options));
}
