//! Clock faults: a node's clock does not agree with the others'.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Target;

/// Some clocks jump forward, and then run at another rate for a while. A clock never goes back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClockFault {
    /// Whose clocks.
    pub of: Target,
    /// What they do.
    pub trouble: ClockTrouble,
}

/// What a clock does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClockTrouble {
    /// It jumps forward by so many milliseconds when the fault begins.
    pub ahead_ms: u32,
    /// In a second it shows so many microseconds more than a second, or less.
    pub rate_ppm: i32,
}

impl fmt::Display for ClockTrouble {
    /// `300 ms ahead, 5% faster`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = f64::from(self.rate_ppm.unsigned_abs()) / 10_000.0;
        let way = if self.rate_ppm < 0 { "slower" } else { "faster" };
        match (self.ahead_ms, self.rate_ppm) {
            (0, 0) => f.write_str("as ever"),
            (0, _) => write!(f, "{percent}% {way}"),
            (ahead, 0) => write!(f, "{ahead} ms ahead"),
            (ahead, _) => write!(f, "{ahead} ms ahead, {percent}% {way}"),
        }
    }
}

impl fmt::Display for ClockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.trouble, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_milliseconds_and_percent() {
        let told = |ahead_ms, rate_ppm| ClockTrouble { ahead_ms, rate_ppm }.to_string();
        assert_eq!(told(300, 50_000), "300 ms ahead, 5% faster");
        assert_eq!(told(0, -2_500), "0.25% slower");
        assert_eq!(told(20, 0), "20 ms ahead");
    }
}
