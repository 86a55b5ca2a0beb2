//! Wall-clock time as text.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// `2026-11-21T02:14:07Z`: RFC 3339 in UTC, to the second. Times before 1970 become 1970.
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let second = i64::try_from(seconds).ok().and_then(|second| Timestamp::from_second(second).ok());
    second.unwrap_or(Timestamp::MAX).to_string()
}

/// Seconds since 1970 of an RFC 3339 time. None for any other text, and for times before 1970.
pub(super) fn seconds_since_1970(text: &str) -> Option<u64> {
    u64::try_from(text.parse::<Timestamp>().ok()?.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn seconds_since_1970_become_a_date_and_a_time() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (13_601_087_999, "2400-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
            assert_eq!(seconds_since_1970(text), Some(seconds));
        }
    }

    #[test]
    fn what_is_no_such_time_is_none() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-12-01T00:00:00", "2026-12T00:00:00Z"] {
            assert_eq!(seconds_since_1970(text), None, "{text}");
        }
    }
}
