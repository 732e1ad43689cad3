//! `verify`, asked of the real Traefik: what does not stick, and what does.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    run::{Output, Run, exactly},
    transcript,
    wait::until,
};

use crate::{
    application::STEPS,
    routes::{self, site::Site},
    shop::NAME,
    traefik::{Traefik, WEB},
};

/// Where its users come in.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 10);
/// The Canary with whom one shares a cookie's name.
const OTHER: &str = "cart";
/// The host of the document's site.
const HOST: &str = "shop.example";

/// A set-up that does not hold: what it is, the flags of `sticky set`, and what else is done.
type Case = (&'static str, &'static str, fn(&Site));

const CASES: [Case; 10] = [
    ("no cookie", "--declare-only", |_| {}),
    ("secure", "--secure", |_| {}),
    ("path", "--path /login", |_| {}),
    ("domain", "--domain other.example", |_| {}),
    ("none", "--same-site none", |_| {}),
    ("names", "--max-age 120", share_name),
    ("pods", "--max-age 120", pin_pods),
    ("around", "--max-age 120", |site| {
        let service = json!({ "name": format!("{NAME}-primary"), "port": 80 });
        site.namespace.create_value(&route("direct", &format!("Host(`{}`) && Path(`/callback`)", site.host), &service));
    }),
    ("age", "--max-age 5", |_| {}),
    ("stale", "--max-age 120 --entry /login", |site| {
        let annotations = json!({ "kubectl-canary-traefik/entry": "/auth" });
        site.namespace.patch("Canary", NAME, &json!({ "metadata": { "annotations": annotations } }));
    }),
];

/// Where https comes in.
pub(crate) const WEB_SECURE: u16 = 8443;

/// While nothing changes in any site, or while what is said to be wrong with them is fixed.
static STILL: Mutex<()> = Mutex::new(());

/// All sites, and the Traefik in front of them. It starts when everything is there, and nothing changes afterwards but the
/// cookies of the bad ones.
pub(crate) struct Sites {
    traefik: Traefik,
    bad: Vec<Site>,
    good: Site,
    /// Whose users come through the API server.
    pub(crate) through: Site,
    /// With https, to which http redirects, and another server on the host.
    pub(crate) secure: Site,
}

pub(crate) static SITES: LazyLock<Sites> = LazyLock::new(|| {
    let bad: Vec<_> = CASES
        .iter()
        .map(|(name, flags, then)| {
            let site = Site::new(&format!("verify-{}", name.replace(' ', "-")));
            set_up(&site, flags);
            then(&site);
            site
        })
        .collect();
    let (mut good, through) = (Site::new("verify-good"), Site::new("verify-through"));
    HOST.clone_into(&mut good.host);
    // What `sticky set` proposes at a terminal.
    for site in [&good, &through] {
        set_up(site, "--max-age 2m --http-only --same-site lax --entry /login");
    }
    let secure = over_tls();
    let sites: Vec<_> = bad.iter().chain([&good, &through, &secure]).collect();
    let namespaces: Vec<_> = sites.iter().map(|site| site.namespace.name()).collect();
    let entry_point = format!("--entrypoints.websecure.address={ADDRESS}:{WEB_SECURE}");
    let traefik = routes::start(ADDRESS, &namespaces, &[&entry_point]);
    for site in sites {
        has_pods(&traefik, site);
    }
    until("Traefik to have the routes over https", || {
        // Two of the site, the redirect, and that of the entry.
        (traefik.routers(secure.namespace.name()).len() == 4).then_some(())
    });
    Sites { traefik, bad, good, through, secure }
});

/// A site with https, to which http redirects. Another Service answers in the middle of its login, and at `/api`.
fn over_tls() -> Site {
    let site = Site::new("verify-secure");
    site.secret("tls", &site.host);
    site.rollout("idp");
    site.namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": { "name": "upgrade" },
        "spec": { "redirectScheme": { "scheme": "https", "port": WEB_SECURE.to_string(), "permanent": true } },
    }));
    let host = format!("Host(`{}`)", site.host);
    let mut upgrade = route("upgrade", &host, &json!({ "kind": "TraefikService", "name": "noop@internal" }));
    upgrade["spec"]["routes"][0]["middlewares"] = json!([{ "name": "upgrade" }]);
    let rule = format!("{host} && (Path(`{}`) || PathPrefix(`/api`))", STEPS[1]);
    let other = route("other", &rule, &json!({ "name": "idp-primary", "port": 80 }));
    let mut own = route(NAME, &host, &json!({ "kind": "TraefikService", "name": NAME }));
    own["spec"]["routes"][0]["priority"] = json!(1_000);
    for (mut object, entry_point) in [(upgrade, "web"), (other, "websecure"), (own, "websecure")] {
        object["spec"]["entryPoints"] = json!([entry_point]);
        if entry_point == "websecure" {
            object["spec"]["tls"] = json!({ "secretName": "tls" });
        }
        site.namespace.create_value(&object);
    }
    let flags = "--name login --max-age 2m --secure --http-only --same-site lax --entry /login --yes";
    let words = ["sticky", "set", NAME].into_iter().chain(flags.split(' '));
    let set = site.namespace.run(words).run();
    assert_eq!(set.code, Some(0), "{set}");
    site
}

fn set_up(site: &Site, flags: &str) {
    // Above the routes of other tests, which may name no host.
    site.ingress_route(&format!("Host(`{}`)", site.host), &json!({ "priority": 1_000 }));
    let words = ["sticky", "set", NAME, "--name", "login", "--yes"].into_iter().chain(flags.split(' '));
    let set = site.namespace.run(words).run();
    assert_eq!(set.code, Some(0), "{set}");
}

/// A route that wins against the site's own.
fn route(name: &str, rule: &str, service: &Value) -> Value {
    let route = json!({ "kind": "Rule", "match": rule, "priority": 2_000, "services": [service] });
    json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": name },
        "spec": { "entryPoints": ["web"], "routes": [route] },
    })
}

/// Another Canary, whose cookie has the same name, serves the last page of the login.
fn share_name(site: &Site) {
    site.rollout(OTHER);
    let rule = format!("Host(`{}`) && Path(`{}`)", site.host, STEPS[3]);
    let service = json!({ "kind": "TraefikService", "name": OTHER });
    site.namespace.create_value(&route(OTHER, &rule, &service));
    let set = site.run(["sticky", "set", OTHER, "--name", "login", "--max-age", "120", "--yes"]);
    assert_eq!(set.code, Some(0), "{set}");
}

/// The Services have a cookie of this name, too, which pins to a pod.
fn pin_pods(site: &Site) {
    let mut services = site.namespace.get("TraefikService", NAME)["spec"]["weighted"]["services"].clone();
    for service in services.as_array_mut().expect("children") {
        service["sticky"] = json!({ "cookie": { "name": "login" } });
    }
    site.namespace.patch("TraefikService", NAME, &json!({ "spec": { "weighted": { "services": services } } }));
}

/// Waits until Traefik has the pods of all that a site rolls out, and its routes.
fn has_pods(traefik: &Traefik, site: &Site) {
    let namespace = site.namespace.name();
    let rollouts: &[&str] = if site.namespace.find("Canary", OTHER).is_some() { &[NAME, OTHER] } else { &[NAME] };
    until("Traefik to have the routes and the pods", || {
        let has_pod = |name: &str, track: &str| {
            let child = traefik.service(&format!("{namespace}-{name}-{track}-80@kubernetescrd"));
            child.is_some_and(|child| child.pointer("/serverStatus").is_some())
        };
        let routers = traefik.routers(namespace);
        (!routers.is_empty()
            && routers.iter().all(|router| router["status"] == "enabled")
            && rollouts.iter().all(|name| has_pod(name, "primary") && has_pod(name, "canary")))
        .then_some(())
    });
}

fn verify(site: &Site) -> Output {
    let url = format!("http://{}:{WEB}{}", site.host, STEPS[0]);
    let resolve = format!("{}:{WEB}:{ADDRESS}", site.host);
    let run = site.namespace.run(["verify", NAME, "--url", &url, "--resolve", &resolve]);
    run.arguments(["--browsers", "7", "--requests", "4", "--rate", "1000"]).redact(&site.host, "HOST").run()
}

/// The text without what is drawn at random: counts, and which track was drawn first.
pub(crate) fn without_chance(output: &Output) -> String {
    let mut text = String::new();
    for line in output.to_string().lines() {
        let is_count = ["primary ", "canary"].iter().any(|track| line.starts_with(track)) || line.contains(" times");
        let is_change = line.contains("; first: ");
        let line =
            if is_change { line.replace("primary", "TRACK").replace("canary", "TRACK") } else { line.to_owned() };
        // Columns are as wide as the numbers.
        let is_row = is_count && line.contains("   ");
        let line = if is_row { line.split_whitespace().collect::<Vec<_>>().join("   ") } else { line };
        let mut is_digit = false;
        for c in line.chars() {
            let was_digit = std::mem::replace(&mut is_digit, (is_count || is_change) && c.is_ascii_digit());
            match (was_digit, is_digit) {
                (false, true) => text.push('N'),
                (true, true) => {}
                _ => text.push(c),
            }
        }
        text.push('\n');
    }
    text
}

pub(crate) fn what_does_not_stick_is_found_with_the_reason() {
    let sites = &*SITES;
    let outputs: Vec<_> = sites.bad.iter().map(verify).collect();
    let shown = CASES
        .iter()
        .zip(&outputs)
        .map(|((name, flags, _), output)| format!("### {name}: {flags}\n{}", without_chance(output)));
    exactly(
        &shown.collect::<String>(),
        str![[r#"
### no cookie: --declare-only
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N

failed   every page sets the cookie
  no page sets the cookie `login`: TraefikService `shop` has none
  fix: kubectl canary-traefik sticky apply shop
skipped  browsers store the cookie and send it back: no page sets the cookie
skipped  each browser stays on its track: no page sets the cookie
skipped  nothing else sets a cookie of this name: no page sets the cookie
skipped  the cookie lives as long as a flow: no page sets the cookie
skipped  Traefik chooses a track again at the entry, and only there: no page sets the cookie
skipped  the tracks are chosen in proportion to their weights: no page sets the cookie

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### secure: --secure
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
failed   browsers store the cookie and send it back
  browsers reject the cookie of http://HOST:N/login and N more pages: it has Secure, and the page is not https (N times)
  fix: kubectl canary-traefik sticky set shop --secure=false
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/auth (N times)
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### path: --path /login
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
failed   browsers store the cookie and send it back
  browsers do not send the cookie to http://HOST:N/auth and N more pages: its Path is /login (N times)
  fix: kubectl canary-traefik sticky set shop --path /
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/auth (N times)
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### domain: --domain other.example
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
failed   browsers store the cookie and send it back
  browsers reject the cookie of http://HOST:N/login and N more pages: its Domain does not include HOST (N times)
  fix: kubectl canary-traefik sticky set shop --unset domain
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/auth (N times)
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### none: --same-site none
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
failed   browsers store the cookie and send it back
  browsers reject the cookie of http://HOST:N/login and N more pages: SameSite=None requires Secure (N times)
  fix: kubectl canary-traefik sticky set shop --same-site lax
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/auth (N times)
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### names: --max-age 120
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/login (N times)
failed   nothing else sets a cookie of this name
  the cookie gets a value that belongs to neither track at http://HOST:N/home: another TraefikService or the application uses the name `login`, too (N times)
  fix: kubectl canary-traefik sticky set shop --name shop-track
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### pods: --max-age 120
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
skipped  browsers store the cookie and send it back: no browser sent a cookie of a track
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/auth (N times)
failed   nothing else sets a cookie of this name
  the cookie is set twice, once to a value that belongs to neither track, at http://HOST:N/login and N more pages: the Service behind it (pod-level stickiness) or the application uses the name `login`, too (N times)
  fix: kubectl canary-traefik sticky set shop --name shop-track
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### around: --max-age 120
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

failed   every page sets the cookie
  the cookie is not set at http://HOST:8000/callback (status 302): IngressRoute `verify-around-[NS]/direct` bypasses TraefikService `shop`
  fix: kubectl canary-traefik describe shop
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### age: --max-age 5
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
failed   the cookie lives as long as a flow
  the cookie lives for N s (Max-Age), but a flow takes up to N s: users can change track (N times)
  fix: kubectl canary-traefik sticky set shop --max-age 60
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 116 requests)
--- stderr
### stale: --max-age 120 --entry /login
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
failed   each browser stays on its track
  browsers change track; first: browser N, from TRACK to TRACK at http://HOST:N/login (N times)
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
failed   Traefik chooses a track again at the entry, and only there
  a browser with a cookie gets a new one at http://HOST:N/login, where no flow begins: something removes the cookie from the request, such as an entry that is no longer declared (N times)
  fix: kubectl canary-traefik sticky apply shop
  a browser with a cookie gets no new one at http://HOST:N/auth, where a flow begins (N times)
  fix: kubectl canary-traefik sticky apply shop
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 102 requests)
--- stderr

"#]],
    );
    // With each change, Traefik begins to count the tracks anew.
    let _still = STILL.lock().unwrap_or_else(PoisonError::into_inner);
    let mut table = String::new();
    for ((name, ..), (site, output)) in CASES.iter().zip(sites.bad.iter().zip(&outputs)) {
        let fixes: BTreeSet<_> = output.stdout.lines().filter_map(|line| line.strip_prefix("  fix: ")).collect();
        for fix in fixes {
            let typed = Run::typed(fix).kubeconfig(site.namespace.kubeconfig()).run();
            table.push_str(&format!("{name}: {fix} -> {}\n", typed.code.expect("an exit code")));
            if !fix.contains(" describe ") {
                until("what was typed to stick", || (verify(site).code == Some(0)).then_some(()));
            }
        }
    }
    exactly(
        &table,
        str![[r#"
no cookie: kubectl canary-traefik sticky apply shop -> 0
secure: kubectl canary-traefik sticky set shop --secure=false -> 0
path: kubectl canary-traefik sticky set shop --path / -> 0
domain: kubectl canary-traefik sticky set shop --unset domain -> 0
none: kubectl canary-traefik sticky set shop --same-site lax -> 0
names: kubectl canary-traefik sticky set shop --name shop-track -> 0
pods: kubectl canary-traefik sticky set shop --name shop-track -> 0
around: kubectl canary-traefik describe shop -> 0
age: kubectl canary-traefik sticky set shop --max-age 60 -> 0
stale: kubectl canary-traefik sticky apply shop -> 0

"#]],
    );
}

pub(crate) fn what_is_proposed_sticks() {
    let output = verify(&SITES.good);
    exactly(
        &without_chance(&output),
        str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
ok       Traefik chooses a track again at the entry, and only there
ok       the tracks are chosen in proportion to their weights

the cookie sticks (7 browsers, 116 requests)
--- stderr

"#]],
    );
}

pub(crate) fn over_tls_behind_a_redirect_and_beside_another_server_it_sticks() {
    let site = &SITES.secure;
    let url = |path: &str| format!("http://{}:{WEB}{path}", site.host);
    let resolve = |port: u16| format!("{}:{port}:{ADDRESS}", site.host);
    let run = |path: &str| {
        let run = site.namespace.run(["verify", NAME, "--url", &url(path), "--insecure", "--rate", "1000"]);
        let run = run.arguments(["--resolve", &resolve(WEB), "--resolve", &resolve(WEB_SECURE)]);
        without_chance(&run.arguments(["--browsers", "7", "--requests", "4"]).redact(&site.host, "HOST").run())
    };
    exactly(
        &run(STEPS[0]),
        str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
ok       Traefik chooses a track again at the entry, and only there
ok       the tracks are chosen in proportion to their weights

the cookie sticks (7 browsers, 145 requests)
--- stderr

"#]],
    );
    // Whoever asks for a page of another server is told whose it is.
    exactly(
        &run("/api"),
        str![[r#"
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

failed   every page sets the cookie
  the cookie is not set at https://HOST:8443/api (status 404): IngressRoute `verify-secure-[NS]/other` serves it, not TraefikService `shop`
  fix: kubectl canary-traefik describe shop
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
ok       Traefik chooses a track again at the entry, and only there
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (7 browsers, 105 requests)
--- stderr

"#]],
    );
}

pub(crate) fn every_command_of_the_page_on_verify_shows_what_the_page_says() {
    let sites = &*SITES;
    let _still = STILL.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!sites.traefik.routers(sites.good.namespace.name()).is_empty(), "{}", sites.traefik.last_words());
    transcript::holds("docs/verify.md", sites.good.namespace.kubeconfig(), &|_| {});
}
