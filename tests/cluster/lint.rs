//! `lint` on a real API server: with every right, and without some.

use serde_json::json;
use snapbox::str;
use testbed::{namespace::Namespace, run::Run};

use crate::rollout::{declare, rollout};

/// What depends on the Traefiks that other tests have in their namespaces, and what is only worth knowing.
const OTHERS: &str = "--ignore=CT007,CT008,CT009,CT010,CT026,CT029,CT030,CT037,CT025,CT055";

/// An IngressRoute with this backend.
fn route(namespace: &Namespace, name: &str, service: &serde_json::Value) {
    let rule = json!({ "kind": "Rule", "match": "Host(`lint.example`)", "services": [service] });
    namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": name },
        "spec": { "entryPoints": ["web"], "routes": [rule] },
    }));
}

/// The names of the services in the output of each namespace differ.
fn run(namespace: &Namespace, words: &str) -> Run {
    namespace.run(words.split(' '))
}

#[test]
fn a_cluster_shows_what_manifests_cannot() {
    let namespace = rollout("lint");
    declare(&namespace, "podinfo", "login; Max-Age=60; Secure");
    // Nothing leads to it, nothing protects it, and its Services are missing.
    run(&namespace, &format!("lint podinfo {OTHERS}")).run().shows(str![[r#"
exit: 1
--- stdout
lint-[NS]/podinfo
  error CT017: Service `podinfo-primary` does not exist, so each route to the
    TraefikService answers 404
    in traefikservice.traefik.io/podinfo
    fix: see what stops Flagger, in its events:
      kubectl canary-traefik describe podinfo -n lint-[NS]
  error CT017: Service `podinfo-canary` does not exist, so each route to the
    TraefikService answers 404
    in traefikservice.traefik.io/podinfo
    fix: see what stops Flagger, in its events:
      kubectl canary-traefik describe podinfo -n lint-[NS]
  warning CT035: no route leads to TraefikService `podinfo`, so the canary gets
    no traffic
    fix: point an IngressRoute at it (kind: TraefikService, name: podinfo, no
      port)
  warning CT048: with Max-Age=60, the cookie expires during 32 % of one-minute
    logins, which can then change track
    fix: declare where your logins begin, for example /login:
      kubectl canary-traefik sticky set podinfo -n lint-[NS] --entry /login
  warning CT059: nothing protects the cookie: Flagger's next write removes it
    fix: kubectl canary-traefik guard install
--- stderr
2 errors, 3 warnings in 1 Canary

"#]]);
    route(&namespace, "web", &json!({ "kind": "TraefikService", "name": "podinfo", "sticky": { "cookie": {} } }));
    route(&namespace, "old", &json!({ "name": "podinfo", "port": 80 }));
    for track in ["primary", "canary"] {
        let ports = json!([{ "port": 80 }]);
        namespace.create_value(&json!({ "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": format!("podinfo-{track}") }, "spec": { "ports": ports } }));
    }
    run(&namespace, &format!("lint {OTHERS} --fail-on never")).run().shows(str![[r#"
exit: 0
--- stdout
lint-[NS]/podinfo
  warning CT005: IngressRoute `lint-[NS]/web` has no TLS: browsers reject a
    Secure cookie over http
    in ingressroute.traefik.io/web
    fix: add tls to the route, redirect it to https, or:
      kubectl canary-traefik sticky set podinfo -n lint-[NS] --unset secure
  error CT011: IngressRoute `lint-[NS]/old` leads to the Service `podinfo`, so
    always to the primary, without a cookie
    in ingressroute.traefik.io/old
    fix: point it at the TraefikService (kind: TraefikService, name: podinfo, no
      port)
  warning CT014: IngressRoute `lint-[NS]/web`: Traefik ignores sticky beside
    kind: TraefikService
    in ingressroute.traefik.io/web
    fix: remove sticky from the route
  warning CT048: with Max-Age=60, the cookie expires during 32 % of one-minute
    logins, which can then change track
    fix: declare where your logins begin, for example /login:
      kubectl canary-traefik sticky set podinfo -n lint-[NS] --entry /login
  warning CT059: nothing protects the cookie: Flagger's next write removes it
    fix: kubectl canary-traefik guard install
--- stderr
1 error, 4 warnings in 1 Canary

"#]]);
}

#[test]
fn rules_that_need_what_may_not_be_read_find_nothing_and_are_named_once() {
    let namespace = rollout("lint-blind");
    declare(&namespace, "podinfo", "login; Max-Age=-1; HttpOnly");
    route(&namespace, "old", &json!({ "name": "podinfo", "port": 80 }));
    let rule =
        |group: &str, resource: &str| format!("{{apiGroups: [{group}], resources: [{resource}], verbs: [list]}}");
    let user = namespace.user_with(&format!("[{}]", rule("flagger.app", "canaries")));
    let name = user.file_stem().expect("a kubeconfig is named after its user").to_string_lossy().into_owned();
    let seen = |user: &std::path::Path, name: &str| {
        namespace.run_as(user, ["lint", "--ignore", "CT055"]).redact(&format!("`{name}`"), "`[USER]`").run()
    };
    seen(&user, &name).shows(str![[r#"
exit: 1
--- stdout
lint-blind-[NS]/podinfo
  error CT006: with Max-Age=-1 browsers delete the cookie at once, so no user
    stays on a track
    fix: use a positive --max-age
--- stderr
note: some rules may have missed findings, because user `[USER]` may not list ingressroutes.traefik.io in namespace `lint-blind-[NS]`: CT003, CT005, CT011, CT013, CT014, CT018, CT019, CT028, CT030, CT034, CT035, CT050, CT060, CT061, CT062
note: some rules may have missed findings, because user `[USER]` may not list deployments.apps: CT005, CT007, CT008, CT009, CT010, CT026, CT029, CT030, CT037, CT061
note: some rules may have missed findings, because user `[USER]` may not list services in namespace `lint-blind-[NS]`: CT017
1 error in 1 Canary

"#]]);
    let rules = [rule("flagger.app", "canaries"), rule("traefik.io", "'*'")];
    let user = namespace.user_with(&format!("[{}]", rules.join(", ")));
    let name = user.file_stem().expect("a kubeconfig is named after its user").to_string_lossy().into_owned();
    seen(&user, &name).shows(str![[r#"
exit: 1
--- stdout
lint-blind-[NS]/podinfo
  error CT006: with Max-Age=-1 browsers delete the cookie at once, so no user
    stays on a track
    fix: use a positive --max-age
  error CT011: IngressRoute `lint-blind-[NS]/old` leads to the Service
    `podinfo`, so always to the primary, without a cookie
    in ingressroute.traefik.io/old
    fix: point it at the TraefikService (kind: TraefikService, name: podinfo, no
      port)
--- stderr
note: some rules may have missed findings, because user `[USER]` may not list ingressroutes.traefik.io: CT003, CT005, CT011, CT013, CT014, CT018, CT019, CT028, CT030, CT034, CT035, CT050, CT060, CT061, CT062
note: some rules may have missed findings, because user `[USER]` may not list deployments.apps: CT005, CT007, CT008, CT009, CT010, CT026, CT029, CT030, CT037, CT061
note: some rules may have missed findings, because user `[USER]` may not list services in namespace `lint-blind-[NS]`: CT017
2 errors in 1 Canary

"#]]);
}
