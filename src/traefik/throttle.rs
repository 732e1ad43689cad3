//! How long Traefik may take until a change of a TraefikService is in force.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// The longest time that a change may take: Traefik applies changes at most every two seconds (`providersThrottleDuration`),
/// and the server's times are in whole seconds.
pub const IN_FORCE: Duration = Duration::from_secs(3);

/// Returns how long it can take until the last change of an object is in force. `now` is in Unix seconds.
pub fn until_in_force(object: &Value, now: i64) -> Duration {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let times =
        entries.into_iter().flatten().filter_map(|entry| entry.get("time")?.as_str()?.parse::<Timestamp>().ok());
    let since = |last: Timestamp| Duration::from_secs((now - last.as_second()).max(0).unsigned_abs());
    IN_FORCE.saturating_sub(times.max().map_or(Duration::MAX, since))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_just_written_is_waited_for() {
        let wait = |times: &[&str]| {
            let entries: Vec<_> = times.iter().map(|time| json!({"manager": "a", "time": time})).collect();
            until_in_force(&json!({"metadata": {"managedFields": entries}}), 1_000).as_secs()
        };
        let at = |second: i64| Timestamp::from_second(second).unwrap().to_string();
        assert_eq!([wait(&[&at(999), &at(1)]), wait(&[&at(997)]), wait(&[])], [2, 0, 0]);
        // The server's clock is ahead.
        assert_eq!(wait(&[&at(9_999)]), 3);
        assert_eq!(until_in_force(&json!({}), 1_000).as_secs(), 0);
    }
}
