//! What a user did, held against what its roles allow.
//!
//! [`Rules::of`] takes Roles and `ClusterRole`s as they are on a server (a `ClusterRole` counts for every namespace),
//! [`Rules::beyond`] names what a user asked the server for beyond them, refused or not, and [`Rules::unused`] what the
//! rules allow and nobody asked for. Requests that are about no resource (`/version`, discovery, schemas) are everybody's.

use std::collections::BTreeSet;

use serde_json::Value;

use super::server::Server;

/// What every authenticated user may read: the `ClusterRole`s `system:discovery` and `system:public-info-viewer`.
const EVERYBODYS: [&str; 6] = ["/api", "/apis", "/openapi", "/version", "/healthz", "/readyz"];

/// What roles allow: the namespace that a rule is for (`None` is all of them), and the rule.
pub struct Rules(Vec<(Option<String>, Value)>);

impl Rules {
    /// The rules of these roles.
    pub fn of<'a>(roles: impl IntoIterator<Item = &'a Value>) -> Self {
        let rules = roles.into_iter().flat_map(|role| {
            let namespace = role["metadata"]["namespace"].as_str().map(str::to_owned);
            // A server writes an empty list as null.
            let rules = role["rules"].as_array().cloned().unwrap_or_default();
            rules.into_iter().map(move |rule| (namespace.clone(), rule))
        });
        Self(rules.collect())
    }

    /// Each thing that this user asked for and that no rule allows, once: `verb resource.group namespace/name`.
    pub fn beyond(&self, server: &Server, user: &str) -> BTreeSet<String> {
        let beyond = server.audit_of(user).into_iter().filter(|request| !self.allow(request));
        beyond.map(|request| words(&request)).collect()
    }

    /// Each `verb resource.group` that the rules allow and that this user never asked for.
    pub fn unused(&self, server: &Server, user: &str) -> BTreeSet<String> {
        let used = server.audit_of(user);
        let used: BTreeSet<_> = used
            .iter()
            .map(|request| {
                let of = |key: &str| request["objectRef"][key].as_str().unwrap_or_default();
                format!("{} {}.{}", request["verb"].as_str().unwrap_or_default(), of("resource"), of("apiGroup"))
            })
            .collect();
        let allowed = self.0.iter().flat_map(|(_, rule)| {
            let all = |key: &str| texts(&rule[key]);
            let resources: Vec<_> = all("resources");
            resources.into_iter().flat_map(move |resource| {
                let verbs = texts(&rule["verbs"]);
                texts(&rule["apiGroups"]).into_iter().flat_map(move |group| {
                    let resource = resource.clone();
                    verbs.clone().into_iter().map(move |verb| format!("{verb} {resource}.{group}"))
                })
            })
        });
        allowed.filter(|allowed| !used.contains(allowed)).collect()
    }

    fn allow(&self, request: &Value) -> bool {
        let of = |key: &str| request["objectRef"][key].as_str().unwrap_or_default().to_owned();
        if request["objectRef"].is_null() {
            let path = request["requestURI"].as_str().unwrap_or_default();
            return EVERYBODYS.iter().any(|begin| path.starts_with(begin)) && request["verb"] == "get";
        }
        let (name, namespace) = (of("name"), of("namespace"));
        let resource = match of("subresource") {
            none if none.is_empty() => of("resource"),
            subresource => format!("{}/{subresource}", of("resource")),
        };
        let verb = request["verb"].as_str().unwrap_or_default();
        // Asking for one's own rights is everybody's too: the ClusterRole `system:basic-user`.
        if (verb, resource.as_str()) == ("create", "selfsubjectaccessreviews") {
            return true;
        }
        self.0.iter().any(|(in_namespace, rule)| {
            let has = |key: &str, value: &str| texts(&rule[key]).iter().any(|one| one == value || one == "*");
            in_namespace.as_ref().is_none_or(|one| *one == namespace)
                && has("verbs", verb)
                && has("apiGroups", &of("apiGroup"))
                && has("resources", &resource)
                && (rule["resourceNames"].is_null() || has("resourceNames", &name))
        })
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn words(request: &Value) -> String {
    let verb = request["verb"].as_str().unwrap_or_default();
    let object = &request["objectRef"];
    if object.is_null() {
        return format!("{verb} {}", request["requestURI"].as_str().unwrap_or_default());
    }
    let of = |key: &str| object[key].as_str().unwrap_or_default();
    format!("{verb} {}.{} {}/{}", of("resource"), of("apiGroup"), of("namespace"), of("name"))
}
