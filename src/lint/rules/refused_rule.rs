//! CT061: Traefik rejects the rule of a route.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::version::Version,
    traefik::refusal::{Refusal, Scope, refusal},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT061",
    severity: Severity::Error,
    title: "Traefik rejects the rule of a route",
    why: "Traefik creates no router for a rule that it cannot parse: the route serves nobody, and only Traefik's log says so. Traefik 3 reads the rules of Traefik 2 only with `syntax: v2`; where its version is not known, this is a warning.",
    bad: "kind: Canary
---
kind: IngressRoute
spec:
  routes:
    - match: Host('cart.example')
      services: [{kind: TraefikService, name: cart}]",
    mended: &[("'cart.example'", "`cart.example`")],
    fix: "Correct the rule: values in backticks, one in each Host and Path, line breaks only after && and ||.",
    source: "traefik/traefik pkg/muxer/http/parser.go, matcher.go, matcher_v2.go; pkg/rules/parser.go",
    needs: &[Need::Routes, Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let problem = |route: &Reference<'_>| {
        let Refusal { scope, reason } = refusal(route.object.kind, route.rule())?;
        let (who, help, severity) = refusing(subject, scope)?;
        let message = format!("{who} rejects the rule of route {} of {}: {reason}", route.route + 1, route.holder());
        let place = route.place(&["spec", "routes", &route.route.to_string(), "match"]);
        Some(Problem::new(message, help).with(severity).at(place))
    };
    subject.leading().filter_map(problem).flatten().collect()
}

/// Returns which Traefik refuses such a rule, what helps, and how sure that is; `None` if none does, as far as is known.
fn refusing(subject: Subject<'_>, scope: Scope) -> Option<(String, &'static str, Severity)> {
    const OLDER: &str = "rewrite match in the rule syntax of Traefik 3, or add syntax: v2 next to it";
    const NEWER: &str = "rewrite match in the rule syntax of Traefik 2";
    let traefik_3 = Version::of(3, 0, 0);
    let is_older_by_default =
        || subject.some_traefik(|it| it.option("core.defaultrulesyntax").is_some_and(|syntax| syntax == "v2"));
    match scope {
        Scope::Everywhere => Some(("Traefik".to_owned(), "correct its match", Severity::Error)),
        Scope::Newer if subject.older_than(traefik_3).is_some() || is_older_by_default() => None,
        Scope::Newer => Some(match subject.not_older_than(traefik_3) {
            Some(traefik) if traefik.has_known_options() => (traefik.to_string(), OLDER, Severity::Error),
            _ => ("Traefik 3".to_owned(), OLDER, Severity::Warning),
        }),
        Scope::Older => subject.older_than(traefik_3).map(|traefik| (traefik.to_string(), NEWER, Severity::Error)),
    }
}
