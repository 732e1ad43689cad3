//! CT020: without Max-Age, or with 0, the cookie is a session cookie: Traefik sends neither Max-Age nor Expires.

use super::cookie;
use crate::{
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT020", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    matches!(cookie(observed)?.max_age(), None | Some(0)).then(|| {
        (
            "a session cookie lives until the browser closes, so users stay on their track into the next rollout"
                .into(),
            "set --max-age to just over the length of one login".into(),
        )
    })
}
