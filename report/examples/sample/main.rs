//! Writes sample pages from made-up runs, so that anyone can look at a page without running a cluster.
//!
//!     cargo run -p rashomon-report --example sample -- target/samples
//!
//! The same samples come out every time.

mod locks;
mod messages;
mod run;
mod samples;

use std::error::Error;
use std::path::PathBuf;

use rashomon_report::{ReportInput, TerminalOptions, render, terminal_summary};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("say where to: sample FOLDER")?);
    for sample in samples::all()? {
        let folder = folder.join(sample.name);
        std::fs::create_dir_all(&folder)?;
        let input = ReportInput {
            title: "raft register",
            verdict: &sample.verdict,
            history: &sample.history,
            plan: &sample.plan,
            links: &sample.links,
            lamport: sample.lamport.as_ref(),
            lease_ttl: sample.lease_ttl,
        };
        let page = folder.join("report.html");
        std::fs::write(&page, render(&input))?;
        std::fs::write(folder.join("verdict.json"), serde_json::to_vec_pretty(&sample.verdict)?)?;
        let page = page.display().to_string();
        let options = TerminalOptions { colour: false, columns: 90, paths: &[("report", &page)] };
        println!("{}", terminal_summary(&sample.verdict, &options));
    }
    Ok(())
}
