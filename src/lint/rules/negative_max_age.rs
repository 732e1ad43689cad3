//! CT006: a negative Max-Age is sent as `Max-Age=0`, and the browser deletes the cookie at once.

use super::cookie;
use crate::{
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT006", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let seconds = cookie(observed)?.max_age().filter(|seconds| *seconds < 0)?;
    Some((
        format!("with Max-Age={seconds} browsers delete the cookie at once, so no user sticks"),
        "use a positive --max-age".into(),
    ))
}
