//! Rules that Traefik refuses: it makes no router of such a route, and says so in its log alone. Pure.

use std::fmt;

use serde_json::Value;

use super::rule::Reading;
use crate::model::{ObjectKind, name::Group, view};

/// Why Traefik rejects the rule of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it does.
    pub scope: Scope,
    /// What is wrong with the rule.
    pub reason: String,
}

/// Where a rule is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By every Traefik that reads the route.
    Everywhere,
    /// By Traefik 3, unless its older syntax is the default.
    Newer,
    /// By Traefik 2, and by a Traefik 3 whose older syntax is the default.
    Older,
}

impl Refusal {
    /// Returns whether no Traefik has a router for the route.
    pub fn is_certain(&self) -> bool {
        self.scope == Scope::Everywhere
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejects = match self.scope {
            Scope::Everywhere => "Traefik rejects this rule",
            Scope::Newer => "Traefik 3 accepts this rule only with `syntax: v2`",
            Scope::Older => "Traefik 2 rejects this rule",
        };
        write!(f, "{rejects}: {}", self.reason)
    }
}

/// Returns why Traefik rejects the rule of a route of an IngressRoute; `None` if it does not, or if that is not known.
///
/// A route says by `syntax` which one its rule is in (`pkg/muxer/http/parser.go`: whatever is not `v2` is the newer).
/// Traefik 2 knows the older syntax alone, and nothing but Traefik 2 reads the older API group.
pub fn refusal(kind: ObjectKind, route: &Value) -> Option<Refusal> {
    of(kind, route, &Reading::of(view::text(route, &["match"])?))
}

/// The same for a rule that has been read.
pub(super) fn of(kind: ObjectKind, route: &Value, reading: &Reading) -> Option<Refusal> {
    let ObjectKind::IngressRoute(group) = kind else { return None };
    let Reading { refused_as_newer: newer, refused_as_older: older, .. } = reading;
    let syntax = match group {
        Group::TraefikIo => view::text(route, &["syntax"]),
        Group::TraefikContainoUs => Some("v2"),
    };
    let (scope, reason) = match (syntax, newer, older) {
        (Some("v2"), _, older) => (Scope::Everywhere, older.as_ref()?),
        (Some(_), newer, _) => (Scope::Everywhere, newer.as_ref()?),
        (None, Some(newer), Some(_)) => (Scope::Everywhere, newer),
        (None, Some(newer), None) => (Scope::Newer, newer),
        (None, None, older) => (Scope::Older, older.as_ref()?),
    };
    Some(Refusal { scope, reason: reason.clone() })
}
