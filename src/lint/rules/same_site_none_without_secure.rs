//! CT004: browsers drop a cookie with `SameSite=None` that is not `Secure` (RFC 6265bis section 5.7).

use super::cookie;
use crate::{
    lint::{Rule, Severity},
    model::FieldValue,
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT004", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let cookie = cookie(observed)?;
    let none = matches!(cookie.by_key("sameSite"), Some(FieldValue::Text(text)) if text == "none");
    (none && !cookie.is_on("secure")).then(|| {
        (
            "browsers reject a cookie with SameSite=None that is not Secure".into(),
            "add --secure, or use --same-site lax".into(),
        )
    })
}
