//! CT001: a stanza without a cookie in it has no effect.
//!
//! Traefik looks at `sticky.cookie` alone (`pkg/server/service/loadbalancer/wrr/wrr.go:New`); the
//! mis-indented example in Traefik's own documentation makes such a stanza.

use crate::{
    lint::{Rule, Severity},
    model::{Live, Observed},
};

pub(in crate::lint) const RULE: Rule =
    Rule { code: "CT001", name: "stanza-without-cookie", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    (observed.service()?.live == Live::Empty).then(|| {
        ("`spec.weighted.sticky` has no `cookie`, so nobody sticks".into(), "set a cookie, or remove the stanza".into())
    })
}
