//! `--traefik-api`: the routers of Traefik's other providers count, too, over two scripted servers.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    objects,
    run::{Output, Run, exactly},
};

/// An API server with the Canary `podinfo`, its TraefikService, and a route for all of `shop.test`.
fn shop(entry: Option<&str>) -> Fake {
    let fake = Fake::start();
    let shop = |mut object: Value| {
        object["metadata"]["namespace"] = "shop".into();
        object
    };
    let mut canary = objects::canary("podinfo");
    if let Some(entry) = entry {
        canary["metadata"]["annotations"] = json!({"kubectl-canary-traefik/entry": entry});
    }
    let place = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo";
    fake.on("GET", place, [Reply::json(200, &shop(canary))]);
    let place = "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo";
    fake.on("GET", place, [Reply::json(200, &shop(objects::traefik_service("podinfo", 90, 10)))]);
    let service = json!({"kind": "TraefikService", "name": "podinfo"});
    let route = json!({"kind": "Rule", "match": "Host(`shop.test`)", "services": [service]});
    let route = shop(json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "metadata": {"name": "web"}, "spec": {"routes": [route]}}));
    fake.on("GET", "/apis/traefik.io/v1alpha1/ingressroutes", [Reply::json(200, &json!({"items": [route]}))]);
    fake
}

fn router(name: &str, rule: &str, priority: i64) -> Value {
    let provider = name.split_once('@').map(|(_, provider)| provider);
    json!({"name": name, "provider": provider, "rule": rule, "priority": priority, "entryPoints": ["web"],
        "status": "enabled", "service": "sso"})
}

/// Traefik's API with these pages.
fn traefik<const N: usize>(pages: [Value; N]) -> Fake {
    let fake = Fake::start();
    let page = |(at, routers): (usize, Value)| {
        let next = if at + 1 == N { 1 } else { at + 2 };
        Reply::json(200, &routers).header("x-next-page", &next.to_string())
    };
    fake.on("GET", "/api/http/routers", pages.into_iter().enumerate().map(page).collect::<Vec<_>>());
    fake
}

fn run(server: &Fake, traefik: &str, line: &str) -> Output {
    let words = line.split(' ').chain(["-n", "shop", "--traefik-api", traefik]);
    let url = traefik.trim_end_matches('/');
    Run::new(words).env("COLUMNS", "200").kubeconfig(server.kubeconfig()).redact(url, "[URL]").run()
}

#[test]
fn a_path_that_a_router_of_another_provider_serves_is_refused_with_its_name() {
    let server = shop(None);
    let pages = [
        json!([
            router("web@kubernetescrd", "Host(`shop.test`)", 17),
            router("dashboard@internal", "PathPrefix(`/`)", 999)
        ]),
        json!([router("sso@file", "PathPrefix(`/login`)", 300), router("other@docker", "Host(`other.test`)", 300)]),
    ];
    let traefik = traefik(pages);
    let url = format!("{}/", traefik.url());
    run(&server, &url, "sticky set podinfo --name login --entry /login --dry-run").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `shop/podinfo` would have no effect
caused by: `/login` on host `shop.test` is served by router `sso@file` (priority 300) instead of IngressRoute `shop/web` (priority 17)
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
    exactly(
        &traefik.lines().join("\n"),
        str![[r#"
GET /api/http/routers?per_page=1000&page=1
GET /api/http/routers?per_page=1000&page=2
"#]],
    );
    let credentials: Vec<_> =
        traefik.requests().iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(credentials, [""; 0]);
}

#[test]
fn an_entry_that_a_router_of_another_provider_took_over_is_found_with_the_flag_alone() {
    let server = shop(Some("/login"));
    let traefik = traefik([json!([router("sso@file", "PathPrefix(`/login`)", 300)])]);
    let described = |flags: &[&str]| {
        let words = ["describe", "podinfo", "-n", "shop", "-o", "json"].into_iter().chain(flags.iter().copied());
        let output = Run::new(words).kubeconfig(server.kubeconfig()).run();
        let described: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
        (described["entry"]["state"].clone(), described["entry"]["reasons"].clone())
    };
    assert_eq!(described(&[]), (json!("missing"), json!([])));
    let reason = "`/login` on host `shop.test` is served by router `sso@file` (priority 300) instead of IngressRoute `shop/web` (priority 17)";
    assert_eq!(described(&["--traefik-api", &traefik.url()]), (json!("refused"), json!([reason])));
    assert_eq!(run(&server, &traefik.url(), "diff podinfo").code, Some(1));
}

#[test]
fn an_api_that_does_not_answer_with_routers_is_an_error() {
    let server = shop(None);
    let traefik = Fake::start();
    let said = |reply: Reply| {
        traefik.on("GET", "/api/http/routers", [reply]);
        let output = run(&server, &traefik.url(), "describe podinfo");
        assert_eq!((output.code, output.stdout.as_str()), (Some(6), ""), "{output}");
        let place = traefik.url();
        let said = output.stderr.replace(&place, "[URL]").replace(place.trim_start_matches("http://"), "[PLACE]");
        said.lines().take(2).map(|line| format!("{line}\n")).collect::<String>()
    };
    let all = [
        Reply::text(404, "text/plain", "404 page not found"),
        Reply::text(401, "text/plain", "Unauthorized"),
        Reply::text(200, "text/html", "<html>"),
        Reply::json(200, &json!({"Version": "3.7.9"})),
        Reply::Close,
    ];
    exactly(
        &all.map(said).concat(),
        str![[r#"
error: cannot read the routers of Traefik's API [URL]
caused by: it answered with status 404
error: cannot read the routers of Traefik's API [URL]
caused by: it answered with status 401
error: cannot read the routers of Traefik's API [URL]
caused by: its answer is not JSON
error: cannot read the routers of Traefik's API [URL]
caused by: it does not answer with a list of routers
error: cannot read the routers of Traefik's API [URL]
caused by: the connection to the server [PLACE] was closed before it answered

"#]],
    );
    // Every page names another one.
    traefik.on(
        "GET",
        "/api/http/routers",
        (2..60).map(|next| Reply::json(200, &json!([])).header("x-next-page", &next.to_string())).collect::<Vec<_>>(),
    );
    run(&server, &traefik.url(), "describe podinfo").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: cannot read the routers of Traefik's API [URL]
caused by: it has more than 20000 routers
hint: use --traefik-api http://127.0.0.1:8080, after kubectl port-forward -n NAMESPACE POD 8080

"#]]);
}

#[test]
fn only_an_address_without_credentials_is_accepted_and_only_for_a_cluster() {
    for url in ["127.0.0.1:8080", "ftp://a", "http://user:secret@a", "http://a?b=c", ""] {
        let output = Run::new(["describe", "podinfo", "--traefik-api", url]).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{url}: {output}");
    }
    Run::new(["describe", "podinfo", "-f", "-", "--traefik-api", "http://user:secret@a"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'http://a' for '--traefik-api <URL>': it contains a user, and no credentials are sent

For more information, try '--help'.

"#]]);
    Run::new(["describe", "podinfo", "-f", "-", "--traefik-api", "http://a"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --traefik-api needs a cluster: with -f, no routes but those of the files count
hint: leave out --traefik-api, or leave out -f

"#]]);
    Run::new(["diff", "podinfo", "-f", "-", "--traefik-api", "http://a"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --traefik-api needs a cluster: with -f, no routes but those of the files count
hint: leave out --traefik-api, or leave out -f

"#]]);
}
