//! Whose data folder it is. A member that starts on the folder of another one would take over its vote and its log.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::NodeError;
use crate::server::NodeId;

#[derive(PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Identity {
    cluster: String,
    node: NodeId,
}

impl Identity {
    fn describe(&self) -> String {
        format!("{} of cluster {:?}", self.node, self.cluster)
    }
}

/// Writes down whose folder it is, or makes sure that it is ours.
pub(super) fn claim(folder: &Path, cluster: &str, node: NodeId) -> Result<(), NodeError> {
    let path = folder.join("identity.json");
    let error = |doing| {
        let path = path.clone();
        move |cause| NodeError::File { doing, path, cause }
    };
    fs::create_dir_all(folder).map_err(|cause| NodeError::File { doing: "creating", path: folder.into(), cause })?;
    let ours = Identity { cluster: cluster.into(), node };
    match fs::read(&path) {
        Ok(bytes) => {
            let found: Identity = serde_json::from_slice(&bytes).map_err(io::Error::from).map_err(error("reading"))?;
            if found == ours {
                return Ok(());
            }
            Err(NodeError::WrongFolder { path, found: found.describe(), expected: ours.describe() })
        }
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => write(folder, &ours).map_err(error("writing")),
        Err(other) => Err(error("reading")(other)),
    }
}

fn write(folder: &Path, identity: &Identity) -> io::Result<()> {
    let temporary = folder.join("identity.json.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(&serde_json::to_vec(identity)?)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join("identity.json"))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_the_node_that_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("n1");
        claim(&data, "c", NodeId(1)).unwrap();
        claim(&data, "c", NodeId(1)).unwrap();
        for (cluster, node) in [("c", 2), ("d", 1)] {
            let error = claim(&data, cluster, NodeId(node)).unwrap_err();
            assert!(error.to_string().contains("belongs to n1 of cluster \"c\""), "{error}");
        }
    }
}
