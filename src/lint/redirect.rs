//! What the middlewares of a route do: which routes only redirect, so that they serve nobody, and what is said of a route's
//! host, path or TLS is not about them; and which lose the cookie.

use std::collections::{BTreeSet, HashMap};

use regex::RegexBuilder;
use serde_json::Value;

use super::{
    ByFile, Environments, Origin,
    reference::{Redirect, Reference},
};
use crate::{
    model::{ObjectKind, ObjectRef, view},
    traefik::cookie_value::normalized,
};

/// The annotation by which an Ingress names its middlewares (`pkg/provider/kubernetes/ingress/annotations.go`).
const INGRESS_MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";
/// The headers that cookies are in: of requests, and of answers.
const COOKIE_HEADERS: [&str; 2] = ["cookie", "set-cookie"];
/// How many of a route's hosts and paths a regular expression is tried with.
const SAMPLE: usize = 16;
/// The most memory for a compiled regular expression, in bytes.
const MAX_REGEX: usize = 256 << 10;

/// The Middlewares.
#[derive(Debug, Default)]
pub(super) struct Middlewares<'a> {
    by_name: HashMap<&'a str, ByFile<'a, Middleware<'a>>>,
    /// By namespace and name as Traefik joins them.
    by_qualified_name: HashMap<String, ByFile<'a, Middleware<'a>>>,
    pub(super) environments: Environments,
}

#[derive(Debug, Clone, Copy)]
struct Middleware<'a> {
    object: &'a ObjectRef,
    value: &'a Value,
}

impl<'a> Middlewares<'a> {
    /// Adds an object, if it is one.
    pub(super) fn add(&mut self, object: &'a ObjectRef, value: &'a Value, origin: Option<&'a Origin>) {
        if matches!(object.kind, ObjectKind::Middleware(_)) {
            let (file, it) = (origin.map(|origin| origin.file.as_str()), Middleware { object, value });
            self.by_name.entry(&object.target.name).or_default().push(file, it);
            let qualified = normalized(&object.target.to_string());
            self.by_qualified_name.entry(qualified).or_default().push(file, it);
        }
    }

    /// Returns whether the route of a reference redirects.
    pub(super) fn redirect(&self, reference: &Reference<'_>) -> Redirect {
        *reference.redirect.get_or_init(|| self.find_redirect(reference))
    }

    fn find_redirect(&self, reference: &Reference<'_>) -> Redirect {
        let redirects = |filter: &Value| view::text(filter, &["type"]) == Some("RequestRedirect");
        let by_filter = reference.filters().iter().any(redirects);
        let (found, unknown) = self.of_route(reference);
        let of_unknown = unknown.into_iter().map(|name| {
            let is_called_so = ["redirect", "https"].iter().any(|word| name.contains(word));
            if is_called_so && reference.is_http() { Redirect::Likely } else { Redirect::Perhaps }
        });
        let all = found.iter().map(|it| it.redirect(reference)).chain(of_unknown);
        all.fold(if by_filter { Redirect::Yes } else { Redirect::No }, Redirect::max)
    }

    /// Returns what takes the cookie from the requests of a reference's route, or from the answers, for display.
    pub(super) fn taking_cookies(&self, reference: &Reference<'_>) -> Option<String> {
        let by_filter = reference.filters().iter().any(|filter| {
            ["requestHeaderModifier", "responseHeaderModifier"].into_iter().zip(COOKIE_HEADERS).any(|(key, header)| {
                let is_it = |name: &Value| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(header));
                let modifier = filter.get(key).unwrap_or(&Value::Null);
                let set = view::list(modifier, &["set"]).iter().filter_map(|item| item.get("name"));
                view::list(modifier, &["remove"]).iter().chain(set).any(is_it)
            })
        });
        if by_filter {
            return Some(format!("a filter of {}", reference.holder()));
        }
        let (found, _) = self.of_route(reference);
        let taking = found.into_iter().find(Middleware::takes_cookies)?;
        Some(format!("{} `{}`", taking.object.kind.kind(), taking.object.target))
    }

    /// Returns the Middlewares of a reference's route, and the names of those that are not known.
    fn of_route<'r>(&'r self, reference: &Reference<'r>) -> (Vec<Middleware<'a>>, Vec<&'r str>)
    where
        'a: 'r,
    {
        let own = reference.object.target.namespace.as_deref();
        let mut next: Vec<(&'r str, Option<&'r str>)> = match reference.object.kind {
            ObjectKind::IngressRoute(_) => {
                view::list(reference.rule(), &["middlewares"]).iter().map(|item| named(item, own)).collect()
            }
            ObjectKind::Ingress => {
                let names = view::text(reference.value, &["metadata", "annotations", INGRESS_MIDDLEWARES]);
                names.into_iter().flat_map(|text| text.split(',')).map(|name| (name.trim(), None)).collect()
            }
            _ => {
                let filters = reference.filters().iter();
                filters.filter_map(|filter| filter.get("extensionRef")).map(|item| named(item, own)).collect()
            }
        };
        let (mut all, mut unknown, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        while let Some((name, namespace)) = next.pop() {
            let Some(found) = self.find(name, namespace, reference) else {
                unknown.push(name);
                continue;
            };
            // A chain may lead back to itself.
            if seen.insert(&found.object.target) {
                all.push(found);
                let own = found.object.target.namespace.as_deref();
                let chain = view::list(found.value, &["spec", "chain", "middlewares"]);
                next.extend(chain.iter().map(|item| named(item, own)));
            }
        }
        (all, unknown)
    }

    /// Finds a Middleware by the name in a reference to it.
    fn find(&self, name: &str, namespace: Option<&str>, reference: &Reference<'_>) -> Option<Middleware<'a>> {
        let all = match name.split_once('@') {
            None => self.by_name.get(name),
            Some((name, "kubernetescrd")) => self.by_qualified_name.get(&normalized(name)),
            Some(_) => None,
        };
        let file = reference.origin.map(|origin| origin.file.as_str());
        let mut seen = all?.seen_from(file, &self.environments).into_iter().map(|(_, it)| *it);
        seen.find(|it| name.contains('@') || it.object.target.may_be_in(namespace))
    }
}

impl Middleware<'_> {
    /// Returns whether it takes off, or replaces, a header that Traefik's cookie is in (`pkg/middlewares/headers/header.go`:
    /// an empty value takes a header off).
    fn takes_cookies(&self) -> bool {
        ["customRequestHeaders", "customResponseHeaders"].into_iter().zip(COOKIE_HEADERS).any(|(key, header)| {
            let headers = view::object(self.value, &["spec", "headers", key]).into_iter().flatten();
            headers.into_iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
        })
    }

    /// Returns whether it redirects what the route of a reference gets.
    fn redirect(&self, reference: &Reference<'_>) -> Redirect {
        let scheme = view::text(self.value, &["spec", "redirectScheme", "scheme"]);
        let regex = view::text(self.value, &["spec", "redirectRegex", "regex"]);
        match (scheme, regex) {
            (Some("https"), _) if reference.is_http() => Redirect::Yes,
            (Some("https"), _) if reference.is_plain() => Redirect::Perhaps,
            (_, Some(regex)) if replaces(regex, reference) => Redirect::Yes,
            _ => Redirect::No,
        }
    }
}

/// Returns the name in a reference to a Middleware, and the namespace, which is that of its object unless it says.
fn named<'a>(item: &'a Value, own: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    (view::text(item, &["name"]).unwrap_or_default(), view::text(item, &["namespace"]).or(own))
}

/// Returns whether a regular expression matches every address of a route, so that all are redirected: its root, and a page
/// far below.
fn replaces(regex: &str, reference: &Reference<'_>) -> bool {
    let Ok(regex) = RegexBuilder::new(regex).size_limit(MAX_REGEX).build() else { return false };
    let scheme = if reference.is_http() { "http" } else { "https" };
    let hosts = reference.only_hosts().unwrap_or_else(|| vec!["host.example".to_owned()]);
    let paths = reference.routers.iter().filter_map(|router| router.rule.as_ref()).flat_map(|rule| rule.paths());
    let mut paths: Vec<_> = paths.take(SAMPLE).map(|path| path.trim_end_matches('/')).collect();
    if paths.is_empty() {
        paths.push("");
    }
    let addresses =
        hosts.iter().take(SAMPLE).flat_map(|host| paths.iter().map(move |path| format!("{scheme}://{host}{path}")));
    let mut pages = addresses.flat_map(|address: String| [format!("{address}/"), format!("{address}/some/page")]);
    pages.all(|page| regex.is_match(&page))
}
