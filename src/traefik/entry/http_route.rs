//! The HTTPRoutes of an entry.

use serde_json::{Value, json};

use super::{entered, work::Work};
use crate::{
    model::{ObjectKind, view},
    traefik::router::{http_rule, matches},
};

/// The most matches that a rule of an HTTPRoute may have (`sigs.k8s.io/gateway-api` `apis/v1/httproute_types.go`).
const MAX_MATCHES: usize = 64;

impl Work<'_> {
    /// Makes an HTTPRoute for each that leads to the TraefikService.
    pub(super) fn http_routes(&mut self) {
        let mut number = 0;
        for place in self.leading_to_it() {
            let (object, value) = self.routing.object(place);
            if object.kind != ObjectKind::HttpRoute || entered(value).is_some() || !self.is_here(object) {
                continue;
            }
            let rules = self.leading(place);
            let rules: Vec<Value> = rules.into_iter().filter_map(|index| self.http_route_rule(place, index)).collect();
            if rules.is_empty() {
                continue;
            }
            let mut spec = value["spec"].clone();
            spec["rules"] = rules.into();
            self.add(ObjectKind::HttpRoute, number, &[], &spec);
            number += 1;
        }
    }

    /// Returns the rule of our own for one of an HTTPRoute.
    fn http_route_rule(&mut self, place: usize, index: usize) -> Option<Value> {
        let (object, value) = self.routing.object(place);
        let holder = format!("HTTPRoute `{}`", object.target);
        let hosts = view::texts(value, &["spec", "hostnames"]);
        let rule = &value["spec"]["rules"][index];
        // It needs a single match of a prefix (`apis/v1/httproute_types.go`).
        if rule["filters"].to_string().contains("ReplacePrefixMatch") {
            return self.leave_out(&holder, "it replaces a prefix");
        }
        let own = self.routing.routers_of(place).iter().filter(|router| router.router.index == index);
        let mut wanted = Vec::new();
        for (item, router) in matches(rule).into_iter().zip(own) {
            let exactly = |path: &str| {
                let mut item = item.clone();
                item["path"] = json!({"type": "Exact", "value": path});
                item
            };
            // Traefik adds one for each further rule of a route: at least one.
            let paths = self.paths(&router.router, |path| http_rule(&hosts, &exactly(path)).1 + 1);
            for item in paths.into_iter().flatten().map(|path| exactly(&path)) {
                // Matches that differ in their paths alone come to the same.
                if !wanted.contains(&item) {
                    wanted.push(item);
                }
            }
        }
        if wanted.len() > MAX_MATCHES {
            return self.leave_out(&holder, "it would need more than 64 matches");
        }
        if wanted.is_empty() {
            return None;
        }
        let mut rule = rule.clone();
        rule["matches"] = wanted.into();
        rule["filters"] = without_cookie(&rule["filters"]);
        // A rule's name is unique in its route, and optional.
        rule.as_object_mut()?.remove("name");
        Some(rule)
    }
}

/// Returns filters that also take the `Cookie` header off. A rule may have this filter once.
fn without_cookie(filters: &Value) -> Value {
    let mut filters = filters.as_array().cloned().unwrap_or_default();
    match filters.iter_mut().find(|filter| filter["type"] == "RequestHeaderModifier") {
        Some(filter) => {
            let mut removed = filter["requestHeaderModifier"]["remove"].as_array().cloned().unwrap_or_default();
            removed.push("Cookie".into());
            filter["requestHeaderModifier"]["remove"] = removed.into();
        }
        None => filters.push(json!({"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["Cookie"]}})),
    }
    filters.into()
}
