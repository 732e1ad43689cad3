//! Which routes only redirect: they serve nobody, so what is said of a route's host, path or TLS is not about them.

use std::collections::HashMap;

use regex::RegexBuilder;
use serde_json::Value;

use super::{Environments, Origin, reference::Reference};
use crate::{
    model::{ObjectKind, ObjectRef, view},
    traefik::{
        cookie_value::normalized,
        reference::{key, keys_of},
    },
};

/// The annotation by which an Ingress names its middlewares (`pkg/provider/kubernetes/ingress/annotations.go`).
const INGRESS_MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";
/// How deep chains of middlewares are followed.
const DEEPEST: usize = 8;
/// The most memory for a compiled regular expression, in bytes.
const MAX_REGEX: usize = 256 << 10;

/// Whether a route redirects what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Redirect {
    /// It does not.
    No,
    /// It has a middleware that is not known.
    Unknown,
    /// It has one that is not known, but called after a redirect.
    Likely,
    /// It does.
    Yes,
}

/// The Middlewares.
#[derive(Debug, Default)]
pub(super) struct Middlewares<'a> {
    by_name: HashMap<String, Vec<Middleware<'a>>>,
    environments: Option<&'a Environments>,
}

#[derive(Debug)]
struct Middleware<'a> {
    object: &'a ObjectRef,
    value: &'a Value,
    origin: Option<&'a Origin>,
}

impl<'a> Middlewares<'a> {
    /// Returns none, of manifests in these environments.
    pub(super) fn of(environments: &'a Environments) -> Self {
        Self { by_name: HashMap::new(), environments: Some(environments) }
    }

    /// Adds an object, if it is one.
    pub(super) fn add(&mut self, object: &'a ObjectRef, value: &'a Value, origin: Option<&'a Origin>) {
        if matches!(object.kind, ObjectKind::Middleware(_)) {
            self.by_name.entry(key(&object.target)).or_default().push(Middleware { object, value, origin });
        }
    }

    /// Returns whether the route of a reference redirects.
    pub(super) fn redirect(&self, reference: &Reference<'_>) -> Redirect {
        let own = reference.object.target.namespace.as_deref();
        let item = |item: &Value| {
            let namespace = view::text(item, &["namespace"]).or(own);
            view::text(item, &["name"]).map_or(Redirect::Unknown, |name| self.named(name, namespace, reference, 0))
        };
        match reference.object.kind {
            ObjectKind::IngressRoute(_) => strongest(list(reference.rule(), &["middlewares"]).iter().map(item)),
            ObjectKind::Ingress => {
                let names = view::text(reference.value, &["metadata", "annotations", INGRESS_MIDDLEWARES]);
                let names = names.into_iter().flat_map(|text| text.split(','));
                strongest(names.map(|name| self.named(name.trim(), None, reference, 0)))
            }
            ObjectKind::HttpRoute => {
                let filters = list(reference.rule(), &["filters"]).iter();
                strongest(filters.map(|filter| match view::text(filter, &["type"]) {
                    Some("RequestRedirect") => Redirect::Yes,
                    Some("ExtensionRef") => view::at(filter, &["extensionRef"]).map_or(Redirect::Unknown, item),
                    _ => Redirect::No,
                }))
            }
            _ => Redirect::No,
        }
    }

    fn named(&self, name: &str, namespace: Option<&str>, reference: &Reference<'_>, depth: usize) -> Redirect {
        let (short, provider) = name.split_once('@').map_or((name, None), |(short, provider)| (short, Some(provider)));
        let is_it = |object: &ObjectRef| match (provider, &object.target.namespace) {
            (None, _) => object.target.name == name && object.target.may_be_in(namespace),
            (Some("kubernetescrd"), Some(own)) => {
                normalized(short) == normalized(&format!("{own}-{}", object.target.name))
            }
            (Some(provider), own) => provider == "kubernetescrd" && own.is_none(),
        };
        let is_for = |origin: Option<&Origin>| match (self.environments, origin, reference.origin) {
            (Some(all), Some(one), Some(other)) => !all.are_apart(&one.file, &other.file),
            _ => true,
        };
        let mut of_name = keys_of(name).into_iter().filter_map(|key| self.by_name.get(&key)).flatten();
        let found = of_name.find(|it| is_it(it.object) && is_for(it.origin)).filter(|_| depth < DEEPEST);
        let Some(Middleware { object, value, .. }) = found else {
            let is_called_so = ["redirect", "https"].iter().any(|word| name.contains(word));
            return if is_called_so && reference.is_plain() { Redirect::Likely } else { Redirect::Unknown };
        };
        let is_https = |keys: &[&str]| view::text(value, keys) == Some("https");
        if is_https(&["spec", "redirectScheme", "scheme"]) && reference.is_plain() {
            return Redirect::Yes;
        }
        if let Some(regex) = view::text(value, &["spec", "redirectRegex", "regex"]) {
            return if replaces(regex, reference) { Redirect::Yes } else { Redirect::No };
        }
        let namespace = object.target.namespace.as_deref();
        strongest(list(value, &["spec", "chain", "middlewares"]).iter().map(|item| {
            let namespace = view::text(item, &["namespace"]).or(namespace);
            let name = view::text(item, &["name"]).unwrap_or_default();
            self.named(name, namespace, reference, depth + 1)
        }))
    }
}

fn strongest(all: impl Iterator<Item = Redirect>) -> Redirect {
    all.max().unwrap_or(Redirect::No)
}

fn list<'a>(value: &'a Value, keys: &[&str]) -> &'a [Value] {
    view::at(value, keys).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns whether a regular expression matches every address of a route, so that all are redirected: its root, and a page
/// far below.
fn replaces(regex: &str, reference: &Reference<'_>) -> bool {
    let Ok(regex) = RegexBuilder::new(regex).size_limit(MAX_REGEX).build() else { return false };
    let scheme = if reference.is_plain() { "http" } else { "https" };
    let hosts = reference.only_hosts().unwrap_or_else(|| vec!["host.example".to_owned()]);
    let paths = reference.routers.iter().filter_map(|router| router.rule.as_ref()).flat_map(|rule| rule.paths());
    let mut paths: Vec<_> = paths.map(|path| path.trim_end_matches('/')).collect();
    if paths.is_empty() {
        paths.push("");
    }
    let addresses = hosts.iter().flat_map(|host| paths.iter().map(move |path| format!("{scheme}://{host}{path}")));
    let mut pages = addresses.flat_map(|address: String| [format!("{address}/"), format!("{address}/some/page")]);
    pages.all(|page| regex.is_match(&page))
}
