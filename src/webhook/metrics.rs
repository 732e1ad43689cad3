//! Figures in Prometheus' text form (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper ends of the histogram's buckets, in microseconds.
const BUCKETS: [u64; 9] = [250, 500, 1_000, 2_000, 5_000, 20_000, 100_000, 500_000, 2_000_000];
/// Outcomes of an answer; the last counts what is not one of the others.
const OUTCOMES: [&str; 6] = ["left", "set", "removed", "refused", "too_large", "bad_request"];

/// What the gate can say: [`Verdict::word`](crate::guard::gate::Verdict::word), and then why it could not judge.
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

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    answers: [AtomicU64; OUTCOMES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    latency_sum: AtomicU64,
    latency_count: AtomicU64,
    gate: [AtomicU64; GATE.len()],
    /// Declared stanzas that were found missing or different.
    pub(super) losses: AtomicU64,
    /// Those that this process wrote back.
    pub(super) repairs: AtomicU64,
    /// Canaries that were read one by one since the watch had not told of them yet.
    pub(super) lookups: AtomicU64,
    /// Objects of others that are too large to be kept, or for which there was no room.
    pub(super) too_large: AtomicU64,
}

/// What is known elsewhere, at the time of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now {
    /// When the certificate runs out, in seconds since 1970.
    pub(super) certificate_until: Option<u64>,
    /// How many Canaries are known.
    pub(super) canaries: usize,
    /// How many TraefikServices wait to be repaired.
    pub(super) waiting: usize,
    /// How many lines of the log nobody took.
    pub(super) lines_dropped: u64,
    /// Whether `/readyz` says yes.
    pub(super) is_ready: bool,
}

impl Metrics {
    /// Counts an answer.
    pub(super) fn answered(&self, outcome: &str, after: Duration) {
        let place = OUTCOMES.iter().position(|known| *known == outcome).unwrap_or(OUTCOMES.len() - 1);
        self.answers[place].fetch_add(1, Relaxed);
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        for (bucket, _) in self.buckets.iter().zip(BUCKETS).filter(|(_, end)| micros <= *end) {
            bucket.fetch_add(1, Relaxed);
        }
        self.latency_sum.fetch_add(micros, Relaxed);
        self.latency_count.fetch_add(1, Relaxed);
    }

    /// Counts an answer of the gate.
    pub(super) fn gate_answered(&self, word: &str) {
        let place = GATE.iter().position(|known| *known == word).unwrap_or(GATE.len() - 1);
        self.gate[place].fetch_add(1, Relaxed);
    }

    /// The whole text.
    pub(super) fn text(&self, now: Now) -> String {
        const PREFIX: &str = "canary_traefik_guard_";
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, String)>| {
            text.push_str(&format!("# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n"));
            for (suffix, value) in samples {
                text.push_str(&format!("{PREFIX}{name}{suffix} {value}\n"));
            }
        };
        let one = |value: &AtomicU64| vec![(String::new(), value.load(Relaxed).to_string())];
        let answers = OUTCOMES.iter().zip(&self.answers);
        let answers = answers.map(|(word, count)| (format!("{{outcome=\"{word}\"}}"), count.load(Relaxed).to_string()));
        family("answers_total", "counter", "Answers to an API server.", answers.collect());
        let count = self.latency_count.load(Relaxed).to_string();
        let buckets = BUCKETS
            .iter()
            .zip(&self.buckets)
            .map(|(end, count)| (format!("_bucket{{le=\"{}\"}}", seconds(*end)), count.load(Relaxed).to_string()));
        let mut latency: Vec<_> = buckets.collect();
        latency.push(("_bucket{le=\"+Inf\"}".into(), count.clone()));
        latency.push(("_sum".into(), seconds(self.latency_sum.load(Relaxed))));
        latency.push(("_count".into(), count));
        family("answer_seconds", "histogram", "Time from a request's head to its answer.", latency);
        family("losses_total", "counter", "Declared stanzas found missing or different.", one(&self.losses));
        family("repairs_total", "counter", "Stanzas written back.", one(&self.repairs));
        family("lookups_total", "counter", "Canaries read one by one.", one(&self.lookups));
        family("too_large_total", "counter", "Objects too large to be guarded.", one(&self.too_large));
        let dropped = vec![(String::new(), now.lines_dropped.to_string())];
        family("log_lines_dropped_total", "counter", "Log lines that nobody took.", dropped);
        let gate = GATE.iter().zip(&self.gate);
        let gate = gate.map(|(word, count)| (format!("{{answer=\"{word}\"}}"), count.load(Relaxed).to_string()));
        family("gate_answers_total", "counter", "Answers to Flagger, before promotion.", gate.collect());
        let gauge = |value: String| vec![(String::new(), value)];
        family("canaries", "gauge", "Canaries known.", gauge(now.canaries.to_string()));
        family("repairs_waiting", "gauge", "TraefikServices that wait to be repaired.", gauge(now.waiting.to_string()));
        family("ready", "gauge", "Whether /readyz says yes.", gauge(u8::from(now.is_ready).to_string()));
        let until = now.certificate_until.unwrap_or_default().to_string();
        family("certificate_expiry_seconds", "gauge", "When the certificate runs out, since 1970.", gauge(until));
        text
    }
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_outcome_and_time() {
        let metrics = Metrics::default();
        metrics.answered("set", Duration::from_micros(900));
        metrics.answered("set", Duration::from_secs(3));
        metrics.gate_answered("drained");
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
        assert_eq!((of("certificate_expiry_seconds "), of("ready ")), (vec!["7".to_owned()], vec!["1".to_owned()]));
    }
}
