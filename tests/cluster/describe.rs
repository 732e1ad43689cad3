//! `describe` on a real API server.

use std::path::Path;

use canary_traefik::traefik::cookie_value::{Child, Generation};
use serde_json::json;
use snapbox::str;
use testbed::{
    namespace::Namespace,
    objects::{self, status},
    run::Output,
};

use crate::rollout::{declare, rollout, run_as, set_live};

/// The description as this user sees it, in lines of this width. The cookies depend on the name of the namespace.
fn described(namespace: &Namespace, user: &Path, columns: usize) -> Output {
    let name = user.file_stem().expect("a kubeconfig is named after its user").to_string_lossy().into_owned();
    let value = |track: &str| Child(format!("{}-podinfo-{track}-80", namespace.name())).value(Generation::Sha256);
    namespace
        .run_as(user, ["describe", "podinfo"])
        .env("COLUMNS", columns.to_string())
        .redact(&format!("`{name}`"), "`[USER]`")
        .redact(&value("primary"), "[PRIMARY]")
        .redact(&value("canary"), "[CANARY]")
        .run()
}

/// An IngressRoute to the TraefikService, and one to the Service of the same name.
fn routes(namespace: &Namespace) {
    let route = |name: &str, service: serde_json::Value| {
        let rule = json!({ "kind": "Rule", "match": format!("Host(`{name}.example.com`)"), "services": [service] });
        namespace.create_value(&json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": { "name": name },
            "spec": { "entryPoints": ["websecure"], "routes": [rule], "tls": {} },
        }));
    };
    route("shop", json!({ "kind": "TraefikService", "name": "podinfo" }));
    route("other", json!({ "name": "podinfo", "port": 80 }));
}

/// An event as Flagger's recorder writes it. It is as old on each day: the column of ages is as wide as they are.
fn event(namespace: &Namespace, name: &str, about: &serde_json::Value, second: u32, kind: &str, message: &str) {
    let day = jiff::Timestamp::now().as_second() / 86_400 - 300;
    let moment = jiff::Timestamp::from_second(day * 86_400 + i64::from(second)).expect("a moment").to_string();
    namespace.create_value(&json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": name },
        "involvedObject": {
            "apiVersion": "flagger.app/v1beta1",
            "kind": about["kind"],
            "name": about["metadata"]["name"],
            "namespace": about["metadata"]["namespace"],
            "uid": about["metadata"]["uid"],
        },
        "type": kind,
        "reason": "Synced",
        "message": message,
        "source": { "component": "flagger" },
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }));
}

#[test]
fn a_rollout_is_described_with_everything_around_it() {
    let namespace = Namespace::new("describe");
    let (canary, service) = namespace.create_rollout("podinfo", 80, 20);
    routes(&namespace);
    declare(&namespace, "podinfo", "login; Max-Age=300; HttpOnly");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 60, "httpOnly": true }));
    namespace.patch_status("Canary", "podinfo", &status("Progressing", 20));
    event(&namespace, "b", &canary, 2, "Normal", "Advance podinfo.shop canary weight 20");
    event(&namespace, "a", &canary, 1, "Normal", "New revision detected! Scaling up podinfo.shop");
    event(&namespace, "c", &canary, 3, "Warning", "Halt podinfo.shop advancement\nexternal check \u{1b}[2J failed");
    event(&namespace, "d", &service, 4, "Normal", "nobody asked for this one");
    described(&namespace, namespace.kubeconfig(), 100).shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       describe-[NS]
Phase:           Progressing
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   80   login=[PRIMARY]
  └─ canary    podinfo-canary:80    20   login=[CANARY]
Cookie:          differs, declared in an annotation
  FIELD       DECLARED   LIVE
  name        login      login
  max-age     300        60      differs
  http-only   true       true
Protected:       none: Flagger's next write removes the cookie
Next write:      the step to 30, or a rollback, within 60s if its checks pass; weights 70/30; it
                 removes the cookie
Routes:
  IngressRoute/shop on websecure with TLS
    Host(`shop.example.com`)
Routes that do not reach the TraefikService:
  IngressRoute/other
    Host(`other.example.com`)
    it leads to Service `podinfo`, which always selects the primary, not to the TraefikService
    fix: use `kind: TraefikService`, `name: podinfo`, without `port`
Findings:
  warning CT021: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of
    their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin
      and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky
      set podinfo -n describe-[NS] --entry /login --max-age 2m
  warning CT059: nothing protects the cookie: Flagger's next write removes it
    fix: kubectl canary-traefik guard install
Events:
  Type     Reason  Age   From     Message
  ----     ------  ----  ----     -------
  Normal   Synced  [A]   flagger  New revision detected! Scaling up podinfo.shop
  Normal   Synced  [A]   flagger  Advance podinfo.shop canary weight 20
  Warning  Synced  [A]   flagger  Halt podinfo.shop advancement external check \u{1b}[2J failed
--- stderr

"#]]);
    described(&namespace, namespace.kubeconfig(), 40).shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       describe-[NS]
Phase:           Progressing
Strategy:        canary, steps of 10 up
                 to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary 80
  │    podinfo-primary:80
  │    login=[PRIMARY]
  └─ canary  20
       podinfo-canary:80
       login=[CANARY]
Cookie:          differs, declared in an
                 annotation
  FIELD       DECLARED   LIVE
  name        login      login
  max-age     300        60      differs
  http-only   true       true
Protected:       none: Flagger's next
                 write removes the
                 cookie
Next write:      the step to 30, or a
                 rollback, within 60s if
                 its checks pass;
                 weights 70/30; it
                 removes the cookie
Routes:
  IngressRoute/shop on websecure with
    TLS
    Host(`shop.example.com`)
Routes that do not reach the TraefikService:
  IngressRoute/other
    Host(`other.example.com`)
    it leads to Service `podinfo`, which
      always selects the primary, not to
      the TraefikService
    fix: use `kind: TraefikService`,
      `name: podinfo`, without `port`
Findings:
  warning CT021: with Max-Age=300 and an
    interval of 60 s, returning users
    see the canary in 11 % of their page
    views during the steps, instead of
    30 %
    fix: set spec.analysis.interval to
      Max-Age plus 3 s or more, and
      declare where your logins begin
      and a Max-Age just over one login,
      for example /login and 2m: kubectl
      canary-traefik sticky set podinfo
      -n describe-[NS] --entry /login
      --max-age 2m
  warning CT059: nothing protects the
    cookie: Flagger's next write removes
    it
    fix: kubectl canary-traefik guard
      install
Events:
  Type     Reason  Age   From
  ----     ------  ----  ----
  Normal   Synced  [A]   flagger
    New revision detected! Scaling up
      podinfo.shop
  Normal   Synced  [A]   flagger
    Advance podinfo.shop canary weight
      20
  Warning  Synced  [A]   flagger
    Halt podinfo.shop advancement
      external check \u{1b}[2J failed
--- stderr

"#]]);
}

#[test]
fn only_the_last_ten_events_are_told() {
    let namespace = Namespace::new("describe-events");
    let (canary, _) = namespace.create_rollout("podinfo", 100, 0);
    for second in 0..15 {
        event(&namespace, &format!("e{second}"), &canary, second, "Normal", &format!("step {second}"));
    }
    let output = namespace.run(["describe", "podinfo", "-o", "json"]).run();
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let told: Vec<_> = report["events"].as_array().expect("events").iter().map(|event| &event["message"]).collect();
    let last: Vec<_> = (5..15).map(|second| json!(format!("step {second}"))).collect();
    assert_eq!(told, last.iter().collect::<Vec<_>>());
}

#[test]
fn before_flagger_has_generated_the_traefik_service_its_cookies_are_known() {
    let namespace = Namespace::new("describe-pending");
    namespace.create_value(&objects::canary("podinfo"));
    declare(&namespace, "podinfo", "; Max-Age=300");
    namespace.patch_status("Canary", "podinfo", &status("Initializing", 0));
    let output = namespace.run(["describe", "podinfo"]).run();
    let tracks = |line: &&str| line.starts_with("  ├") || line.starts_with("  └");
    let cookies: Vec<_> =
        output.stdout.lines().filter(tracks).filter_map(|line| line.rsplit("   ").next()?.split_once('=')).collect();
    // The name is derived from the namespace, which is another one each time.
    assert!(
        matches!(cookies[..], [(one, a), (other, b)] if one == other && one.starts_with('_') && a != b),
        "{output}"
    );
    let without_tracks: Vec<_> = output.stdout.lines().filter(|line| !tracks(line)).collect();
    testbed::run::exactly(
        &without_tracks.join("\n").replace(namespace.name(), "[NS]"),
        str![[r#"
Name:            podinfo
Namespace:       [NS]
Phase:           Initializing
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  podinfo, not created yet
Applied by:      <none>
Tracks:
  podinfo
Cookie:          pending, declared in an annotation
  FIELD     DECLARED    LIVE
  name      <derived>   <unset>
  max-age   300         <unset>
Protected:       none: Flagger's next write removes the cookie
Next write:      the one that creates the TraefikService; weights 100/0; it
                 writes no cookie; there is none now
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT021: with Max-Age=300 and an interval of 60 s, returning users see
    the canary in 11 % of their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare
      where your logins begin and a Max-Age just over one login, for example
      /login and 2m: kubectl canary-traefik sticky set podinfo -n
      [NS] --entry /login --max-age 2m
  warning CT059: nothing protects the cookie: Flagger's next write removes it
    fix: kubectl canary-traefik guard install
Events:          <none>
"#]],
    );
}

#[test]
fn a_suspended_canary_keeps_its_cookie_until_flagger_writes_again() {
    let namespace = rollout("describe-suspended");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 60 }));
    namespace.patch("Canary", "podinfo", &json!({ "spec": { "suspend": true } }));
    namespace.patch_status("Canary", "podinfo", &status("Progressing", 10));
    let output = namespace.run(["describe", "podinfo"]).run();
    let next = output.stdout.lines().skip_while(|line| !line.starts_with("Protected")).take(3).collect::<Vec<_>>();
    testbed::run::exactly(
        &next.join("\n"),
        str![[r#"
Protected:       none: Flagger's next write removes the cookie
Next write:      none while the Canary is suspended; the cookie stays as it is
                 until then
"#]],
    );
}

#[test]
fn what_a_user_may_not_see_is_unknown_with_the_reason_and_the_rest_is_there() {
    let namespace = rollout("describe-narrow");
    routes(&namespace);
    declare(&namespace, "podinfo", "login; Max-Age=300");
    let of = |rules: &[&str]| {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| {
                let (group, rest) = rule.split_once('/').expect("group/resource: verbs");
                let (resource, verbs) = rest.split_once(": ").expect("group/resource: verbs");
                format!("{{apiGroups: ['{group}'], resources: [{resource}], verbs: [{verbs}]}}")
            })
            .collect();
        namespace.user_with(&format!("[{}]", rules.join(", ")))
    };
    let only_the_canary = of(&["flagger.app/canaries: get"]);
    described(&namespace, &only_the_canary, 200).shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       describe-narrow-[NS]
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  <unknown>: user `[USER]` may not get traefikservices.traefik.io in namespace `describe-narrow-[NS]`
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   -   login=[PRIMARY]
  └─ canary    podinfo-canary:80    -   login=[CANARY]
Cookie:          <unknown>, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      <unknown>
  max-age   300        <unknown>
Protected:       <unknown>: no permission to read the guard's objects
Next write:      a weight step, promotion or rollback; its effect on the cookie is <unknown>
Routes:
  IngressRoute: <unknown>: user `[USER]` may not list ingressroutes.traefik.io in namespace `describe-narrow-[NS]`
  HTTPRoute: <unknown>: user `[USER]` may not list httproutes.gateway.networking.k8s.io in namespace `describe-narrow-[NS]`
  Ingress: <unknown>: user `[USER]` may not list ingresses.networking.k8s.io in namespace `describe-narrow-[NS]`
  TraefikService: <unknown>: user `[USER]` may not list traefikservices.traefik.io in namespace `describe-narrow-[NS]`
Findings:
  warning CT021: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set
      podinfo -n describe-narrow-[NS] --entry /login --max-age 2m
Events:          <unknown>: user `[USER]` may not list events in namespace `describe-narrow-[NS]`
--- stderr

"#]]);
    let both = of(&["flagger.app/canaries: get", "traefik.io/traefikservices: get"]);
    described(&namespace, &both, 200).shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       describe-narrow-[NS]
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   90   login=[PRIMARY]
  └─ canary    podinfo-canary:80    10   login=[CANARY]
Cookie:          missing, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      <unset>
  max-age   300        <unset>
Protected:       <unknown>: no permission to read the guard's objects
Next write:      a weight step, promotion or rollback; its effect on the cookie is <unknown>
Routes:
  IngressRoute: <unknown>: user `[USER]` may not list ingressroutes.traefik.io in namespace `describe-narrow-[NS]`
  HTTPRoute: <unknown>: user `[USER]` may not list httproutes.gateway.networking.k8s.io in namespace `describe-narrow-[NS]`
  Ingress: <unknown>: user `[USER]` may not list ingresses.networking.k8s.io in namespace `describe-narrow-[NS]`
  TraefikService: <unknown>: user `[USER]` may not list traefikservices.traefik.io in namespace `describe-narrow-[NS]`
Findings:
  warning CT021: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set
      podinfo -n describe-narrow-[NS] --entry /login --max-age 2m
Events:          <unknown>: user `[USER]` may not list events in namespace `describe-narrow-[NS]`
--- stderr

"#]]);
    let reader = of(&[
        "flagger.app/canaries: get",
        "traefik.io/traefikservices: get, list",
        "traefik.io/ingressroutes: list",
        "/events: list",
    ]);
    described(&namespace, &reader, 200).shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       describe-narrow-[NS]
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   90   login=[PRIMARY]
  └─ canary    podinfo-canary:80    10   login=[CANARY]
Cookie:          missing, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      <unset>
  max-age   300        <unset>
Protected:       <unknown>: no permission to read the guard's objects
Next write:      a weight step, promotion or rollback; its effect on the cookie is <unknown>
Routes:
  IngressRoute/shop on websecure with TLS
    Host(`shop.example.com`)
  HTTPRoute: <unknown>: user `[USER]` may not list httproutes.gateway.networking.k8s.io in namespace `describe-narrow-[NS]`
  Ingress: <unknown>: user `[USER]` may not list ingresses.networking.k8s.io in namespace `describe-narrow-[NS]`
  in other namespaces: <unknown>: user `[USER]` may not list ingressroutes.traefik.io
Routes that do not reach the TraefikService:
  IngressRoute/other
    Host(`other.example.com`)
    it leads to Service `podinfo`, which always selects the primary, not to the TraefikService
    fix: use `kind: TraefikService`, `name: podinfo`, without `port`
Findings:
  warning CT021: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set
      podinfo -n describe-narrow-[NS] --entry /login --max-age 2m
Events:          <none>
--- stderr

"#]]);
    let report = run_as(&namespace, &only_the_canary, ["describe", "podinfo", "-o", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).expect("JSON");
    let kinds: Vec<_> =
        report["routes"]["unknown"].as_array().expect("a list").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["IngressRoute", "HTTPRoute", "Ingress", "TraefikService"]);
    assert!(report["events"].is_null() && report["eventsUnknown"].is_string(), "{report}");
}

#[test]
fn who_may_not_see_the_canary_gets_the_servers_no() {
    let namespace = rollout("describe-blind");
    let blind = namespace.user_with("[]");
    run_as(&namespace, &blind, ["describe", "podinfo"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get canaries.flagger.app in namespace `describe-blind-[NS]`
hint: kubectl auth can-i get canaries.flagger.app -n describe-blind-[NS]
hint: kubectl canary-traefik rbac describe -n describe-blind-[NS] prints the permissions it needs

"#]]);
}

#[test]
fn describing_changes_nothing() {
    let namespace = rollout("describe-reads");
    declare(&namespace, "podinfo", "login");
    set_live(&namespace, "podinfo", &json!({ "name": "login" }));
    let before = crate::rollout::versions(&namespace, "podinfo");
    assert_eq!(namespace.run(["describe", "podinfo"]).run().code, Some(0));
    assert_eq!(crate::rollout::versions(&namespace, "podinfo"), before);
}

mod dedicated_server {
    //! On a server whose Canaries have the native field.

    use snapbox::str;
    use testbed::namespace::Namespace;

    use crate::definitions::native;

    #[test]
    fn a_native_declaration_is_kept_by_flagger_itself() {
        let namespace = Namespace::on(native(), "describe-native");
        namespace.create_rollout("podinfo", 100, 0);
        let set = ["sticky", "set", "podinfo", "--name", "login", "--max-age", "300", "--yes"];
        assert_eq!(namespace.run(set).run().code, Some(0));
        let output = namespace.run(["describe", "podinfo"]).run();
        let lines = output.stdout.lines().filter(|line| !line.starts_with("  "));
        testbed::run::exactly(
            &lines.collect::<Vec<_>>().join("\n").replace(namespace.name(), "[NS]"),
            str![[r#"
Name:            podinfo
Namespace:       [NS]
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
Cookie:          missing, declared in spec.service.traefik.sticky.cookie
Protected:       flagger: Flagger itself copies the declared cookie
Next write:      a weight step, promotion or rollback; Flagger itself copies the
Routes:          <none>: nothing leads to the TraefikService
Findings:
Events:          <none>
"#]],
        );
    }
}
