//! `rashomon list`: what there is to choose from.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use rashomon_external::Description;
use rashomon_external::description::Setting;
use rashomon_nemesis::FaultKind;
use rashomon_systems::planted::{PlantedBug, PlantedBugDescription};
use rashomon_workloads::{Model, Workload};

use crate::plan::System;

#[derive(Args)]
pub(crate) struct ListArgs {
    /// What to list; everything when left out
    what: Option<Catalogue>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Catalogue {
    /// Clusters that can be tested
    Systems,
    /// What clients can ask
    Workloads,
    /// What the nemesis can do
    Faults,
    /// Bugs that can be planted in the own systems with --bug
    Bugs,
    /// What `rashomon check` can check
    Models,
}

pub(crate) fn run(args: &ListArgs) -> ExitCode {
    let chosen = match args.what {
        Some(what) => vec![what],
        None => Catalogue::value_variants().to_vec(),
    };
    let alone = chosen.len() == 1;
    for what in chosen {
        let (title, rows) = what.rows();
        if !alone {
            println!("{title}");
        }
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, description) in rows {
            println!("  {name:width$}  {description}");
        }
        if !alone {
            println!();
        }
    }
    ExitCode::SUCCESS
}

impl Catalogue {
    fn rows(self) -> (&'static str, Vec<(String, String)>) {
        match self {
            Self::Systems => {
                let own = System::OWN.iter().map(|system| (system.to_string(), system_row(*system)));
                let real = Description::built_in().iter().map(|system| (system.name.clone(), real_row(system)));
                ("Systems", own.chain(real).collect())
            }
            Self::Workloads => (
                "Workloads",
                Workload::ALL.iter().map(|workload| (workload.to_string(), workload.description().into())).collect(),
            ),
            Self::Faults => {
                ("Faults", FaultKind::ALL.iter().map(|kind| (kind.to_string(), kind.description().into())).collect())
            }
            Self::Bugs => ("Bugs", PlantedBug::all().map(|bug| (bug.to_string(), bug_row(bug))).collect()),
            Self::Models => {
                ("Models", Model::ALL.iter().map(|model| (model.to_string(), model.description().into())).collect())
            }
        }
    }
}

fn system_row(system: System) -> String {
    let workloads: Vec<_> = system.workloads().iter().map(ToString::to_string).collect();
    format!("{}; workloads: {}", system.description(), workloads.join(", "))
}

fn real_row(system: &Description) -> String {
    let workloads: Vec<_> = system.workloads.iter().map(ToString::to_string).collect();
    let setting = |(name, setting): (&String, &Setting)| {
        let values = if setting.values.is_empty() { "any value".into() } else { setting.values.join("|") };
        format!("{name}={values}, usually {}: {}", setting.usual, setting.about)
    };
    let settings: Vec<String> = system.settings.iter().map(setting).collect();
    let settings = if settings.is_empty() { String::new() } else { format!("; --set {}", settings.join("; ")) };
    format!("{}; workloads: {}{settings}", system.about, workloads.join(", "))
}

fn bug_row(bug: PlantedBug) -> String {
    let (system, PlantedBugDescription { wrong, switched_off: off, breaks, found_by }) =
        (System::of(bug), bug.description());
    let off = if off.is_empty() { String::new() } else { format!(" (without {}, which hides it)", off.join(" and ")) };
    format!("{system}: {wrong}{off}; breaks {}; found by {found_by}", breaks.join(", "))
}
