//! What requests must match for a route, for display. Pure.

use serde_json::Value;

use super::router;
use crate::model::{ObjectKind, view};

/// Returns what requests must match for one of the routes of an IngressRoute or an HTTPRoute.
pub(super) fn rules(kind: ObjectKind, object: &Value, index: usize) -> Vec<String> {
    let list = if kind == ObjectKind::HttpRoute { "rules" } else { "routes" };
    let Some(rule) = view::list(object, &["spec", list]).get(index) else { return Vec::new() };
    match kind {
        ObjectKind::HttpRoute => http_matches(rule, &view::texts(object, &["spec", "hostnames"])),
        _ => view::owned(rule, &["match"]).into_iter().collect(),
    }
}

/// Returns the matches of an HTTPRoute's rule in short: its hosts with each path.
fn http_matches(rule: &Value, hosts: &[String]) -> Vec<String> {
    let hosts = hosts.join(",");
    let of = |item: &Value| format!("{hosts}{}", view::text(item, &["path", "value"]).unwrap_or("/"));
    router::matches(rule).iter().map(of).collect()
}
