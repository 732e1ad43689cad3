//! CT001: `spec.weighted.sticky` without a `cookie` has no effect.
//!
//! Traefik reads only `sticky.cookie` (`pkg/server/service/loadbalancer/wrr/wrr.go:New`); the mis-indented example in
//! Traefik's own documentation leads to this.

use crate::{
    lint::{Rule, Severity},
    observed::Observed,
    traefik::Live,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT001", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    (observed.service()?.live == Live::Empty).then(|| {
        (
            "`spec.weighted.sticky` has no `cookie`, so no user sticks".into(),
            "set a cookie, or remove `spec.weighted.sticky`".into(),
        )
    })
}
