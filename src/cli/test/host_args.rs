//! Options of `rashomon test` for hosts that the user runs.

use anyhow::anyhow;
use clap::Args;

use crate::cli::Failure;
use crate::plan::{HostCommands, Hosts};

/// Of hosts that the user runs.
#[derive(Args)]
#[command(next_help_heading = "Hosts of yours, for real systems")]
pub(super) struct HostArgs {
    /// Send clients to servers that you run, instead of starting any: their addresses, with commas between. Nothing is broken
    /// but by the commands below, which a shell runs for one host at a time with RASHOMON_NODE (n1, n2, ...) and RASHOMON_HOST
    /// in its environment; each has to be done within 10 s, and to fail where it could not do it. The last line that it prints
    /// goes into the history
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',')]
    hosts: Vec<String>,
    /// For the workloads of locks: where the store is that they guard (`rashomon node resource`)
    #[arg(long, value_name = "HOST:PORT", requires = "hosts")]
    resource: Option<String>,
    /// Kills the server of a host at once, as kill -9 does
    #[arg(long, value_name = "COMMAND", requires = "hosts")]
    kill_command: Option<String>,
    /// Starts a killed server again
    #[arg(long, value_name = "COMMAND", requires = "hosts")]
    start_command: Option<String>,
    /// Lets the server of a host stand still, as SIGSTOP does
    #[arg(long, value_name = "COMMAND", requires = "hosts")]
    pause_command: Option<String>,
    /// Lets it go on
    #[arg(long, value_name = "COMMAND", requires = "hosts")]
    resume_command: Option<String>,
    /// Lets a host drop all packets from the hosts in RASHOMON_DROP, with spaces between, and from no others: from none, where
    /// it is empty. The packets of clients have to pass
    #[arg(long, value_name = "COMMAND", requires = "hosts")]
    partition_command: Option<String>,
}

impl HostArgs {
    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The hosts, if there are any.
    pub(super) fn hosts(&self, seed: u64) -> Result<Option<Hosts>, Failure> {
        if self.is_empty() {
            return Ok(None);
        }
        let is_odd = |text: &&String| {
            text.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err())
        };
        if let Some(odd) = self.hosts.iter().chain(&self.resource).find(is_odd) {
            return Err(Failure::Input(anyhow!("{odd:?} must look like HOST:PORT")));
        }
        let commands = HostCommands {
            kill: self.kill_command.clone(),
            start: self.start_command.clone(),
            pause: self.pause_command.clone(),
            resume: self.resume_command.clone(),
            partition: self.partition_command.clone(),
        };
        // Of two runs with the same seed each finds its own keys only.
        let now = jiff::Timestamp::now().as_millisecond();
        let key_suffix = format!("@rashomon-{seed}-{now}");
        let (addresses, resource) = (self.hosts.clone(), self.resource.clone());
        Ok(Some(Hosts { addresses, resource, commands, key_suffix }))
    }
}
