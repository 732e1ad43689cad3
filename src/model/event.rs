//! A Kubernetes event about an object.

use std::cmp::Ordering;

use serde_json::Value;

use super::view;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// Reason, in one word.
    pub reason: String,
    /// First and last time it occurred, as text.
    pub seen: (Option<String>, Option<String>),
    /// Number of occurrences.
    pub count: i64,
    /// The component that reported it.
    pub from: String,
    /// The message.
    pub message: String,
}

impl Event {
    /// Reads a `v1` Event. Missing fields are empty.
    pub fn from_object(object: &Value) -> Self {
        let text = |keys: &[&str]| view::owned(object, keys);
        let made = || text(&["eventTime"]).or_else(|| text(&["metadata", "creationTimestamp"]));
        let first = text(&["firstTimestamp"]).or_else(made);
        let last = text(&["series", "lastObservedTime"]).or_else(|| text(&["lastTimestamp"])).or_else(made);
        let count = view::at(object, &["count"]).and_then(Value::as_i64);
        let series = view::at(object, &["series", "count"]).and_then(Value::as_i64);
        Self {
            kind: text(&["type"]).unwrap_or_default(),
            reason: text(&["reason"]).unwrap_or_default(),
            seen: (first, last),
            count: series.or(count).unwrap_or(1).max(1),
            from: text(&["source", "component"]).or_else(|| text(&["reportingComponent"])).unwrap_or_default(),
            message: text(&["message"]).unwrap_or_default(),
        }
    }

    /// Compares the times of the last occurrence; an event without one comes first.
    pub fn by_last_seen(&self, other: &Self) -> Ordering {
        let moment = |event: &Self| event.seen.1.as_deref().and_then(|last| last.parse::<jiff::Timestamp>().ok());
        moment(self).cmp(&moment(other))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_read_in_its_older_and_its_newer_form() {
        let older = json!({"type": "Warning", "reason": "Synced", "message": "Halt", "count": 3,
            "source": {"component": "flagger"}, "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:02:00Z", "eventTime": null});
        let event = Event::from_object(&older);
        assert_eq!((event.kind.as_str(), event.from.as_str(), event.count), ("Warning", "flagger", 3));
        assert_eq!(event.seen.1.as_deref(), Some("2026-01-01T00:02:00Z"));
        let newer = json!({"reportingComponent": "x", "eventTime": "2026-01-01T00:03:00.5Z",
            "series": {"count": 4, "lastObservedTime": "2026-01-01T00:04:00.000001Z"}});
        let newer = Event::from_object(&newer);
        assert_eq!((newer.from.as_str(), newer.count, newer.reason.as_str()), ("x", 4, ""));
        assert_eq!(event.by_last_seen(&newer), Ordering::Less);
        let nothing = Event::from_object(&json!("odd"));
        assert_eq!((nothing.count, nothing.seen.clone()), (1, (None, None)));
        assert_eq!(nothing.by_last_seen(&event), Ordering::Less);
    }
}
