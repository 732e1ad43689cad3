//! CT053: the name of a cookie that applications set themselves.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::Cookie,
    text::quoted,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT053",
    severity: Severity::Warning,
    title: "The cookie has a name that application servers use",
    why: "Application servers set a cookie with this name. The two overwrite each other: users lose their track or their session.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: JSESSIONID; Max-Age=120",
    mended: &[("JSESSIONID", "cart")],
    fix: "Use a name that no application has, such as that of the Canary.",
    source: "RFC 6265 section 5.3, step 11; traefik/traefik#3926",
    needs: &[],
    check,
};

/// Names that application servers, frameworks and proxies give to their own cookies, by default.
const KNOWN: &[(&str, &str)] = &[
    ("JSESSIONID", "Java servlet containers"),
    ("SESSION", "Spring Session"),
    ("PHPSESSID", "PHP"),
    ("laravel_session", "Laravel"),
    ("ci_session", "CodeIgniter"),
    ("XSRF-TOKEN", "Laravel and Angular"),
    ("ASP.NET_SessionId", "ASP.NET"),
    (".AspNetCore.Session", "ASP.NET Core"),
    (".AspNetCore.Cookies", "ASP.NET Core"),
    ("connect.sid", "Express"),
    ("koa.sess", "Koa"),
    ("sessionid", "Django"),
    ("csrftoken", "Django"),
    ("session", "Flask"),
    ("rack.session", "Rack"),
    ("_session_id", "Rails"),
    ("PLAY_SESSION", "Play"),
    ("CFID", "ColdFusion"),
    ("CFTOKEN", "ColdFusion"),
    ("_oauth2_proxy", "OAuth2 Proxy"),
    ("_forward_auth", "traefik-forward-auth"),
    ("AUTH_SESSION_ID", "Keycloak"),
    ("KEYCLOAK_SESSION", "Keycloak"),
    ("KEYCLOAK_IDENTITY", "Keycloak"),
    ("grafana_session", "Grafana"),
];

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let name = subject.cookie().and_then(Cookie::name);
    let Some((name, whose)) = KNOWN.iter().find(|(known, _)| Some(*known) == name) else { return Vec::new() };
    Problem::new(
        format!("`{name}` is the name of a cookie of {whose}: each overwrites the other"),
        subject.set(&format!("--name {}", quoted(&subject.observed.canary.target.name))),
    )
    .at(subject.cookie_place())
}
