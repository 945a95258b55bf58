//! What stands in the bodies of requests and responses.

use rashomon_history::Value;
use serde::{Deserialize, Serialize};

use crate::lock::session::SessionId;

/// Opens a session.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::lock) struct OpenBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::lock) ttl_ms: Option<u64>,
}

/// Gets permits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::lock) struct AcquireBody {
    #[serde(default = "one")]
    pub(in crate::lock) permits: u32,
    /// Permits that the semaphore has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::lock) of: Option<u32>,
    #[serde(default)]
    pub(in crate::lock) wait_ms: u64,
}

/// Gives permits back.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::lock) struct ReleaseBody {
    #[serde(default = "one")]
    pub(in crate::lock) permits: u32,
}

impl Default for ReleaseBody {
    fn default() -> Self {
        Self { permits: one() }
    }
}

fn one() -> u32 {
    1
}

/// Writes to the resource.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::lock) struct WriteBody {
    pub(in crate::lock) value: OneOrMany,
}

/// A register's value, or the elements of a set.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::lock) enum OneOrMany {
    One(Value),
    Many(Vec<Value>),
}

/// A session was opened.
#[derive(Serialize, Deserialize)]
pub(in crate::lock) struct OpenedBody {
    pub(in crate::lock) session: SessionId,
    pub(in crate::lock) ttl_ms: u64,
}

/// A lease was renewed.
#[derive(Serialize, Deserialize)]
pub(in crate::lock) struct RenewedBody {
    pub(in crate::lock) ok: bool,
    pub(in crate::lock) ttl_ms: u64,
}

/// Permits were granted.
#[derive(Serialize, Deserialize)]
pub(in crate::lock) struct GrantedBody {
    pub(in crate::lock) token: u64,
}

/// It happened.
#[derive(Serialize, Deserialize)]
pub(in crate::lock) struct DoneBody {
    pub(in crate::lock) ok: bool,
}

/// What the resource holds.
#[derive(Serialize, Deserialize)]
pub(in crate::lock) struct ReadBody {
    pub(in crate::lock) value: OneOrMany,
    pub(in crate::lock) version: u64,
    pub(in crate::lock) token: u64,
}

/// The resource was written.
#[derive(Serialize, Deserialize)]
pub(in crate::lock) struct WrittenBody {
    pub(in crate::lock) version: u64,
}
