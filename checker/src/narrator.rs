//! Who and when, in words.

/// Tells who made an operation and when, the way the history's reader knows it.
pub trait Narrator: Sync {
    /// Who made it: `process 3`, with the node where it is known.
    fn who(&self, position: usize) -> String;
    /// When it was invoked: `1.204 s`.
    fn invoked(&self, position: usize) -> String;
    /// When it came back: `1.210 s`, or `never`.
    fn completed(&self, position: usize) -> String;
}

/// Knows only positions.
pub(crate) struct Nobody;

impl Narrator for Nobody {
    fn who(&self, position: usize) -> String {
        format!("operation {position}")
    }

    fn invoked(&self, _: usize) -> String {
        "its invocation".into()
    }

    fn completed(&self, _: usize) -> String {
        "its completion".into()
    }
}
