//! The rollout of a Canary: its settings in `spec.analysis`, and its progress.

use serde_json::Value;

use crate::model::view;

/// What determines Flagger's next write, apart from the phase and the weights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollout {
    /// `spec.suspend`: Flagger does nothing at all.
    pub suspended: bool,
    /// Whether there is no analysis, or `spec.skipAnalysis` is set (`pkg/apis/flagger/v1beta1/canary.go:SkipAnalysis`).
    pub skips_analysis: bool,
    /// The deployment strategy.
    pub strategy: Strategy,
    /// Seconds between two steps.
    pub interval: i64,
    /// `maxWeight`.
    pub max_weight: Option<i64>,
    /// `stepWeight`; takes precedence over `step_weights`.
    pub step_weight: Option<i64>,
    /// `stepWeights`.
    pub step_weights: Vec<i64>,
    /// `stepWeightPromotion`.
    pub step_weight_promotion: Option<i64>,
    /// `iterations`, of A/B tests and blue/green.
    pub iterations: i64,
    /// `mirror`, which Flagger's Traefik router cannot do: a canary analysis then never takes a step.
    pub mirrors: bool,
    /// `sessionAffinity`, which Flagger's Traefik router ignores.
    pub session_affinity: Option<SessionAffinity>,
    /// `threshold`: the number of failed checks that ends the rollout.
    pub threshold: i64,
    /// The metrics that Flagger itself has the queries for.
    pub built_in_metrics: Vec<String>,
    /// Whether anything checks the canary: a metric, or a webhook.
    pub is_checked: bool,
    /// Whether a webhook holds the promotion back until it agrees (`pkg/controller/scheduler_hooks.go:runConfirmPromotionHooks`).
    pub has_promotion_gate: bool,
    /// `status.iterations`.
    pub iterations_done: i64,
    /// `status.failedChecks`.
    pub failed_checks: i64,
    /// `status.lastTransitionTime`, in Unix seconds.
    pub last_transition: Option<i64>,
}

/// The cookie of Flagger's own session affinity (`pkg/apis/flagger/v1beta1/canary.go:SessionAffinity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionAffinity {
    /// `cookieName`.
    pub cookie_name: Option<String>,
    /// `maxAge` in seconds; the definition of Canaries has this default.
    pub max_age: i64,
}

/// The deployment strategy (`pkg/apis/flagger/v1beta1/canary.go:DeploymentStrategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The canary's weight grows step by step.
    #[default]
    Canary,
    /// All traffic goes to the canary for some iterations: on Traefik, Flagger ignores `match`.
    AbTesting,
    /// All traffic goes to the canary after some iterations.
    BlueGreen,
}

impl Strategy {
    /// Returns Flagger's own name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::AbTesting => "ab-testing",
            Self::BlueGreen => "blue-green",
        }
    }
}

impl Rollout {
    /// Reads the rollout of a Canary. Missing or invalid fields get Flagger's default.
    pub(super) fn read(object: &Value) -> Self {
        let flag = |keys: &[&str]| view::at(object, keys).and_then(Value::as_bool).unwrap_or(false);
        let status = |key: &str| view::at(object, &["status", key]).and_then(Value::as_i64).unwrap_or(0);
        let missing = Value::Null;
        let analysis = analysis(object);
        let skips_analysis = analysis.is_none() || flag(&["spec", "skipAnalysis"]);
        let analysis = analysis.unwrap_or(&missing);
        let number = |key: &str| view::at(analysis, &[key]).and_then(Value::as_i64).filter(|number| *number > 0);
        let list = |key: &str| view::list(analysis, &[key]);
        let iterations = number("iterations").unwrap_or(0);
        Self {
            suspended: flag(&["spec", "suspend"]),
            skips_analysis,
            strategy: match (iterations > 0, list("match").is_empty()) {
                (false, _) => Strategy::Canary,
                (true, false) => Strategy::AbTesting,
                (true, true) => Strategy::BlueGreen,
            },
            interval: interval(view::text(analysis, &["interval"])),
            max_weight: number("maxWeight"),
            step_weight: number("stepWeight"),
            step_weights: list("stepWeights").iter().filter_map(Value::as_i64).collect(),
            step_weight_promotion: number("stepWeightPromotion"),
            iterations,
            mirrors: view::at(analysis, &["mirror"]).and_then(Value::as_bool).unwrap_or(false),
            session_affinity: view::object(analysis, &["sessionAffinity"]).map(|_| SessionAffinity {
                cookie_name: view::owned(analysis, &["sessionAffinity", "cookieName"]),
                max_age: view::at(analysis, &["sessionAffinity", "maxAge"]).and_then(Value::as_i64).unwrap_or(86_400),
            }),
            threshold: number("threshold").unwrap_or(1),
            built_in_metrics: list("metrics").iter().filter_map(built_in).map(str::to_owned).collect(),
            is_checked: !list("metrics").is_empty() || !list("webhooks").is_empty(),
            has_promotion_gate: list("webhooks")
                .iter()
                .any(|webhook| view::text(webhook, &["type"]) == Some("confirm-promotion")),
            iterations_done: status("iterations"),
            failed_checks: status("failedChecks"),
            last_transition: view::text(object, &["status", "lastTransitionTime"])
                .and_then(|time| time.parse::<jiff::Timestamp>().ok())
                .map(jiff::Timestamp::as_second),
        }
    }
}

/// Returns the analysis of a Canary. The second name is the one of v1alpha3 (`GetAnalysis`).
pub(super) fn analysis(canary: &Value) -> Option<&Value> {
    ["analysis", "canaryAnalysis"].into_iter().find_map(|key| view::at(canary, &["spec", key]))
}

/// Returns the name of a metric that Flagger has a query for (`pkg/controller/scheduler_metrics.go:runBuiltinMetricChecks`).
fn built_in(metric: &Value) -> Option<&str> {
    let is_own = view::at(metric, &["templateRef"]).is_some() || view::text(metric, &["query"]).is_some();
    let name = view::text(metric, &["name"]).filter(|name| ["request-success-rate", "request-duration"].contains(name));
    name.filter(|_| !is_own)
}

/// Returns the interval that Flagger uses: 60 seconds if it is missing or invalid, never less than 10
/// (`pkg/apis/flagger/v1beta1/canary.go:GetAnalysisInterval`).
fn interval(text: Option<&str>) -> i64 {
    text.and_then(go_seconds).map_or(60, |seconds| seconds.max(10))
}

/// Parses a Go duration (`time.ParseDuration`) into whole seconds.
fn go_seconds(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0.0;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let unit = match &tail[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * unit;
        rest = &tail[end..];
        if rest.is_empty() {
            break;
        }
    }
    // Go's durations end at 292 years; truncation loses less than a second.
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too great becomes the greatest number")]
    Some((sign * total) as i64)
}

impl Rollout {
    /// Returns the canary's weights, step by step; `None` if there are no steps.
    ///
    /// `stepWeight` takes precedence over `stepWeights`, whose last entry is then still the highest weight
    /// (`pkg/controller/scheduler.go:nextStepWeight`, `maxWeight`).
    pub fn steps(&self) -> Option<Vec<i64>> {
        match (self.step_weight, self.step_weights.last()) {
            (Some(step), last) => {
                let highest = last.copied().or(self.max_weight).unwrap_or(100).min(100);
                Some((1..=divided_up(highest, step)).map(|count| (count * step).min(100)).collect())
            }
            // At 100 it promotes, whatever comes behind.
            (None, Some(_)) => {
                let highest =
                    self.step_weights.iter().position(|weight| *weight >= 100).map_or(usize::MAX, |it| it + 1);
                Some(self.step_weights.iter().take(highest).map(|weight| (*weight).min(100)).collect())
            }
            (None, None) => None,
        }
    }
}

/// Divides, and rounds up; by 1 if `by` is less.
pub(crate) fn divided_up(number: i64, by: i64) -> i64 {
    let by = by.max(1);
    number / by + i64::from(number % by != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(spec: &Value) -> Rollout {
        Rollout::read(&json!({"spec": spec}))
    }

    #[test]
    fn intervals_are_read_as_flagger_reads_them() {
        for (text, seconds) in [
            ("30s", 30),
            ("1m30s", 90),
            ("1.5m", 90),
            ("1h", 3600),
            ("100ms", 10),
            ("5s", 10),
            ("-1m", 10),
            ("+1m", 60),
            ("0", 10),
            ("30", 60),
            ("soon", 60),
            ("1d", 60),
            ("", 60),
            ("é", 60),
            ("1é", 60),
            ("99999999999h", 359_999_999_996_400),
        ] {
            assert_eq!(rollout(&json!({"analysis": {"interval": text}})).interval, seconds, "{text}");
        }
    }

    #[test]
    fn steps_end_at_100() {
        let steps = |weights: &Value| rollout(&json!({"analysis": {"stepWeights": weights}})).steps();
        assert_eq!(steps(&json!([10, 50, 150])), Some(vec![10, 50, 100]));
        assert_eq!(steps(&json!([10, 100, 200])), Some(vec![10, 100]));
    }

    #[test]
    fn the_strategy_is_told_by_iterations_and_match() {
        for (analysis, strategy) in [
            (json!({"stepWeight": 10}), Strategy::Canary),
            (json!({"iterations": 3}), Strategy::BlueGreen),
            (json!({"iterations": 3, "match": []}), Strategy::BlueGreen),
            (json!({"iterations": 3, "match": [{}]}), Strategy::AbTesting),
            (json!({"match": [{}]}), Strategy::Canary),
        ] {
            assert_eq!(rollout(&json!({"analysis": analysis})).strategy, strategy, "{analysis}");
        }
    }

    #[test]
    fn without_an_analysis_it_is_skipped_and_odd_values_are_not_seen() {
        assert!(rollout(&json!({})).skips_analysis);
        assert!(rollout(&json!({"analysis": {}, "skipAnalysis": true})).skips_analysis);
        assert_eq!(rollout(&json!({"canaryAnalysis": {"stepWeight": 5}})).step_weight, Some(5));
        let odd = json!({"analysis": {"stepWeight": "5", "stepWeights": [1, "2", null, 3], "threshold": 0, "interval": 3},
            "suspend": "true"});
        let odd = rollout(&odd);
        assert_eq!((odd.step_weight, odd.step_weights, odd.threshold, odd.interval), (None, vec![1, 3], 1, 60));
        assert!(!odd.suspended && !odd.skips_analysis);
    }
}
