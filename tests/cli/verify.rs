//! `verify`, against a scripted API server and scripted pages.

use std::path::PathBuf;

use canary_traefik::traefik::cookie_value::{Child, Generation};
use serde_json::json;
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    fields::Fields,
    objects,
    run::{Output, Run},
    tls::{Tls, testdata},
};

/// The API server with the Canary `podinfo`, what it declares, its cookie, and a route for a host.
fn cluster(declared: Option<&str>, live: bool, route: Option<&str>) -> Fake {
    let fake = Fake::start();
    let mut canary = objects::canary("podinfo");
    canary["metadata"]["namespace"] = json!("shop");
    if let Some(declared) = declared {
        canary["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": declared });
    }
    let mut service = objects::owned_by(objects::traefik_service("podinfo", 50, 50), &canary);
    if live {
        service["spec"]["weighted"]["sticky"] = json!({ "cookie": { "name": "login", "maxAge": 120 } });
    }
    let routes: Vec<_> = route
        .map(|rule| {
            json!({
                "metadata": { "name": "web", "namespace": "shop" },
                "spec": { "routes": [{ "match": rule, "services": [{ "kind": "TraefikService", "name": "podinfo" }] }] },
            })
        })
        .into_iter()
        .collect();
    let routes = json!({ "kind": "IngressRouteList", "metadata": {}, "items": routes });
    fake.on("GET", "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo", [Reply::json(200, &canary)]);
    fake.on("GET", "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo", [Reply::json(200, &service)]);
    fake.on("GET", "/apis/traefik.io/v1alpha1/ingressroutes", [Reply::json(200, &routes)]);
    fake
}

fn declaring() -> Fake {
    cluster(Some("login; Max-Age=120"), true, None)
}

/// A page, with the cookie of a track if it sets one.
fn page(track: Option<&str>) -> Reply {
    let reply = Reply::text(200, "text/html", "<p>hello</p>");
    let Some(track) = track else { return reply };
    let value = Child(format!("shop-podinfo-{track}-80")).value(Generation::Sha256);
    reply.header("set-cookie", &format!("login={value}; Path=/; Max-Age=120"))
}

/// A site whose page `/` somebody without cookies sees once, and two browsers twice each.
fn site(fake: Fake) -> Fake {
    let visits = [page(Some("primary")), page(Some("primary")), page(Some("canary")), page(None), page(None)];
    fake.on("GET", "/", visits);
    fake
}

const TWICE: &str = "--browsers 2 --requests 2 --rate 1000";

fn verify(cluster: &Fake, flags: &str) -> Output {
    let words = ["verify", "podinfo"].into_iter().chain(flags.split_whitespace());
    Run::new(words).kubeconfig(cluster.kubeconfig()).run()
}

/// The same, with the address of the site redacted.
fn verify_at(cluster: &Fake, site: &Fake, flags: &str) -> Output {
    let words = ["verify", "podinfo", "--url"].into_iter().map(str::to_owned);
    let words = words.chain([site.url() + "/"]).chain(flags.split_whitespace().map(str::to_owned));
    Run::new(words)
        .kubeconfig(cluster.kubeconfig())
        .redact(site.url().split_once("//").expect("a scheme").1, "[SITE]")
        .run()
}

#[test]
fn a_cookie_that_sticks_is_confirmed_with_counts_and_gets_alone_are_sent() {
    let site = site(Fake::start());
    verify_at(&declaring(), &site, TWICE).shows(str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       2      3
canary    50       1      2
canary: 1 of 3 pins, 33 % (99 % confidence: 4 % to 86 %), 50 % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie sticks (2 browsers, 5 requests)
--- stderr

"#]]);
    let agent = format!("kubectl-canary-traefik/{}", env!("CARGO_PKG_VERSION"));
    let cookie = |track: &str| Child(format!("shop-podinfo-{track}-80")).value(Generation::Sha256);
    let (primary, canary) = (format!("login={}", cookie("primary")), format!("login={}", cookie("canary")));
    let seen: Vec<_> = site
        .requests()
        .iter()
        .map(|request| {
            let own = request.header("user-agent").unwrap_or_default();
            assert_eq!(own.split(' ').next(), Some(agent.as_str()));
            (request.line(), request.header("cookie").map(str::to_owned))
        })
        .collect();
    let expected = [None, None, None, Some(primary), Some(canary)].map(|cookie| ("GET /".to_owned(), cookie));
    assert_eq!(seen, expected);
}

#[test]
fn what_does_not_hold_is_named_with_the_command_that_changes_it() {
    let site = Fake::start();
    site.on("GET", "/", [page(Some("primary")), page(Some("primary")), page(Some("canary"))]);
    verify_at(&declaring(), &site, "--browsers 1 --requests 2 --rate 1000 --flow 5m -n shop").shows(str![[r#"
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       2      2
canary    50       1      1
canary: 1 of 3 pins, 33 % (99 % confidence: 4 % to 86 %), 50 % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
failed   each browser stays on its track
  browsers change track; first: browser 1, from primary to canary at http://[SITE]/
ok       nothing else sets a cookie of this name
failed   the cookie lives as long as a flow
  the cookie lives for 120 s (Max-Age), but a flow takes up to 300 s: users can change track (3 times)
  fix: kubectl canary-traefik sticky set podinfo --max-age 300 -n shop
failed   Traefik chooses a track again at the entry, and only there
  a browser with a cookie gets a new one at http://[SITE]/, where no flow begins: something removes the cookie from the request, such as an entry that is no longer declared
  fix: kubectl canary-traefik sticky apply podinfo -n shop
ok       the tracks are chosen in proportion to their weights

the cookie does not stick (1 browser, 3 requests)
--- stderr

"#]]);
}

#[test]
fn programs_get_json_or_junit() {
    let fails = || {
        let site = Fake::start();
        let foreign = Reply::text(200, "text/html", "").header("set-cookie", "login=<&\">; Path=/");
        site.on("GET", "/", [page(Some("primary")), page(Some("primary")), page(None), foreign]);
        site
    };
    let (cluster, flags) = (declaring(), "--browsers 1 --requests 3 --rate 1000 -o");
    verify_at(&cluster, &fails(), &format!("{flags} json")).shows(str![[r#"
exit: 1
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "browsers": 1,
    "checks": [
        {
            "claim": "every page sets the cookie",
            "name": "set",
            "outcome": "holds"
        },
        {
            "claim": "browsers store the cookie and send it back",
            "name": "returned",
            "outcome": "holds"
        },
        {
            "claim": "each browser stays on its track",
            "name": "track",
            "outcome": "holds"
        },
        {
            "claim": "nothing else sets a cookie of this name",
            "findings": [
                {
                    "fix": "kubectl canary-traefik sticky set podinfo --name podinfo-track",
                    "message": "the cookie gets a value that belongs to neither track at http://[SITE]/: another TraefikService or the application uses the name `login`, too",
                    "times": 1
                }
            ],
            "name": "name",
            "outcome": "fails"
        },
        {
            "claim": "the cookie lives as long as a flow",
            "name": "maxAge",
            "outcome": "holds"
        },
        {
            "claim": "Traefik chooses a track again at the entry, and only there",
            "name": "entry",
            "outcome": "skipped",
            "reason": "no entry is declared"
        },
        {
            "claim": "the tracks are chosen in proportion to their weights",
            "name": "split",
            "outcome": "holds"
        }
    ],
    "cookieName": "login",
    "holds": false,
    "kind": "Verification",
    "name": "podinfo",
    "namespace": "shop",
    "requests": 4,
    "split": {
        "canary": 0,
        "drawn": 2,
        "expected": 0.5,
        "high": 0.7683817082692723,
        "low": 0.0
    },
    "tracks": [
        {
            "name": "primary",
            "pins": 2,
            "requests": 3,
            "weight": 50
        },
        {
            "name": "canary",
            "pins": 0,
            "requests": 0,
            "weight": 50
        }
    ],
    "urls": [
        "http://[SITE]/"
    ]
}
--- stderr

"#]]);
    let output = verify_at(&cluster, &fails(), &format!("{flags} junit"));
    output.shows(str![[r#"
exit: 1
--- stdout
<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="verify shop/podinfo" tests="7" failures="1" errors="0" skipped="1">
    <testcase classname="verify shop/podinfo" name="every page sets the cookie"/>
    <testcase classname="verify shop/podinfo" name="browsers store the cookie and send it back"/>
    <testcase classname="verify shop/podinfo" name="each browser stays on its track"/>
    <testcase classname="verify shop/podinfo" name="nothing else sets a cookie of this name">
      <failure message="the cookie gets a value that belongs to neither track at http://[SITE]/: another TraefikService or the application uses the name `login`, too">
  the cookie gets a value that belongs to neither track at http://[SITE]/: another TraefikService or the application uses the name `login`, too
  fix: kubectl canary-traefik sticky set podinfo --name podinfo-track
</failure>
    </testcase>
    <testcase classname="verify shop/podinfo" name="the cookie lives as long as a flow"/>
    <testcase classname="verify shop/podinfo" name="Traefik chooses a track again at the entry, and only there">
      <skipped message="no entry is declared"/>
    </testcase>
    <testcase classname="verify shop/podinfo" name="the tracks are chosen in proportion to their weights"/>
  </testsuite>
</testsuites>
--- stderr

"#]]);
    let xml = roxmltree::Document::parse(&output.stdout).expect("it is XML");
    let suite = xml.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    let count = |name: &str| suite.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
    for (attribute, tag) in [("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")] {
        assert_eq!(suite.attribute(attribute), Some(count(tag).as_str()), "{attribute}");
    }
}

#[test]
fn the_fields_of_a_verification_are_those_of_the_page() {
    let mut fields = Fields::of("Verification");
    let fails = Fake::start();
    fails.on("GET", "/", [page(Some("primary")), page(Some("canary"))]);
    let ends = Fake::start();
    ends.on("GET", "/", [page(Some("primary")), Reply::Close]);
    for site in [site(Fake::start()), fails, ends] {
        let output = verify_at(&declaring(), &site, &format!("{TWICE} -o json"));
        fields.hold(&serde_json::from_str(&output.stdout).expect("it is JSON"));
    }
    fields.were_all_seen();
}

#[test]
fn without_a_url_the_hosts_of_the_routes_are_asked_at_the_address_given() {
    let site = site(Fake::start_tls());
    let port = site.url().rsplit(':').next().expect("a port").to_owned();
    let routed = cluster(Some("login; Max-Age=120"), true, Some("Host(`127.0.0.1`)"));
    verify(&routed, "--request-timeout 5s --resolve 127.0.0.1:80:127.0.0.255").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: http://127.0.0.1/: the connection to the server 127.0.0.1:80 was refused
hint: use --url URL, or --resolve 127.0.0.1:80:ADDRESS

"#]]);
    // Another port is another address, as with curl.
    let resolve = format!("--resolve shop.example:{port}:127.0.0.1");
    let words = format!("--url https://shop.example:{port}/ {resolve}");
    let run = |more: &str| {
        let line = format!("verify podinfo {words} {TWICE} {more}");
        let run = Run::new(line.split_whitespace()).kubeconfig(routed.kubeconfig()).redact(&port, "[PORT]");
        run.redact(&testdata("ca.pem").display().to_string(), "[CA]").run()
    };
    run(&format!("--ca-file {}", Tls::authority().display())).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: https://shop.example:[PORT]/: the certificate of the server shop.example:[PORT] is for another name
caused by: it is for 127.0.0.1, 0.0.0.0, localhost
hint: use --ca-file FILE, or --insecure

"#]]);
    run("--insecure").shows(str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       2      3
canary    50       1      2
canary: 1 of 3 pins, 33 % (99 % confidence: 4 % to 86 %), 50 % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie sticks (2 browsers, 5 requests)
--- stderr

"#]]);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_and_the_flags_are_named() {
    let (cluster, site) = (declaring(), site(Fake::start_tls()));
    let elsewhere: PathBuf = testdata("elsewhere.pem");
    let flags = format!("--ca-file {}", elsewhere.display());
    verify_at(&cluster, &site, &flags).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: https://[SITE]/: the certificate of the server [SITE] is signed by an unknown authority
hint: use --ca-file FILE, or --insecure

"#]]);
    assert_eq!(site.requests(), []);
    let line = "verify podinfo --url http://127.0.0.1:1/ --ca-file missing.pem";
    Run::new(line.split(' ')).kubeconfig(cluster.kubeconfig()).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read certificates from `missing.pem`
caused by: no such file or directory
hint: use --ca-file FILE, in PEM

"#]]);
}

#[test]
fn a_page_that_cannot_be_reached_is_an_error_with_what_to_type() {
    let cluster = declaring();
    verify(&cluster, "--url http://127.0.0.1:1/login?code=secret").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: http://127.0.0.1:1/login: the connection to the server 127.0.0.1:1 was refused
hint: use --url URL, or --resolve 127.0.0.1:1:ADDRESS

"#]]);
    let site = Fake::start();
    site.on("GET", "/", [Reply::text(302, "text/html", "").header("location", "/")]);
    verify_at(&cluster, &site, "--rate 1000").shows(str![[r#"
exit: 6
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       0      0
canary    50       0      0

failed   every page sets the cookie
  no page sets the cookie `login`, although TraefikService `podinfo` has it: http://[SITE]/ does not lead there (status 302)
  fix: kubectl canary-traefik describe podinfo
skipped  browsers store the cookie and send it back: no page sets the cookie
skipped  each browser stays on its track: no page sets the cookie
skipped  nothing else sets a cookie of this name: no page sets the cookie
skipped  the cookie lives as long as a flow: no page sets the cookie
skipped  Traefik chooses a track again at the entry, and only there: no page sets the cookie
skipped  the tracks are chosen in proportion to their weights: no page sets the cookie

the cookie does not stick (1 browser, 22 requests)
--- stderr
error: http://[SITE]/ redirects in a loop
hint: use --url with another page

"#]]);
    site.on("GET", "/", [Reply::Close]);
    verify_at(&cluster, &site, "--rate 1000").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: http://[SITE]/: the connection to the server [SITE] was closed before it answered
caused by: connection closed before message completed
hint: use --url URL, or --resolve [SITE]:ADDRESS

"#]]);
    site.on("GET", "/", [Reply::Hang]);
    verify_at(&cluster, &site, "--request-timeout 200ms").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: http://[SITE]/: no answer from the server [SITE] within 0.2 s
hint: use --url URL, or --resolve [SITE]:ADDRESS

"#]]);
}

#[test]
fn without_a_host_to_ask_a_url_is_asked_for() {
    verify(&declaring(), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no route to Canary `shop/podinfo` names a host with pages to open
hint: use --url https://HOST/PATH

"#]]);
    verify(&cluster(Some("login; Max-Age=120"), true, Some("HostRegexp(`.*`)")), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no route to Canary `shop/podinfo` names a host with pages to open
hint: use --url https://HOST/PATH

"#]]);
}

#[test]
fn without_a_cookie_nothing_is_asked() {
    let site = site(Fake::start());
    verify_at(&cluster(None, false, None), &site, "").shows(str![[r#"
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       0      0
canary    50       0      0

failed   every page sets the cookie
  no cookie is declared, and none is live
  fix: kubectl canary-traefik sticky set podinfo
skipped  browsers store the cookie and send it back: no page sets the cookie
skipped  each browser stays on its track: no page sets the cookie
skipped  nothing else sets a cookie of this name: no page sets the cookie
skipped  the cookie lives as long as a flow: no page sets the cookie
skipped  Traefik chooses a track again at the entry, and only there: no page sets the cookie
skipped  the tracks are chosen in proportion to their weights: no page sets the cookie

the cookie does not stick (0 browsers, 0 requests)
--- stderr

"#]]);
    assert_eq!(site.requests(), []);
    verify_at(&cluster(Some("login; Max-Age=soon"), false, None), &site, "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the cookie declared on Canary `shop/podinfo` is malformed
hint: kubectl canary-traefik describe podinfo

"#]]);
    assert_eq!(site.requests(), []);
}

#[test]
fn redirects_are_followed_on_the_hosts_under_test_alone() {
    let (site, other) = (Fake::start(), site(Fake::start()));
    let away = page(Some("primary")).header("location", &format!("{}/", other.url().replace("127.0.0.1", "localhost")));
    let Reply::Whole { headers, body, .. } = away else { unreachable!("a page is whole") };
    site.on("GET", "/", [Reply::Whole { code: 302, headers, body }]);
    let output = verify_at(&declaring(), &site, "--browsers 1 --requests 1 --rate 1000");
    assert_eq!((output.code, other.requests()), (Some(0), Vec::new()), "{output}");
    assert_eq!(site.lines(), ["GET /", "GET /"]);
}

#[test]
fn a_page_without_end_is_read_to_a_limit() {
    let site = Fake::start();
    site.on("GET", "/", [Reply::Open { code: 200, body: vec![b'x'; 2 << 20] }]);
    let output = verify_at(&declaring(), &site, "--browsers 1 --requests 1 --request-timeout 10s");
    assert_eq!(output.code, Some(1), "it sets no cookie: {output}");
}

#[test]
fn a_page_whose_rest_does_not_come_is_judged_by_its_headers() {
    let site = Fake::start();
    site.on("GET", "/", [Reply::Open { code: 200, body: b"<p>".to_vec() }]);
    let output = verify_at(&declaring(), &site, "--browsers 1 --requests 1 --rate 1000 --request-timeout 5s");
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""), "{output}");
}

#[test]
fn a_request_timeout_of_0_is_none() {
    let site = site(Fake::start());
    let output = verify_at(&declaring(), &site, &format!("{TWICE} --request-timeout 0"));
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn every_page_is_asked_before_browsers_open_them() {
    let site = site(Fake::start());
    verify_at(&declaring(), &site, "--url http://127.0.0.1:1/ --rate 1000").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: http://127.0.0.1:1/: the connection to the server 127.0.0.1:1 was refused
hint: use --url URL, or --resolve 127.0.0.1:1:ADDRESS

"#]]);
    assert_eq!(site.lines(), ["GET /"]);
}

#[test]
fn what_was_seen_before_a_page_does_not_answer_is_shown_with_the_error() {
    let site = Fake::start();
    let visits = [page(Some("primary")), page(Some("primary")), page(None), page(None), Reply::Close];
    site.on("GET", "/", visits.clone());
    let ended = "--browsers 1 --requests 5 --rate 1000";
    verify_at(&declaring(), &site, ended).shows(str![[r#"
exit: 6
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       2      4
canary    50       0      0
canary: 0 of 2 pins, 0 % (99 % confidence: 0 % to 77 %), 50 % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

no check fails, but too little was seen to say that the cookie sticks (1 browser, 4 requests)
--- stderr
error: http://[SITE]/: the connection to the server [SITE] was closed before it answered
caused by: connection closed before message completed
hint: use --url URL, or --resolve [SITE]:ADDRESS

"#]]);
    site.on("GET", "/", visits.clone());
    verify_at(&declaring(), &site, &format!("{ended} -o junit")).shows(str![[r#"
exit: 6
--- stdout
<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="verify shop/podinfo" tests="8" failures="0" errors="1" skipped="1">
    <testcase classname="verify shop/podinfo" name="every page sets the cookie"/>
    <testcase classname="verify shop/podinfo" name="browsers store the cookie and send it back"/>
    <testcase classname="verify shop/podinfo" name="each browser stays on its track"/>
    <testcase classname="verify shop/podinfo" name="nothing else sets a cookie of this name"/>
    <testcase classname="verify shop/podinfo" name="the cookie lives as long as a flow"/>
    <testcase classname="verify shop/podinfo" name="Traefik chooses a track again at the entry, and only there">
      <skipped message="no entry is declared"/>
    </testcase>
    <testcase classname="verify shop/podinfo" name="the tracks are chosen in proportion to their weights"/>
    <testcase classname="verify shop/podinfo" name="every page answers">
      <error message="http://[SITE]/: the connection to the server [SITE] was closed before it answered"/>
    </testcase>
  </testsuite>
</testsuites>
--- stderr
error: http://[SITE]/: the connection to the server [SITE] was closed before it answered
caused by: connection closed before message completed
hint: use --url URL, or --resolve [SITE]:ADDRESS

"#]]);
    // A connection that was kept, and is closed once it is used again.
    let visits = [page(Some("primary")), page(Some("primary")), Reply::Close, page(None)];
    site.on("GET", "/", visits);
    let output = verify_at(&declaring(), &site, "--browsers 1 --requests 2 --rate 1000");
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
}

#[test]
fn what_was_seen_is_shown_although_the_cluster_cannot_be_read_again() {
    let (cluster, site) = (declaring(), site(Fake::start()));
    let path = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo";
    let mut canary = objects::canary("podinfo");
    canary["metadata"]["namespace"] = json!("shop");
    canary["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": "login; Max-Age=120" });
    let gone = Reply::refusal(403, "Forbidden", "no longer");
    cluster.on("GET", path, [Reply::json(200, &canary), gone]);
    verify_at(&cluster, &site, TWICE).shows(str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       2      3
canary    50       1      2
canary: 1 of 3 pins, 33 % (99 % confidence: 4 % to 86 %), 50 % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
skipped  each browser stays on its track: it is not known whether the weights changed
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
skipped  the tracks are chosen in proportion to their weights: it is not known whether the weights changed

no check fails, but too little was seen to say that the cookie sticks (2 browsers, 5 requests)
--- stderr
warning: the server refused to get canaries.flagger.app `podinfo` in namespace `shop`

"#]]);
}

#[test]
fn headers_that_are_not_ascii_are_kept_byte_by_byte() {
    let site = Fake::start();
    let first = page(Some("primary")).header("set-cookie", "name=J\u{f6}rg; Path=/");
    let home = page(Some("primary")).header("location", "/b\u{fc}cher");
    let Reply::Whole { headers, body, .. } = home else { unreachable!("a page is whole") };
    site.on("GET", "/", [first.clone(), first, Reply::Whole { code: 302, headers, body }]);
    site.on("GET", "/b%C3%BCcher", [page(None)]);
    let output = verify_at(&declaring(), &site, "--browsers 1 --requests 2 --rate 1000");
    let requests = site.requests();
    let seen: Vec<_> = requests.iter().map(|it| (it.path.as_str(), it.header("cookie").unwrap_or("-"))).collect();
    let value = Child("shop-podinfo-primary-80".to_owned()).value(Generation::Sha256);
    let cookies = format!("login={value}; name=J\u{f6}rg");
    let expected = [("/", "-"), ("/", "-"), ("/", &cookies), ("/b%C3%BCcher", &cookies), ("/b%C3%BCcher", "-")];
    assert_eq!(seen, expected, "{output}");
}

#[test]
fn a_redirect_to_https_is_followed_and_the_page_behind_it_judged() {
    let (http, https) = (Fake::start(), Fake::start_tls());
    let upgrade = Reply::text(308, "text/html", "").header("location", &(https.url() + "/"));
    http.on("GET", "/", [upgrade]);
    let secure = |track: &str| {
        let value = Child(format!("shop-podinfo-{track}-80")).value(Generation::Sha256);
        page(None).header("set-cookie", &format!("login={value}; Path=/; Max-Age=120; Secure"))
    };
    https.on("GET", "/", [secure("primary"), page(None), secure("primary")]);
    let output = verify_at(&declaring(), &http, "--insecure --browsers 1 --requests 2 --rate 1000");
    output.shows(str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       2      3
canary    50       0      0
canary: 0 of 2 pins, 0 % (99 % confidence: 0 % to 77 %), 50 % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no entry is declared
ok       the tracks are chosen in proportion to their weights

the cookie sticks (1 browser, 6 requests)
--- stderr

"#]]);
    https.on("GET", "/", [page(None)]);
    let port = https.url().rsplit(':').next().expect("a port").to_owned();
    let line = format!("verify podinfo --url {}/ --insecure --browsers 1 --requests 1 --rate 1000", http.url());
    let run = Run::new(line.split(' ')).kubeconfig(declaring().kubeconfig()).redact(&port, "[PORT]").run();
    run.shows(str![[r#"
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   50       0      0
canary    50       0      0

failed   every page sets the cookie
  no page sets the cookie `login`, although TraefikService `podinfo` has it: https://127.0.0.1:[PORT]/ does not lead there (status 200)
  fix: kubectl canary-traefik describe podinfo
skipped  browsers store the cookie and send it back: no page sets the cookie
skipped  each browser stays on its track: no page sets the cookie
skipped  nothing else sets a cookie of this name: no page sets the cookie
skipped  the cookie lives as long as a flow: no page sets the cookie
skipped  Traefik chooses a track again at the entry, and only there: no page sets the cookie
skipped  the tracks are chosen in proportion to their weights: no page sets the cookie

the cookie does not stick (1 browser, 4 requests)
--- stderr

"#]]);
}

#[test]
fn without_the_right_to_read_it_is_named() {
    let forbid = |cluster: &Fake, path: &str, may_not: &str| {
        let message = format!("it is forbidden: User \"me\" cannot {may_not}");
        cluster.on("GET", &format!("/apis/traefik.io/v1alpha1/{path}"), [Reply::refusal(403, "Forbidden", &message)]);
    };
    let cluster = declaring();
    let list = "list resource \"ingressroutes\" in API group \"traefik.io\"";
    forbid(&cluster, "ingressroutes", &format!("{list} at the cluster scope"));
    forbid(&cluster, "namespaces/shop/ingressroutes", &format!("{list} in the namespace \"shop\""));
    verify(&cluster, "").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: cannot see whether a route to Canary `shop/podinfo` names a host with pages to open
caused by: user `me` may not list ingressroutes.traefik.io in namespace `shop`
hint: use --url https://HOST/PATH
hint: kubectl canary-traefik rbac verify -n shop prints the permissions it needs

"#]]);
    let cluster = declaring();
    let get = "get resource \"traefikservices\" in API group \"traefik.io\" in the namespace \"shop\"";
    forbid(&cluster, "namespaces/shop/traefikservices/podinfo", get);
    let site = Fake::start();
    site.on("GET", "/", [page(None)]);
    verify_at(&cluster, &site, "--browsers 1 --requests 1 --rate 1000").shows(str![[r#"
exit: 1
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   -        0      0
canary    -        0      0

failed   every page sets the cookie
  no page sets the cookie `login`; whether TraefikService `podinfo` has it is not known: user `me` may not get traefikservices.traefik.io in namespace `shop`
  fix: kubectl canary-traefik rbac verify
skipped  browsers store the cookie and send it back: no page sets the cookie
skipped  each browser stays on its track: no page sets the cookie
skipped  nothing else sets a cookie of this name: no page sets the cookie
skipped  the cookie lives as long as a flow: no page sets the cookie
skipped  Traefik chooses a track again at the entry, and only there: no page sets the cookie
skipped  the tracks are chosen in proportion to their weights: no page sets the cookie

the cookie does not stick (1 browser, 2 requests)
--- stderr
warning: user `me` may not get traefikservices.traefik.io in namespace `shop`

"#]]);
}

#[test]
fn without_a_ready_pod_of_traefik_one_is_asked_for() {
    let cluster = declaring();
    let labels = json!({ "app.kubernetes.io/name": "traefik" });
    let pod = json!({
        "metadata": { "name": "traefik-0", "namespace": "edge", "labels": labels, "deletionTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "containers": [{ "name": "traefik", "ports": [{ "name": "web", "containerPort": 8000 }] }] },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    });
    let pods = json!({ "kind": "PodList", "metadata": {}, "items": [pod] });
    cluster.on("GET", "/api/v1/pods", [Reply::json(200, &pods)]);
    verify(&cluster, "--url http://shop.example/ --through-cluster").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no ready pod has the label app.kubernetes.io/name=traefik
hint: use --through-cluster=NAMESPACE/POD

"#]]);
    // Something on the way to the server that knows no WebSockets.
    cluster.on("GET", "/api/v1/namespaces/edge/pods/traefik-0", [Reply::json(200, &pod)]);
    cluster.on("GET", "/api/v1/namespaces/edge/pods/traefik-0/portforward", [Reply::text(200, "text/html", "hello")]);
    verify(&cluster, "--url http://shop.example/ --through-cluster=edge/traefik-0").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the answer is not from a Kubernetes API server
caused by: http://127.0.0.1:[PORT] answers 200 OK, text/html
hint: kubectl config view --minify

"#]]);
}

#[test]
fn flags_that_cannot_be_meant_are_refused() {
    for flags in [
        "--url ftp://shop.example/",
        "--url shop.example",
        "--url http://me:secret@shop.example/",
        "--resolve shop.example:203.0.113.7",
        "--rate 0",
        "--through-cluster=traefik-0",
        "--through-cluster --resolve shop.example:80:203.0.113.7",
        "--for 2d",
        "--browsers 0",
        "--requests 5 --for 5s",
        "--insecure --ca-file ca.pem",
    ] {
        let words = ["verify", "podinfo"].into_iter().chain(flags.split(' '));
        let output = Run::new(words).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
    Run::new("verify podinfo --url ftp://shop.example/".split(' ')).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'ftp://shop.example/' for '--url <URL>': its scheme must be http or https

For more information, try '--help'.

"#]]);
    Run::new("verify podinfo --url http://me:secret@shop.example/".split(' ')).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'http://shop.example/' for '--url <URL>': it must not have a user or a password

For more information, try '--help'.

"#]]);
    Run::new("verify podinfo --resolve shop.example:203.0.113.7".split(' ')).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'shop.example:203.0.113.7' for '--resolve <HOST:PORT:ADDRESS>': must be HOST:PORT:ADDRESS, such as shop.example.com:443:203.0.113.7

For more information, try '--help'.

"#]]);
    Run::new("verify podinfo --for 2d".split(' ')).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '2d' for '--for <DURATION>': a duration is a number of seconds, or numbers with `h`, `m`, `s` or `ms`, such as `1m30s`

For more information, try '--help'.

"#]]);
}
