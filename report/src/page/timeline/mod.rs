//! The clients side by side: one lane a process, one bar an operation.

mod draw;
mod scene;

pub(super) use draw::draw;
pub(super) use scene::{Scene, distance, nearest};
