//! The routers that Traefik makes of IngressRoutes, HTTPRoutes and Ingresses, and those of its other providers, with their
//! priorities: which one serves a request. Pure.
//!
//! | object | rule | priority, unless it sets one |
//! |---|---|---|
//! | IngressRoute | `match` | the rule's length (`pkg/provider/kubernetes/crd/kubernetes_http.go`, `pkg/muxer/http/mux.go:GetRulePriority`) |
//! | HTTPRoute | of hosts and matches (`pkg/provider/kubernetes/gateway/httproute.go:buildMatchRule`) | from the kind and length of its matches (same) |
//! | Ingress | of host and path (`pkg/provider/kubernetes/ingress/kubernetes.go:loadRouter`) | the rule's length; below all others for a default backend |

use std::collections::HashSet;

use serde_json::Value;

use super::{
    refusal,
    rule::{Answer, Reading, Request, Rule},
};
use crate::model::{NamespacedName, ObjectKind, view};

/// The highest priority that a user may set (`pkg/server/router/router.go:maxUserPriority`).
pub const MAX_PRIORITY: i64 = i64::MAX - 1000;
/// The annotation by which an IngressRoute or an Ingress names its class
/// (`pkg/provider/kubernetes/crd/kubernetes.go:shouldProcessIngress`).
pub const CLASS: &str = "kubernetes.io/ingress.class";
/// The annotation by which an Ingress sets the priority of its routers (`pkg/provider/kubernetes/ingress/annotations.go`).
pub(crate) const INGRESS_PRIORITY: &str = "traefik.ingress.kubernetes.io/router.priority";
/// The annotation by which an Ingress names the entry points of its routers.
pub(crate) const INGRESS_ENTRY_POINTS: &str = "traefik.ingress.kubernetes.io/router.entrypoints";
/// The annotation by which an Ingress names the matcher of its paths.
pub(crate) const INGRESS_MATCHER: &str = "traefik.ingress.kubernetes.io/router.pathmatcher";

/// A router.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Router {
    /// The object it is made of, for display: `IngressRoute shop/web`.
    pub holder: String,
    /// The rule; `None` if it cannot be read.
    pub rule: Option<Rule>,
    /// The priority that counts.
    pub priority: i64,
    /// The entry points; empty for all.
    pub entry_points: Vec<String>,
    /// The class of Traefik that it is for, if it says so.
    pub class: Option<String>,
    /// Whether it is made of an Ingress, which other controllers serve, too.
    pub is_ingress: bool,
    /// What a router competes within: its `parentRefs`.
    pub parents: Value,
    /// Position in the object: of the route or rule; of an Ingress, of the path among all of its paths.
    pub index: usize,
}

impl Router {
    /// Returns how this router answers requests that `other` would take, too, as far as they share entry points.
    pub fn answers(&self, request: Request<'_>, other: &Self) -> Answer {
        let shares = |own: &[String], others: &[String]| {
            own.is_empty() || others.is_empty() || own.iter().any(|point| others.contains(point))
        };
        // Whether TLS is served does not separate them: an entry point can have it for all its routers
        // (`pkg/server/aggregator.go`).
        let apart = match (&self.class, &other.class) {
            (Some(own), Some(other)) => own != other,
            // One for another controller.
            (Some(own), None) => self.is_ingress && !own.contains("traefik"),
            _ => false,
        };
        if apart || self.parents != other.parents || !shares(&self.entry_points, &other.entry_points) {
            return Answer::No;
        }
        self.rule.as_ref().map_or(Answer::Maybe, |rule| rule.answers(request))
    }
}

/// Returns the routers of an object: of an IngressRoute, an HTTPRoute, or an Ingress. Of a rule that Traefik refuses, it makes
/// none.
pub fn routers(kind: ObjectKind, object: &Value) -> Vec<Router> {
    let holder = format!("{} `{}`", kind.kind(), NamespacedName::of(object));
    match kind {
        ObjectKind::IngressRoute(_) => of_ingress_route(kind, object, &holder),
        ObjectKind::HttpRoute => of_http_route(object, &holder),
        ObjectKind::Ingress => of_ingress(object, &holder),
        _ => Vec::new(),
    }
}

/// Returns the router of an answer of Traefik's API; `None` if it serves nothing, or if it is made of an object of the
/// cluster, which is read there. Internal ones redirect, or serve Traefik itself.
pub fn of_api(item: &Value) -> Option<Router> {
    const KNOWN: [&str; 4] = ["internal", "kubernetes", "kubernetescrd", "kubernetesgateway"];
    let name = view::text(item, &["name"])?;
    let provider = view::text(item, &["provider"]).or_else(|| Some(name.rsplit_once('@')?.1));
    if view::text(item, &["status"]) == Some("disabled") || provider.is_some_and(|it| KNOWN.contains(&it)) {
        return None;
    }
    let text = view::text(item, &["rule"])?;
    let explicit = item.get("priority").and_then(Value::as_i64).filter(|priority| *priority != 0);
    Some(Router {
        holder: format!("router `{name}`"),
        rule: Rule::parse(text),
        priority: explicit.unwrap_or_else(|| length(text)),
        entry_points: view::texts(item, &["entryPoints"]),
        ..Router::default()
    })
}

/// Returns the class that an IngressRoute or an Ingress names.
pub fn class(object: &Value) -> Option<&str> {
    view::text(object, &["spec", "ingressClassName"])
        .or_else(|| view::text(object, &["metadata", "annotations", CLASS]))
}

/// Returns the priority of a rule without one.
fn length(rule: &str) -> i64 {
    i64::try_from(rule.len()).unwrap_or(i64::MAX)
}

fn of_ingress_route(kind: ObjectKind, object: &Value, holder: &str) -> Vec<Router> {
    let router = |(index, route): (usize, &Value)| {
        let text = view::text(route, &["match"])?;
        let reading = Reading::of(text);
        if refusal::of(kind, route, &reading).is_some_and(|refusal| refusal.is_certain()) {
            return None;
        }
        let explicit = route.get("priority").and_then(Value::as_i64).filter(|priority| *priority != 0);
        Some(Router {
            holder: holder.to_owned(),
            rule: reading.rule,
            priority: explicit.unwrap_or_else(|| length(text)),
            entry_points: view::texts(object, &["spec", "entryPoints"]),
            class: class(object).map(str::to_owned),
            is_ingress: false,
            parents: view::at(object, &["spec", "parentRefs"]).cloned().unwrap_or_default(),
            index,
        })
    };
    let routes = view::list(object, &["spec", "routes"]);
    // A router is named by its rule, so that of two routes with one rule the last one counts
    // (`pkg/provider/kubernetes/crd/kubernetes.go:makeServiceKey`).
    let mut later = HashSet::new();
    let mut counting: Vec<_> =
        routes.iter().enumerate().rev().filter(|(_, route)| later.insert(view::text(route, &["match"]))).collect();
    counting.reverse();
    counting.into_iter().filter_map(router).collect()
}

fn of_http_route(object: &Value, holder: &str) -> Vec<Router> {
    let hosts = view::texts(object, &["spec", "hostnames"]);
    let rules = view::list(object, &["spec", "rules"]);
    let mut routers = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        for item in matches(rule) {
            let (text, priority) = http_rule(&hosts, &item);
            let earlier = i64::try_from(rules.len() - index).unwrap_or_default();
            routers.push(Router {
                holder: holder.to_owned(),
                rule: Rule::parse(&text),
                priority: priority + earlier,
                index,
                // Its Gateway decides on the entry points.
                ..Router::default()
            });
        }
    }
    routers
}

/// Returns the matches of a rule of an HTTPRoute; one that matches everything if it has none.
pub fn matches(rule: &Value) -> Vec<Value> {
    match view::list(rule, &["matches"]) {
        [] => vec![serde_json::json!({})],
        matches => matches.to_vec(),
    }
}

/// Returns the rule and the priority of a match of an HTTPRoute.
pub fn http_rule(hosts: &[String], item: &Value) -> (String, i64) {
    let value = view::text(item, &["path", "value"]).unwrap_or("/");
    let long = i64::try_from(value.len()).unwrap_or_default();
    let (path, mut priority) = match view::text(item, &["path", "type"]).unwrap_or("PathPrefix") {
        "Exact" => (format!("Path({value:?})"), 100_000),
        "RegularExpression" => (format!("PathRegexp({value:?})"), 10_000 + long * 100),
        _ if value == "/" => ("PathPrefix(\"/\")".to_owned(), 1),
        _ => {
            let plain = value.strip_suffix('/').unwrap_or(value);
            (format!("(Path({plain:?}) || PathPrefix({:?}))", format!("{plain}/")), 10_000 + long * 100)
        }
    };
    let mut rule = path;
    let count = |key| i64::try_from(view::list(item, &[key]).len()).unwrap_or_default();
    priority += count("headers") * 100 + count("queryParams") * 10;
    if count("headers") + count("queryParams") > 0 {
        // Which ones does not matter here.
        rule.push_str(" && Header(`-`, `-`)");
    }
    if let Some(method) = view::text(item, &["method"]) {
        rule.push_str(&format!(" && Method({method:?})"));
        priority += 1000;
    }
    let (host, more) = host_rule(hosts);
    (if host.is_empty() { rule } else { format!("{host} && {rule}") }, priority + more)
}

/// Returns the rule for hosts, and what it adds to the priority (`httproute.go:buildHostRule`): the longest one's length.
fn host_rule(hosts: &[String]) -> (String, i64) {
    let one = |host: &String| match host.strip_prefix("*.") {
        Some(rest) => format!("HostRegexp(`^[a-z0-9-\\.]+\\.{}$`)", rest.replace('.', "\\.")),
        None => format!("Host(`{host}`)"),
    };
    let longest = hosts.iter().map(|host| length(host)).max().unwrap_or_default();
    match hosts {
        [] => (String::new(), 0),
        [host] => (one(host), longest),
        hosts => (format!("({})", hosts.iter().map(one).collect::<Vec<_>>().join(" || ")), longest),
    }
}

fn of_ingress(object: &Value, holder: &str) -> Vec<Router> {
    let annotation = |key: &str| view::text(object, &["metadata", "annotations", key]);
    let explicit = annotation(INGRESS_PRIORITY).and_then(|text| text.parse().ok()).filter(|priority| *priority != 0);
    let entry_points = annotation(INGRESS_ENTRY_POINTS).into_iter().flat_map(|text| text.split(','));
    let entry_points: Vec<_> = entry_points.map(|name| name.trim().to_owned()).collect();
    let router = |rule: &str, priority: i64, index: usize| Router {
        holder: holder.to_owned(),
        rule: Rule::parse(rule),
        priority,
        entry_points: entry_points.clone(),
        class: class(object).map(str::to_owned),
        is_ingress: true,
        parents: Value::Null,
        index,
    };
    let rules = view::list(object, &["spec", "rules"]);
    if rules.is_empty() {
        let fallback = view::at(object, &["spec", "defaultBackend"]);
        return fallback.map(|_| router("PathPrefix(`/`)", i64::from(i32::MIN), 0)).into_iter().collect();
    }
    let mut routers = Vec::new();
    for rule in rules {
        let host = view::text(rule, &["host"]).filter(|host| !host.is_empty()).map(ingress_host_rule);
        for path in view::list(rule, &["http", "paths"]) {
            let matcher = match view::text(path, &["pathType"]) {
                Some("Exact") => "Path",
                Some("Prefix") => "PathPrefix",
                _ => annotation(INGRESS_MATCHER).unwrap_or("PathPrefix"),
            };
            let path = view::text(path, &["path"]).map(|path| format!("{matcher}({path:?})"));
            let text = [host.clone(), path].into_iter().flatten().collect::<Vec<_>>().join(" && ");
            routers.push(router(&text, explicit.unwrap_or_else(|| length(&text)), routers.len()));
        }
    }
    routers
}

/// Returns the backends of an Ingress: of its paths, or the default one of an Ingress without rules.
pub(crate) fn ingress_backends(object: &Value) -> Vec<&Value> {
    let rules = view::list(object, &["spec", "rules"]);
    let paths = rules.iter().flat_map(|rule| view::list(rule, &["http", "paths"]));
    let of_paths = paths.map(|path| path.get("backend").unwrap_or(&Value::Null));
    let default = view::at(object, &["spec", "defaultBackend"]).filter(|_| rules.is_empty());
    default.into_iter().chain(of_paths).collect()
}

/// Returns the rule for the host of an Ingress (`kubernetes.go:buildHostRule`).
fn ingress_host_rule(host: &str) -> String {
    match host.strip_prefix("*.") {
        Some(rest) => format!("HostRegexp(`^[a-zA-Z0-9-]+\\.{}$`)", regex::escape(rest)),
        None => format!("Host(`{host}`)"),
    }
}

#[cfg(test)]
mod tests;
