//! The promotion gate: holds a promotion until it no longer moves any user. At promotion Flagger replaces the primary's
//! pods, and users pinned to the primary would change version in the middle of a login. Once all weight is on the
//! canary no new users are pinned to the primary, and one Max-Age later the existing primary cookies have expired.
//!
//! When the weights last changed is read from the TraefikService's `managedFields`: the timestamp of the field manager
//! that owns the weights. It changes only with a write that changes the weights (`k8s.io/apimachinery`,
//! `pkg/util/managedfields/internal/managedfieldsupdater.go`), so neither when Flagger drops the cookie and the guard
//! restores it, nor when Flagger writes the same weights again in an A/B test. The Canary's `status.lastTransitionTime`
//! would not work: Flagger updates it each time it finds the gate closed (`pkg/canary/status.go:setStatusIterations`).

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    flagger::{Canary, Declared},
    traefik::{TraefikService, Weight, throttle::IN_FORCE},
};

/// The primary's weight and the total weight when Flagger sets the primary to zero: it omits the weight, which Traefik
/// reads as 1.
const ZERO_WEIGHT_SHARE: (i64, i64) = (1, 101);

/// The gate's verdict on a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Closed: cookies for the primary may still be in use.
    Draining {
        /// The remaining time until the gate opens.
        left: Duration,
        /// The declared Max-Age, in seconds.
        max_age: i64,
    },
    /// Open: all weight has been on the canary for longer than the cookie's Max-Age.
    Drained {
        /// The time since the primary's weight became zero.
        since: Duration,
        /// The declared Max-Age, in seconds.
        max_age: i64,
    },
    /// Open: the cookie is a session cookie, which expires only when the browser session ends.
    SessionCookie,
    /// Open: the Canary declares no cookie, or a malformed one.
    NoCookie,
    /// Open: the primary still has weight, and Flagger asks only at its last step.
    StepBelow100 {
        /// The primary's weight.
        primary: i64,
        /// The sum of all weights.
        whole: i64,
    },
    /// Open: there is no weighted TraefikService with the Canary's tracks.
    NoWeights,
    /// Open: `managedFields` does not say when the weights were last changed.
    NoTime,
}

impl Verdict {
    /// Returns whether Flagger may promote.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Draining { .. })
    }

    /// Returns the verdict as a metrics label value.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Draining { .. } => "draining",
            Self::Drained { .. } => "drained",
            Self::SessionCookie => "session_cookie",
            Self::NoCookie => "no_cookie",
            Self::StepBelow100 { .. } => "step_below_100",
            Self::NoWeights => "no_weights",
            Self::NoTime => "no_time",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draining { left, max_age } => {
                // Rounded up, so that it never says 0 s.
                let left = left.as_secs() + u64::from(left.subsec_nanos() > 0);
                write!(f, "closed for another {left} s: the primary's cookies are valid for {max_age} s")
            }
            Self::Drained { since, max_age } => write!(
                f,
                "open: the primary's share has been at most 1 in 101 for {} s, and its cookies are valid for {max_age} s",
                since.as_secs()
            ),
            Self::SessionCookie => f.write_str(
                "open at once: the declared cookie has no Max-Age, so it never expires while a browser is open",
            ),
            Self::NoCookie => f.write_str("open at once: the Canary declares no cookie"),
            Self::StepBelow100 { primary, whole } => write!(
                f,
                "open at once: the primary's weight is {primary} of {whole}; its cookies expire only after a last step of 100"
            ),
            Self::NoWeights => {
                f.write_str("open at once: there is no weighted TraefikService with the Canary's two services")
            }
            Self::NoTime => {
                f.write_str("open at once: the TraefikService does not record when its weights were written")
            }
        }
    }
}

/// Returns the verdict for this Canary. `service` is its TraefikService, parsed and as the raw object; `now` is the
/// server's time.
pub fn judge(canary: &Canary, service: Option<(&TraefikService, &Value)>, now: Timestamp) -> Verdict {
    let cookie = match &canary.declared {
        Declared::Native(cookie, _) | Declared::Annotation(cookie) => cookie,
        Declared::Nothing | Declared::Malformed(..) => return Verdict::NoCookie,
    };
    let Some(max_age) = cookie.max_age().filter(|seconds| *seconds != 0) else { return Verdict::SessionCookie };
    let Some((service, object)) = service else { return Verdict::NoWeights };
    let weight = |name: Option<String>| service.weight_of(&name?).map(Weight::in_traefik);
    let (primary, rest) = (weight(canary.primary_name()), weight(canary.canary_name()));
    if primary.is_none() && rest.is_none() {
        return Verdict::NoWeights;
    }
    let primary = primary.unwrap_or(0);
    let whole = primary.saturating_add(rest.unwrap_or(0));
    if primary.saturating_mul(ZERO_WEIGHT_SHARE.1) > whole.saturating_mul(ZERO_WEIGHT_SHARE.0) {
        return Verdict::StepBelow100 { primary, whole };
    }
    let Some(written) = weights_written(object) else { return Verdict::NoTime };
    // A cookie with a negative Max-Age expires at once.
    let needed = Duration::from_secs(max_age.unsigned_abs() * u64::from(max_age > 0)) + IN_FORCE;
    let since = Duration::try_from(now.duration_since(written)).unwrap_or_default();
    match needed.checked_sub(since) {
        Some(left) if !left.is_zero() => Verdict::Draining { left, max_age },
        _ => Verdict::Drained { since, max_age },
    }
}

/// Returns when the weights were last changed.
fn weights_written(object: &Value) -> Option<Timestamp> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let owners = entries.iter().filter(|entry| {
        entry.pointer("/fieldsV1/f:spec/f:weighted/f:services").is_some() && entry.get("subresource").is_none()
    });
    owners.filter_map(|entry| entry.get("time")?.as_str()?.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{declaration::ANNOTATION, name::Group};

    const NOW: i64 = 1_000_000;

    fn canary(declaration: Option<&str>) -> Canary {
        let annotations = json!({ ANNOTATION: declaration });
        let object = json!({"metadata": {"name": "a", "namespace": "web", "annotations": annotations},
            "spec": {"targetRef": {"name": "shop"}}});
        Canary::from_object(&object).unwrap()
    }

    /// Returns a TraefikService whose weights Flagger wrote `ago` seconds ago; a null weight counts as absent.
    fn service(primary: Option<u64>, canary: Option<u64>, ago: i64) -> Value {
        let mut children = vec![json!({"name": "shop-primary", "weight": primary})];
        children.extend(canary.map(|weight| json!({"name": "shop-canary", "weight": weight})));
        let time = |ago: i64| Timestamp::from_second(NOW - ago).unwrap().to_string();
        json!({"metadata": {"name": "shop", "namespace": "web", "managedFields": [
            {"manager": "flagger", "time": time(ago), "fieldsV1": {"f:spec": {"f:weighted": {"f:services": {}}}}},
            {"manager": "kubectl-canary-traefik", "time": time(0), "fieldsV1": {"f:spec": {"f:weighted": {"f:sticky": {}}}}},
        ]}, "spec": {"weighted": {"services": children}}})
    }

    fn says(declaration: Option<&str>, object: &Value) -> String {
        let service = TraefikService::from_object(object, Group::TraefikIo).unwrap();
        let verdict = judge(&canary(declaration), Some((&service, object)), Timestamp::from_second(NOW).unwrap());
        assert_eq!(verdict.is_open(), verdict.to_string().starts_with("open"));
        verdict.word().to_owned()
    }

    #[test]
    fn it_opens_when_the_cookies_of_the_primary_have_run_out_and_not_before() {
        let at = |ago| says(Some("login; Max-Age=60"), &service(None, Some(100), ago));
        assert_eq!(
            [at(-5), at(0), at(62), at(63), at(9999)],
            ["draining", "draining", "draining", "drained", "drained"]
        );
        assert_eq!(says(Some("login; Max-Age=60"), &service(Some(0), Some(100), 62)), "draining");
        assert_eq!(says(Some("login; Max-Age=-1"), &service(None, Some(100), 3)), "drained");
    }

    #[test]
    fn it_waits_for_nothing_that_does_not_come() {
        let drained = service(None, Some(100), 1);
        assert_eq!(says(None, &drained), "no_cookie");
        assert_eq!(says(Some("login; Max-Age=x"), &drained), "no_cookie");
        assert_eq!(says(Some("login"), &drained), "session_cookie");
        assert_eq!(says(Some("login; Max-Age=0"), &drained), "session_cookie");
        let aged = Some("login; Max-Age=60");
        assert_eq!(says(aged, &service(Some(50), Some(50), 1)), "step_below_100");
        assert_eq!(says(aged, &service(Some(1), Some(99), 1)), "step_below_100");
        assert_eq!(says(aged, &service(Some(100), None, 1)), "step_below_100");
        assert_eq!(says(aged, &service(None, None, 1)), "step_below_100");
        let mut odd = drained.clone();
        odd["metadata"]["managedFields"][0]["time"] = json!("soon");
        assert_eq!(says(aged, &odd), "no_time");
        odd["spec"] = json!({"mirroring": {}});
        assert_eq!(says(aged, &odd), "no_weights");
        assert_eq!(judge(&canary(aged), None, Timestamp::UNIX_EPOCH), Verdict::NoWeights);
    }

    #[test]
    fn a_wait_is_never_said_to_be_nothing() {
        let left = Duration::from_millis(1);
        let said = Verdict::Draining { left, max_age: 60 }.to_string();
        assert_eq!(said, "closed for another 1 s: the primary's cookies are valid for 60 s");
    }
}
