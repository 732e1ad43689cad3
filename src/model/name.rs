//! Names of objects, and the two API groups of TraefikServices.

use std::fmt;

use serde_json::Value;

use crate::text::is_near;

/// An object's namespace and name. Manifests may omit the namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespacedName {
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl NamespacedName {
    /// Returns the namespace and name of an object. With `generateName` alone, the name is that prefix and `*`, which no
    /// object can have.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let made = || text("/metadata/generateName").map(|prefix| format!("{prefix}*"));
        Self { namespace: text("/metadata/namespace"), name: text("/metadata/name").or_else(made).unwrap_or_default() }
    }

    /// Returns whether this object can be in a namespace: manifests may omit it on either side.
    pub fn may_be_in(&self, namespace: Option<&str>) -> bool {
        namespace.is_none() || self.namespace.is_none() || self.namespace.as_deref() == namespace
    }
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Checks that a name is valid for an object or a namespace, because it becomes part of a path: the rules for names of
/// every kind of object (apimachinery `pkg/api/validation/path/name.go:IsValidPathSegmentName`), and the greatest
/// length of any kind (`pkg/util/validation/validation.go:DNS1123SubdomainMaxLength`).
///
/// # Errors
///
/// Returns what is wrong with the name.
pub fn check(name: &str) -> Result<(), String> {
    const LONGEST: usize = 253;
    const SHOWN: usize = 60;
    let problem = match name {
        "" => "it is empty",
        "." | ".." => "it has a special meaning in a path",
        _ if name.contains('/') => "it contains `/`",
        _ if name.contains('%') => "it contains `%`",
        _ if name.len() > LONGEST => "it is longer than 253 characters",
        _ => return Ok(()),
    };
    let shown: String = name.chars().take(SHOWN).collect();
    let rest = if name.chars().nth(SHOWN).is_some() { "…" } else { "" };
    Err(format!("`{shown}{rest}` cannot be a name: {problem}"))
}

/// The API group of a TraefikService.
///
/// Flagger writes `traefik.io` since 1.42.0 and `traefik.containo.us` before; Traefik 3 reads only the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// `traefik.io`
    TraefikIo,
    /// `traefik.containo.us`
    TraefikContainoUs,
}

impl Group {
    /// Both groups, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::TraefikIo, Self::TraefikContainoUs];

    /// Returns the group's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TraefikIo => "traefik.io",
            Self::TraefikContainoUs => "traefik.containo.us",
        }
    }

    /// Returns `GROUP/v1alpha1`, the only version.
    pub fn api_version(self) -> String {
        format!("{}/v1alpha1", self.as_str())
    }

    /// Returns the group of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == name)
    }

    /// Returns the group of this `apiVersion`.
    pub fn of_api_version(api_version: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.api_version() == api_version)
    }
}

/// The only `apiVersion` of a Canary.
pub const CANARY_API_VERSION: &str = "flagger.app/v1beta1";

/// Returns the known names most similar to a wrong one, the best first: at most three.
pub fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = known
        .into_iter()
        .filter(|name| is_near(wrong, name) || name.contains(wrong) || wrong.contains(name))
        .map(|name| (strsim::levenshtein(wrong, name), name))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_elsewhere_in_a_path_is_no_name() {
        for name in ["a", "a.b", "...", "a..b", "\u{1b}[31mx", "ä", &"a".repeat(253)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let problem = |name: &str| check(name).unwrap_err();
        assert_eq!(problem(""), "`` cannot be a name: it is empty");
        assert_eq!(problem(".."), "`..` cannot be a name: it has a special meaning in a path");
        assert_eq!(problem("../x"), "`../x` cannot be a name: it contains `/`");
        assert_eq!(problem("%2e%2e"), "`%2e%2e` cannot be a name: it contains `%`");
        let long = problem(&"a".repeat(70_000));
        assert_eq!(long, format!("`{}…` cannot be a name: it is longer than 253 characters", "a".repeat(60)));
    }

    #[test]
    fn near_names_are_the_ones_a_person_may_have_meant() {
        let known = ["checkout", "search", "podinfo", "podinfo-eu"];
        assert_eq!(near("podinf", known), ["podinfo", "podinfo-eu"]);
        assert_eq!(near("chekcout", known), ["checkout"]);
        assert_eq!(near("zzz", known), Vec::<&str>::new());
        assert_eq!(near("eu", ["us", "web"]), Vec::<&str>::new());
    }
}
