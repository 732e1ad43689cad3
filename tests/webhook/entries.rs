//! `guard run --entries`: the objects of entries follow the routes.

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{bed, namespace::Namespace, objects, run::Output, server::Server, wait::until};

use super::guard::{DECLARED, Guard, Turn, declare, free_port};

const ENTRY: &str = "kubectl-canary-traefik/entry";

fn enter(namespace: &Namespace, name: &str, paths: &Value) {
    namespace.patch("Canary", name, &json!({ "metadata": { "annotations": { ENTRY: paths } } }));
}

/// Creates or changes an IngressRoute of this rule behind the namespace's host, to the TraefikService `shop` or a Service.
fn route(namespace: &Namespace, name: &str, rule: &str, to_canary: bool) -> Value {
    let service = if to_canary {
        json!({ "kind": "TraefikService", "name": "shop" })
    } else {
        json!({ "name": "api", "port": 80 })
    };
    let rule = format!("Host(`{}.example.com`){rule}", namespace.name());
    let spec = json!({ "entryPoints": ["web"], "routes": [{ "kind": "Rule", "match": rule, "services": [service] }] });
    if namespace.find("IngressRoute", name).is_some() {
        return namespace.patch("IngressRoute", name, &json!({ "spec": spec }));
    }
    let head = json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": { "name": name } });
    let mut object = head;
    object["spec"] = spec;
    namespace.create_value(&object)
}

fn diff(namespace: &Namespace, name: &str) -> Output {
    namespace.run(["diff", name]).run()
}

/// Waits until the entry of `shop` has these rules, and nothing differs from what is declared.
fn is_in_step(namespace: &Namespace, rules: &[&str]) {
    let host = format!("{}.example.com", namespace.name());
    let wanted: Vec<_> = rules.iter().map(|rule| rule.replace("HOST", &host)).collect();
    until("the entry to have these rules", || {
        let object = namespace.find("IngressRoute", "shop-entry")?;
        let routes = object["spec"]["routes"].as_array().expect("routes").clone();
        (routes.iter().map(|route| &route["match"]).eq(wanted.iter())).then_some(())
    });
    until("nothing to differ", || (diff(namespace, "shop").code == Some(0)).then_some(()));
}

fn is_gone(namespace: &Namespace) {
    until("no object of the entry", || {
        ["IngressRoute", "Middleware"].iter().all(|kind| namespace.find(kind, "shop-entry").is_none()).then_some(())
    });
}

#[test]
fn an_entry_follows_its_routes_its_declaration_and_its_objects() {
    let turn = Turn::take();
    let namespace = turn.shops("entries", &["shop", "other"]);
    route(&namespace, "web", "", true);
    enter(&namespace, "shop", &json!("/login"));
    let guard = Guard::start(&namespace, "shop", &["--entries"]);
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    // The route, the declaration, the objects.
    route(&namespace, "web", " || Host(`b.example.com`)", true);
    is_in_step(&namespace, &["(Host(`HOST`) || Host(`b.example.com`)) && (Path(`/login`))"]);
    enter(&namespace, "shop", &json!("/login, /sso"));
    is_in_step(&namespace, &["(Host(`HOST`) || Host(`b.example.com`)) && (Path(`/login`) || Path(`/sso`))"]);
    namespace.delete("Middleware", "shop-entry");
    until("the Middleware to be back", || namespace.find("Middleware", "shop-entry"));
    namespace.delete("IngressRoute", "web");
    is_gone(&namespace);
    // An entry that comes before its route, and one that is no longer declared: that is for `sticky apply` to take away.
    route(&namespace, "web", "", true);
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`) || Path(`/sso`))"]);
    enter(&namespace, "shop", &Value::Null);
    enter(&namespace, "other", &json!("/other"));
    until("the other Canary's entry to be compared", || {
        namespace.patch(
            "IngressRoute",
            "web",
            &json!({ "spec": { "routes": [{ "kind": "Rule",
            "match": format!("Host(`{}.example.com`)", namespace.name()),
            "services": [{ "kind": "TraefikService", "name": "other" }] }] } }),
        );
        namespace.find("IngressRoute", "other-entry")
    });
    assert!(namespace.find("IngressRoute", "shop-entry").is_some(), "{}", diff(&namespace, "shop"));
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn an_entry_waits_for_its_traefikservice() {
    let turn = Turn::take();
    let namespace = turn.shops("entries", &["first"]);
    let guard = Guard::start(&namespace, "first", &["--entries"]);
    let mut canary = objects::canary("shop");
    canary["metadata"]["annotations"] = json!({ ANNOTATION: DECLARED, ENTRY: "/login" });
    let canary = namespace.create_value(&canary);
    route(&namespace, "web", "", true);
    // Another one is made meanwhile: so this one was looked at.
    namespace.create_value(&json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "metadata": { "name": "first" }, "spec": { "routes": [{ "kind": "Rule", "match": "Host(`first.example.com`)",
            "services": [{ "kind": "TraefikService", "name": "first" }] }] } }));
    enter(&namespace, "first", &json!("/login"));
    until("the other entry", || namespace.find("IngressRoute", "first-entry"));
    assert!(namespace.find("Middleware", "shop-entry").is_none());
    namespace.create_value(&objects::owned_by(objects::traefik_service("shop", 100, 0), &canary));
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn an_entry_is_withdrawn_while_something_else_serves_its_path() {
    let turn = Turn::take();
    let namespace = turn.shops("entries", &["shop"]);
    route(&namespace, "web", "", true);
    enter(&namespace, "shop", &json!("/login"));
    let mut guard = Guard::start(&namespace, "shop", &["--entries"]);
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    route(&namespace, "api", " && PathPrefix(`/login`)", false);
    guard.says("entry not live");
    is_gone(&namespace);
    namespace.delete("IngressRoute", "api");
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    let ended = guard.ends("TERM");
    let [reason] = ended.logged("entry not live", "reason").try_into().expect("one line");
    let host = format!("{}.example.com", namespace.name());
    let rule = format!("Host(`{host}`)");
    let names = |name: &str, length: usize| format!("IngressRoute `{}/{name}` (priority {length})", namespace.name());
    let expected = format!(
        "`/login` on host `{host}` is served by {} instead of {}",
        names("api", rule.len() + " && PathPrefix(`/login`)".len()),
        names("web", rule.len())
    );
    assert_eq!(reason, json!(expected));
}

#[test]
fn what_others_have_changed_is_left_to_them_and_said_once() {
    let turn = Turn::take();
    let namespace = turn.shops("entries", &["shop"]);
    route(&namespace, "web", "", true);
    enter(&namespace, "shop", &json!("/login"));
    let mut guard = Guard::start(&namespace, "shop", &["--entries"]);
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    namespace.patch("IngressRoute", "shop-entry", &json!({ "spec": { "entryPoints": ["websecure"] } }));
    guard.says("entry object left alone: another field manager changed it");
    // What else is to be done is done beside it.
    namespace.delete("Middleware", "shop-entry");
    until("the Middleware to be back", || namespace.find("Middleware", "shop-entry"));
    assert_eq!(namespace.get("IngressRoute", "shop-entry")["spec"]["entryPoints"], json!(["websecure"]));
    // A field that nobody else had is left to whoever added it, too.
    namespace.patch("Middleware", "shop-entry", &json!({ "spec": { "headers": { "frameDeny": true } } }));
    guard.says("entry object left alone: another field manager changed it");
    let applied = namespace.run(["sticky", "apply", "shop", "--yes", "--force-conflicts"]).run();
    assert_eq!(applied.code, Some(0), "{applied}");
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    let ended = guard.ends("TERM");
    assert_eq!(
        ended.logged("entry object left alone: another field manager changed it", "object"),
        ["ingressroute.traefik.io/shop-entry", "middleware.traefik.io/shop-entry"],
        "{}",
        ended.0
    );
}

#[test]
fn two_processes_make_an_entry_once_and_a_tenants_routes_starve_no_other() {
    const LARGE: usize = 70_000;
    let turn = Turn::take();
    let evil = turn.shops("evil", &["shop"]);
    let namespace = turn.shops("entries", &["shop"]);
    for namespace in [&evil, &namespace] {
        route(namespace, "web", "", true);
    }
    // Larger than what is read of a route.
    route(&evil, "large", &format!(" && Header(`a`, `{}`)", "x".repeat(LARGE)), false);
    let first = Guard::start(&namespace, "shop", &["--entries"]);
    let second = Guard::stands_by(&namespace, free_port(), first.port, &["--entries"]);
    for namespace in [&evil, &namespace] {
        enter(namespace, "shop", &json!("/login"));
    }
    is_in_step(&namespace, &["(Host(`HOST`)) && (Path(`/login`))"]);
    declare(&evil, "shop", "login; Max-Age=1");
    until("the cookie of who is left out for the routes", || {
        let service = evil.get("TraefikService", "shop");
        (service["spec"]["weighted"]["sticky"]["cookie"]["maxAge"] == 1).then_some(())
    });
    // Its own entry stays as it is: what a route that is not read serves is not known.
    assert!(evil.find("IngressRoute", "shop-entry").is_none());
    let ended = [second, first].map(|guard| guard.ends("TERM"));
    let made: usize = ended.iter().map(|ended| ended.logged("entry object updated", "object").len()).sum();
    assert_eq!(made, 2, "{}{}", ended[0].0, ended[1].0);
}

#[test]
fn an_installed_guard_keeps_entries_from_when_it_is_told_until_it_is_told_not_to() {
    let server = Server::dedicated(&bed::no_policies());
    let namespace = Namespace::on(&server, "entries");
    let install = |flags: &[&str]| {
        let arguments =
            ["guard", "install", "--mode=webhook", "--image=registry.example/guard:1", "--yes", "--wait=0s"];
        let installed = namespace.run(arguments).arguments(flags.iter().copied()).run();
        // Without pods it does not work yet.
        assert_eq!(installed.code, Some(1), "{installed}");
        let changed = installed.stdout.lines().filter(|line| !line.ends_with(" unchanged"));
        changed.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(install(&["--entries"]).len(), 13);
    assert_eq!(install(&[]), Vec::<String>::new());
    let ended = install(&["--entries=false"]);
    assert_eq!(
        ended,
        [
            "clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik configured",
            "deployment.apps/kubectl-canary-traefik configured"
        ]
    );
    assert_eq!(install(&[]), Vec::<String>::new());
    let refused = namespace.run(["guard", "install", "--mode=policy", "--entries"]).run();
    refused.shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --entries is for the webhook, which --mode policy does not install
hint: leave out --entries, or use --mode webhook

"#]]);
}
