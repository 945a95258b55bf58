//! `rashomon install`: the programs of real systems, unpacked where `rashomon test` finds them.

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use rashomon_external::{Description, Installer};

use super::Failure;

const ABOUT: &str = "\
Programs of the right version that are installed on this machine are left as they are. All others are downloaded as packages
and unpacked in $XDG_CACHE_HOME/rashomon/systems or ~/.cache/rashomon/systems: no service is started or changed, and no rights
are needed. To remove them, remove that folder.";

#[derive(Args)]
#[command(after_help = ABOUT)]
pub(crate) struct InstallArgs {
    /// Real systems (`rashomon list systems`), or paths of TOML files that describe one; all that are built in, when left out
    systems: Vec<String>,
}

/// Installs what was asked for; one that can't be had does not keep the others away.
pub(crate) fn run(args: &InstallArgs) -> Result<ExitCode, Failure> {
    let descriptions = match args.systems.as_slice() {
        [] => Description::built_in().to_vec(),
        names => names
            .iter()
            .map(|name| Description::find(name))
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::Input(error.into()))?,
    };
    let installer = Installer::new().context("installing real systems").map_err(Failure::Internal)?;
    let mut failed = Vec::new();
    for Description { name, install, .. } in &descriptions {
        match installer.install(install, &mut |line| eprintln!("{name}: {line}")) {
            Ok(programs) => println!("{name}: {programs}"),
            Err(error) => {
                eprintln!("{name}: {error}");
                failed.push(name.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::Internal(anyhow!("{} can't be installed here", failed.join(", "))))
}
