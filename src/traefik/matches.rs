//! What requests must match for a route, for display. Pure.

use serde_json::Value;

use crate::model::{ObjectKind, view};

/// Returns what requests must match for one of the routes of an IngressRoute or an HTTPRoute.
pub(super) fn rules(kind: ObjectKind, object: &Value, index: usize) -> Vec<String> {
    let list = if kind == ObjectKind::HttpRoute { "rules" } else { "routes" };
    let Some(rule) = view::at(object, &["spec", list]).and_then(|list| list.get(index)) else { return Vec::new() };
    match kind {
        ObjectKind::HttpRoute => http_matches(rule, &view::texts(object, &["spec", "hostnames"])),
        _ => view::owned(rule, &["match"]).into_iter().collect(),
    }
}

/// Returns the matches of an HTTPRoute's rule in short: its hosts with each path.
fn http_matches(rule: &Value, hosts: &[String]) -> Vec<String> {
    let matches = rule.get("matches").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let path = |item: &Value| view::owned(item, &["path", "value"]).unwrap_or_else(|| "/".to_owned());
    let mut paths: Vec<_> = matches.iter().map(path).collect();
    if paths.is_empty() {
        paths.push("/".to_owned());
    }
    let hosts = hosts.join(",");
    paths.into_iter().map(|path| format!("{hosts}{path}")).collect()
}
