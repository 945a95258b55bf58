//! Durations as people write them.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads `30s`, `500ms`, `2m`, `1h 30m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is no duration: write 30s, 500ms or 2m"))?;
    Duration::try_from(signed).map_err(|_| format!("{text:?} is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        for nonsense in ["", "30", "abc", "-5s", "30 parsecs"] {
            assert!(parse_duration(nonsense).is_err(), "{nonsense}");
        }
    }
}
