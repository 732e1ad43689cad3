//! Metrics in the Prometheus text format (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the histogram buckets, in microseconds.
const BUCKETS: [u64; 9] = [250, 500, 1_000, 2_000, 5_000, 20_000, 100_000, 500_000, 2_000_000];
/// Outcomes of an admission review; the last includes unknown ones.
const OUTCOMES: [&str; 6] = ["left", "set", "removed", "refused", "too_large", "bad_request"];

/// Answers of the gate: [`Verdict::word`](crate::guard::gate::Verdict::word), then the reasons for the absence of a
/// verdict.
const GATE: [&str; 10] = [
    "draining",
    "drained",
    "session_cookie",
    "no_cookie",
    "step_below_100",
    "no_weights",
    "no_time",
    "no_canary",
    "unavailable",
    "bad_request",
];

/// Answers of `/verify/sticky`: whether no check fails, then the reasons for the absence of a verdict.
const VERIFICATIONS: [&str; 7] =
    ["holds", "fails", "unreachable", "not_set_up", "no_canary", "unavailable", "bad_request"];

/// Counters and the latency histogram.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    answers: [AtomicU64; OUTCOMES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    latency_sum: AtomicU64,
    latency_count: AtomicU64,
    gate: [AtomicU64; GATE.len()],
    verifications: [AtomicU64; VERIFICATIONS.len()],
    /// Declared cookies that were found missing or different.
    pub(super) losses: AtomicU64,
    /// Cookies that this process restored.
    pub(super) repairs: AtomicU64,
    /// Objects of entries that were created, updated or deleted.
    pub(super) entries: AtomicU64,
    /// Canaries that were read one by one because the watch had not delivered them yet.
    pub(super) lookups: AtomicU64,
    /// Objects that are too large, or that exceeded the cache's budget.
    pub(super) too_large: AtomicU64,
}

/// Values that are read when the metrics are scraped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now {
    /// Expiry of the certificate, in seconds since 1970.
    pub(super) certificate_until: Option<u64>,
    /// Number of cached Canaries.
    pub(super) canaries: usize,
    /// Number of TraefikServices waiting for repair.
    pub(super) waiting: usize,
    /// Number of dropped log lines.
    pub(super) lines_dropped: u64,
    /// Whether `/readyz` succeeds.
    pub(super) is_ready: bool,
}

impl Metrics {
    /// Counts an admission review and its latency.
    pub(super) fn answered(&self, outcome: &str, after: Duration) {
        count(&OUTCOMES, &self.answers, outcome);
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        for (bucket, _) in self.buckets.iter().zip(BUCKETS).filter(|(_, end)| micros <= *end) {
            bucket.fetch_add(1, Relaxed);
        }
        self.latency_sum.fetch_add(micros, Relaxed);
        self.latency_count.fetch_add(1, Relaxed);
    }

    /// Counts an answer of the gate.
    pub(super) fn gate_answered(&self, word: &str) {
        count(&GATE, &self.gate, word);
    }

    /// Counts an answer of `/verify/sticky`.
    pub(super) fn verified(&self, word: &str) {
        count(&VERIFICATIONS, &self.verifications, word);
    }

    /// Returns the metrics as text.
    pub(super) fn text(&self, now: Now) -> String {
        const PREFIX: &str = "canary_traefik_guard_";
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, String)>| {
            text.push_str(&format!("# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n"));
            for (suffix, value) in samples {
                text.push_str(&format!("{PREFIX}{name}{suffix} {value}\n"));
            }
        };
        let one = |value: &dyn ToString| vec![(String::new(), value.to_string())];
        family("answers_total", "counter", "Admission reviews answered.", counts("outcome", &OUTCOMES, &self.answers));
        let count = self.latency_count.load(Relaxed).to_string();
        let buckets = BUCKETS
            .iter()
            .zip(&self.buckets)
            .map(|(end, count)| (format!("_bucket{{le=\"{}\"}}", seconds(*end)), count.load(Relaxed).to_string()));
        let mut latency: Vec<_> = buckets.collect();
        latency.push(("_bucket{le=\"+Inf\"}".into(), count.clone()));
        latency.push(("_sum".into(), seconds(self.latency_sum.load(Relaxed))));
        latency.push(("_count".into(), count));
        family("answer_seconds", "histogram", "Time from the head of a request to its response.", latency);
        for (name, help, count) in [
            ("losses_total", "Cookies found missing or different from their declaration.", &self.losses),
            ("repairs_total", "Cookies restored.", &self.repairs),
            ("entry_writes_total", "Objects of entries created, updated or deleted.", &self.entries),
            ("lookups_total", "Single Canaries read from the API server.", &self.lookups),
            ("too_large_total", "Objects skipped because they, or their namespace, are too large.", &self.too_large),
        ] {
            family(name, "counter", help, one(&count.load(Relaxed)));
        }
        let dropped = one(&now.lines_dropped);
        family("log_lines_dropped_total", "counter", "Log lines dropped because stderr was not read.", dropped);
        let gate = counts("answer", &GATE, &self.gate);
        family("gate_answers_total", "counter", "Confirm-promotion requests answered.", gate);
        let verified = counts("answer", &VERIFICATIONS, &self.verifications);
        family("verifications_total", "counter", "Requests to verify a cookie answered.", verified);
        let until = now.certificate_until.unwrap_or_default();
        let gauges: [(_, _, &dyn ToString); 4] = [
            ("canaries", "Canaries known.", &now.canaries),
            ("repairs_waiting", "TraefikServices waiting for repair.", &now.waiting),
            ("ready", "1 if /readyz succeeds, else 0.", &u8::from(now.is_ready)),
            ("certificate_expiry_seconds", "Expiry of the serving certificate, in seconds since 1970.", &until),
        ];
        for (name, help, value) in gauges {
            family(name, "gauge", help, one(value));
        }
        text
    }
}

/// Counts a word; an unknown one as the last.
fn count(words: &[&str], counts: &[AtomicU64], word: &str) {
    let place = words.iter().position(|known| *known == word).unwrap_or(words.len() - 1);
    counts[place].fetch_add(1, Relaxed);
}

/// Returns the samples of counted words.
fn counts(label: &str, words: &[&str], counts: &[AtomicU64]) -> Vec<(String, String)> {
    let sample =
        |(word, count): (&&str, &AtomicU64)| (format!("{{{label}=\"{word}\"}}"), count.load(Relaxed).to_string());
    words.iter().zip(counts).map(sample).collect()
}

/// Formats microseconds as seconds, without rounding.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_the_guard_lists_every_metric() {
        let now = Now { certificate_until: None, canaries: 0, waiting: 0, lines_dropped: 0, is_ready: false };
        let text = Metrics::default().text(now);
        let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '));
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let rows = helps.zip(types).map(|((name, help), (_, kind))| format!("| `{name}` | {kind} | {help} |"));
        let page = include_str!("../../docs/guard.md").lines();
        let listed: Vec<_> = page.filter(|line| line.starts_with("| `canary_traefik_guard_")).collect();
        assert_eq!(listed, rows.collect::<Vec<_>>());
    }

    #[test]
    fn answers_are_counted_by_outcome_and_time() {
        let metrics = Metrics::default();
        metrics.answered("set", Duration::from_micros(900));
        metrics.answered("set", Duration::from_secs(3));
        metrics.gate_answered("drained");
        metrics.verified("fails");
        metrics.answered("nonsense", Duration::from_micros(250));
        let text =
            metrics.text(Now { certificate_until: Some(7), canaries: 2, waiting: 0, lines_dropped: 0, is_ready: true });
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let of = |begin: &str| -> Vec<String> {
            let begin = format!("canary_traefik_guard_{begin}");
            lines.iter().filter_map(|line| line.strip_prefix(begin.as_str()).map(str::to_owned)).collect()
        };
        assert_eq!(of("answers_total{outcome=\"set\"} "), ["2"]);
        assert_eq!(of("answers_total{outcome=\"bad_request\"} "), ["1"]);
        assert_eq!(of("answer_seconds_bucket{le=\"0.00025\"} "), ["1"]);
        assert_eq!(of("answer_seconds_bucket{le=\"0.001\"} "), ["2"]);
        assert_eq!(of("answer_seconds_bucket{le=\"2\"} "), ["2"]);
        assert_eq!(of("answer_seconds_bucket{le=\"+Inf\"} "), ["3"]);
        assert_eq!(of("answer_seconds_sum "), ["3.00115"]);
        assert_eq!(of("gate_answers_total{answer=\"drained\"} "), ["1"]);
        assert_eq!(of("verifications_total{answer=\"fails\"} "), ["1"]);
        assert_eq!((of("certificate_expiry_seconds "), of("ready ")), (vec!["7".to_owned()], vec!["1".to_owned()]));
    }
}
