//! `lint` over manifests: what it says in each format, how it ends, and what its rules are.
#![expect(clippy::disallowed_methods, reason = "reads and writes what the program does not")]

use std::fmt::Write as _;

use canary_traefik::lint::{RULES, Rule};
use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    fake::{Fake, Reply},
    fields::Fields,
    objects,
    run::{Output, Run},
};

use crate::manifests::{canary, folder, in_namespace, in_repository, over, run, service};

const ROUTE: &str = "\
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: web
spec:
  entryPoints: [web]
  routes:
  - match: Host(`shop.example`)
    services:
    - {kind: TraefikService, name: podinfo, sticky: {cookie: {}}}
    - {name: old, port: 80}
";

/// A folder with two Canaries, of which one is well.
pub(super) fn shop() -> Directory {
    let declared = "'login; Max-Age=300; Secure; HttpOnly; SameSite=None; Path=/cart'";
    folder(&[
        ("a.yaml", &in_namespace("shop", &(canary("podinfo", Some(declared)) + ROUTE))),
        ("b.yaml", &in_namespace("shop", &canary("well", Some("well; Max-Age=60; HttpOnly")))),
    ])
}

#[test]
fn findings_are_grouped_by_canary_with_their_places() {
    run(&shop(), "lint -f .").shows(str![[r#"
exit: 1
--- stdout
shop/podinfo
  warning CT005: IngressRoute `shop/web` has no TLS: browsers reject a Secure
    cookie over http
    at ./a.yaml:23:1
    fix: add tls to the route, redirect it to https, or:
      kubectl canary-traefik sticky set podinfo -n shop -f ./a.yaml --unset secure
  error CT011: IngressRoute `shop/web` splits a route among 2 backends, request
    by request, without a cookie
    at ./a.yaml:28:7
    fix: point the route at the TraefikService alone
  warning CT014: IngressRoute `shop/web`: Traefik ignores sticky beside kind:
    TraefikService
    at ./a.yaml:28:45
    fix: remove sticky from the route
  warning CT018: browsers do not send a cookie with Path=/cart to /, which
    IngressRoute `shop/web` serves, too
    at ./a.yaml:8:5
    fix: use the path /, unless one path covers every route:
      kubectl canary-traefik sticky set podinfo -n shop -f ./a.yaml --path /
--- stderr
1 error, 3 warnings in 2 Canaries

"#]]);
    run(&shop(), "lint well -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
nothing found in 1 Canary

"#]]);
}

#[test]
fn a_healthy_example_has_no_findings() {
    in_repository("lint checkout -f examples --fail-on warning").shows(str![[r#"
exit: 0
--- stdout
shop/checkout
  info CT055: the analysis has no metrics and no webhooks: Flagger promotes even
    a broken canary
    at examples/checkout.yaml:18:3
    fix: add metrics to spec.analysis, such as request-success-rate
--- stderr
1 info in 1 Canary

"#]]);
}

#[test]
fn every_error_of_a_declaration_has_its_column() {
    let declared = "\"log in; Max-Age=5m;; Secur\"";
    over(&canary("podinfo", Some(declared)), "lint -f .").shows(str![[r#"
exit: 1
--- stdout
podinfo
  error CT038: annotation kubectl-canary-traefik/sticky-cookie, column 1: `log
    in`: the first part must be the cookie's name alone, which may contain only
    letters, digits and !#$%&'*+-.^_`|~; begin with ; to leave the name to
    Traefik
    at ./canary.yaml:7:5
    fix: correct the annotation, or delete it with sticky remove and set the
      cookie again
  error CT038: annotation kubectl-canary-traefik/sticky-cookie, column 9:
    `Max-Age=5m`: must be whole seconds of at most ten digits, such as 300
    at ./canary.yaml:7:52
    fix: correct the annotation, or delete it with sticky remove and set the
      cookie again
  error CT038: annotation kubectl-canary-traefik/sticky-cookie, column 20: an
    attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure,
    HttpOnly, SameSite)
    at ./canary.yaml:7:63
    fix: correct the annotation, or delete it with sticky remove and set the
      cookie again
  error CT038: annotation kubectl-canary-traefik/sticky-cookie, column 22:
    `Secur`: unknown attribute; allowed are Max-Age, Path, Domain, Secure,
    HttpOnly, SameSite
    at ./canary.yaml:7:65
    fix: correct the annotation, or delete it with sticky remove and set the
      cookie again
--- stderr
4 errors in 1 Canary

"#]]);
}

#[test]
fn json_has_places_and_objects() {
    let output = run(&shop(), "lint podinfo -f . -o json --ignore CT025,ct055 --fail-on never");
    output.shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "canaries": 1,
    "items": [
        {
            "code": "CT005",
            "help": "add tls to the route, redirect it to https, or: kubectl canary-traefik sticky set podinfo -n shop -f ./a.yaml --unset secure",
            "message": "IngressRoute `shop/web` has no TLS: browsers reject a Secure cookie over http",
            "name": "podinfo",
            "namespace": "shop",
            "object": {
                "apiVersion": "traefik.io/v1alpha1",
                "kind": "IngressRoute",
                "name": "web",
                "namespace": "shop"
            },
            "position": {
                "column": 1,
                "file": "./a.yaml",
                "line": 23
            },
            "severity": "warning"
        },
        {
            "code": "CT011",
            "help": "point the route at the TraefikService alone",
            "message": "IngressRoute `shop/web` splits a route among 2 backends, request by request, without a cookie",
            "name": "podinfo",
            "namespace": "shop",
            "object": {
                "apiVersion": "traefik.io/v1alpha1",
                "kind": "IngressRoute",
                "name": "web",
                "namespace": "shop"
            },
            "position": {
                "column": 7,
                "file": "./a.yaml",
                "line": 28
            },
            "severity": "error"
        },
        {
            "code": "CT014",
            "help": "remove sticky from the route",
            "message": "IngressRoute `shop/web`: Traefik ignores sticky beside kind: TraefikService",
            "name": "podinfo",
            "namespace": "shop",
            "object": {
                "apiVersion": "traefik.io/v1alpha1",
                "kind": "IngressRoute",
                "name": "web",
                "namespace": "shop"
            },
            "position": {
                "column": 45,
                "file": "./a.yaml",
                "line": 28
            },
            "severity": "warning"
        },
        {
            "code": "CT018",
            "help": "use the path /, unless one path covers every route: kubectl canary-traefik sticky set podinfo -n shop -f ./a.yaml --path /",
            "message": "browsers do not send a cookie with Path=/cart to /, which IngressRoute `shop/web` serves, too",
            "name": "podinfo",
            "namespace": "shop",
            "position": {
                "column": 5,
                "file": "./a.yaml",
                "line": 8
            },
            "severity": "warning"
        }
    ],
    "kind": "LintReport",
    "unread": []
}
--- stderr
1 error, 3 warnings in 1 Canary

"#]]);
    let mut fields = Fields::of("LintReport");
    for text in [run(&shop(), "lint -f . -o json").stdout, blind("-o json").stdout] {
        fields.hold(&serde_json::from_str(&text).expect("it is JSON"));
    }
    fields.were_all_seen();
}

/// Lints the Canary of a cluster whose Deployments may not be listed.
fn blind(words: &str) -> Output {
    let fake = Fake::start();
    let canary = json!({"items": [objects::canary("podinfo")]});
    fake.on("GET", "/apis/flagger.app/v1beta1/namespaces/shop/canaries", [Reply::json(200, &canary)]);
    let refusal = Reply::refusal(403, "Forbidden", "deployments.apps is forbidden: User \"eve\" cannot list resource");
    fake.on("GET", "/apis/apps/v1/deployments", [refusal]);
    fake.on("GET", "/api/v1/namespaces/shop/services", [Reply::json(200, &json!({"items": []}))]);
    Run::new(["lint", "-n", "shop"].into_iter().chain(words.split(' '))).kubeconfig(fake.kubeconfig()).run()
}

#[test]
fn what_may_not_be_read_is_said_with_the_rules_that_need_it() {
    blind("--ignore CT055").shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: some rules may have missed findings, because the server refused to list deployments.apps: CT005, CT007, CT008, CT009, CT010, CT026, CT029, CT030, CT037, CT061
nothing found in 1 Canary

"#]]);
    blind("-o json --ignore CT055").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "canaries": 1,
    "items": [],
    "kind": "LintReport",
    "unread": [
        {
            "reason": "the server refused to list deployments.apps",
            "rules": [
                "CT005",
                "CT007",
                "CT008",
                "CT009",
                "CT010",
                "CT026",
                "CT029",
                "CT030",
                "CT037",
                "CT061"
            ]
        }
    ]
}
--- stderr
note: some rules may have missed findings, because the server refused to list deployments.apps: CT005, CT007, CT008, CT009, CT010, CT026, CT029, CT030, CT037, CT061
nothing found in 1 Canary

"#]]);
}

#[test]
fn github_gets_one_workflow_command_each() {
    let (odd, text) = ("a:b,c%.yaml", canary("podinfo", Some("'login; Max-Age=-1'")));
    run(&folder(&[(odd, &text)]), "lint -f . -o github").shows(str![[r#"
exit: 1
--- stdout
::error file=a%3Ab%2Cc%25.yaml,line=7,col=5,title=CT006::podinfo: with Max-Age=-1 browsers delete the cookie at once, so no user stays on a track%0Afix: use a positive --max-age
::notice file=a%3Ab%2Cc%25.yaml,line=7,col=5,title=CT025::podinfo: the cookie has no HttpOnly, so scripts can read it%0Afix: kubectl canary-traefik sticky set podinfo -f ./a:b,c%25.yaml --http-only
--- stderr
1 error, 1 info in 1 Canary

"#]]);
    // Standard input is no file to annotate.
    let input = canary("podinfo", Some("'login; Max-Age=-1; HttpOnly'"));
    Run::new("lint -f - -o github --ignore CT055".split(' ')).stdin(&input).run().shows(str![[r#"
exit: 1
--- stdout
::error title=CT006::podinfo: with Max-Age=-1 browsers delete the cookie at once, so no user stays on a track%0Afix: use a positive --max-age
--- stderr
1 error in 1 Canary

"#]]);
}

#[test]
fn sarif_can_be_read_and_has_its_rules() {
    let output = run(&shop(), "lint -f . -o sarif");
    let log: serde_sarif::sarif::Sarif = serde_json::from_str(&output.stdout).expect("it is SARIF 2.1.0");
    let run = &log.runs[0];
    let rules = run.tool.driver.rules.as_ref().expect("rules");
    assert_eq!(rules.len(), RULES.len());
    let results = run.results.as_ref().expect("results");
    let named = results.iter().map(|result| {
        let index = usize::try_from(result.rule_index.expect("an index")).expect("a position");
        (result.rule_id.clone(), Some(rules[index].id.clone()))
    });
    assert!(named.clone().count() > 0 && named.into_iter().all(|(of_result, of_rule)| of_result == of_rule));
    // What is written again is what was written: nothing is outside the format.
    let again = serde_json::to_value(&log).expect("it can be written");
    assert_eq!(again, serde_json::from_str::<Value>(&output.stdout).expect("it is JSON"));
    let first: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    snapbox::assert_data_eq!(
        serde_json::to_string_pretty(&first["runs"][0]["results"][0]).expect("a result"),
        str![[r#"
{
  "level": "warning",
  "locations": [
    {
      "logicalLocations": [
        {
          "fullyQualifiedName": "shop/podinfo",
          "kind": "object"
        },
        {
          "fullyQualifiedName": "ingressroute.traefik.io/web",
          "kind": "object"
        }
      ],
      "physicalLocation": {
        "artifactLocation": {
          "uri": "a.yaml"
        },
        "region": {
          "startColumn": 1,
          "startLine": 23
        }
      }
    }
  ],
  "message": {
    "text": "shop/podinfo: IngressRoute `shop/web` has no TLS: browsers reject a Secure cookie over http; fix: add tls to the route, redirect it to https, or: kubectl canary-traefik sticky set podinfo -n shop -f ./a.yaml --unset secure"
  },
  "ruleId": "CT005",
  "ruleIndex": 4
}
"#]]
    );
}

#[test]
fn the_exit_status_depends_on_the_severity_and_not_on_the_format() {
    let error = folder(&[("a.yaml", &canary("podinfo", Some("login; Max-Age=-1")))]);
    let warning = folder(&[("a.yaml", &canary("podinfo", Some("login")))]);
    let info = folder(&[("a.yaml", &canary("podinfo", Some("login; Max-Age=60")))]);
    for format in ["text", "json", "sarif", "github"] {
        let ends = |folder: &Directory, fail_on: &str| {
            run(folder, &format!("lint -f . -o {format}{fail_on}")).code.expect("a code")
        };
        let of = |folder: &Directory| {
            ["", " --fail-on error", " --fail-on warning", " --fail-on never"].map(|it| ends(folder, it))
        };
        assert_eq!((of(&error), of(&warning), of(&info)), ([1, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]), "{format}");
    }
    assert_eq!(run(&error, "lint -f . --ignore CT006").code, Some(0));
}

#[test]
fn a_canary_that_is_not_there_and_a_rule_that_is_none_are_errors() {
    run(&shop(), "lint nobody -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `nobody` in the files
hint: Canaries in the files: podinfo, well

"#]]);
    run(&shop(), "lint podinfo -f . -A").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: names and -A cannot be given together
hint: name the Canaries, or select them, not both

"#]]);
    run(&shop(), "lint explain CT999").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'CT999' for '[CODE]': no such rule; kubectl canary-traefik lint explain lists them all

For more information, try '--help'.

"#]]);
}

#[test]
fn canaries_can_be_selected_and_others_are_named() {
    let of_istio = canary("mesh", None).replace("provider: traefik", "provider: istio");
    let folder = folder(&[
        ("a.yaml", &in_namespace("shop", &canary("podinfo", Some("login")))),
        ("b.yaml", &in_namespace("edge", &(canary("web", Some("web")) + &of_istio))),
    ]);
    run(&folder, "lint -f . -n edge --ignore CT025,CT055").shows(str![[r#"
exit: 0
--- stdout
edge/web
  warning CT020: a session cookie lives until the browser closes, so users stay
    on their track into the next rollout
    at ./b.yaml:8:5
    fix: declare where your logins begin and a Max-Age just over one login, for
      example /login and 2m:
      kubectl canary-traefik sticky set web -n edge -f ./b.yaml --entry /login --max-age 2m
--- stderr
note: 1 Canary skipped: spec.provider is istio
1 warning in 1 Canary

"#]]);
    run(&folder, "lint -f . -l a=b").shows(str![[r#"
exit: 0
--- stdout
--- stderr
nothing found in 0 Canaries

"#]]);
}

#[test]
fn of_several_environments_each_has_its_own_places() {
    let canary = in_namespace("shop", &canary("podinfo", Some("login; Max-Age=60; HttpOnly; Secure")));
    let route = in_namespace("shop", &ROUTE.replace("    - {name: old, port: 80}\n", ""));
    let folder = folder(&[
        ("production/canary.yaml", &canary),
        ("production/route.yaml", &route),
        ("staging/canary.yaml", &canary),
        ("staging/route.yaml", &route),
    ]);
    run(&folder, "lint -R -f . --ignore CT055").shows(str![[r#"
exit: 0
--- stdout
shop/podinfo
  warning CT005: IngressRoute `shop/web` has no TLS: browsers reject a Secure
    cookie over http
    at ./production/route.yaml:7:1
    fix: add tls to the route, redirect it to https, or:
      kubectl canary-traefik sticky set podinfo -n shop -f ./production/canary.yaml --unset secure
  warning CT014: IngressRoute `shop/web`: Traefik ignores sticky beside kind:
    TraefikService
    at ./production/route.yaml:12:45
    fix: remove sticky from the route

shop/podinfo
  warning CT005: IngressRoute `shop/web` has no TLS: browsers reject a Secure
    cookie over http
    at ./staging/route.yaml:7:1
    fix: add tls to the route, redirect it to https, or:
      kubectl canary-traefik sticky set podinfo -n shop -f ./staging/canary.yaml --unset secure
  warning CT014: IngressRoute `shop/web`: Traefik ignores sticky beside kind:
    TraefikService
    at ./staging/route.yaml:12:45
    fix: remove sticky from the route
--- stderr
4 warnings in 2 Canaries

"#]]);
}

#[test]
fn what_is_wrong_in_one_environment_is_not_said_of_another() {
    let canary = canary("podinfo", Some("login; Max-Age=60; HttpOnly; Secure; Path=/"))
        .replace("  annotations:\n", "  annotations:\n    kubectl-canary-traefik/entry: /login\n");
    let route = ROUTE.replace(", sticky: {cookie: {}}", "").replace("    - {name: old, port: 80}\n", "");
    let with_tls = route.replace("[web]", "[websecure]\n  tls: {}");
    let before = route
        .replace("  name: web", "  name: before")
        .replace("(`shop.example`)\n", "(`shop.example`) && Path(`/login`)\n    priority: 1000\n");
    let before = before.replace("kind: TraefikService, name: podinfo", "name: sso, port: 80");
    let traefik = |version: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: traefik}}\nspec:\n  template: {{spec: {{containers: [{{image: \"traefik:{version}\"}}]}}}}\n"
        )
    };
    let folder = folder(&[
        ("production/canary.yaml", &(canary.clone() + &service("podinfo", None))),
        ("production/route.yaml", &with_tls),
        ("production/traefik.yaml", &traefik("v3.7.9")),
        ("staging/canary.yaml", &(canary + &service("podinfo", None))),
        ("staging/routes/route.yaml", &(route + &before)),
        ("staging/traefik.yaml", &traefik("v3.2.0")),
    ]);
    run(&folder, "lint -R -f . --ignore CT052,CT055").shows(str![[r#"
exit: 1
--- stdout
podinfo
  warning CT005: IngressRoute `web` has no TLS: browsers reject a Secure cookie
    over http
    at ./staging/routes/route.yaml:6:1
    fix: add tls to the route, redirect it to https, or:
      kubectl canary-traefik sticky set podinfo -f ./staging/canary.yaml --unset secure
  warning CT010: Traefik 3.2.0 (traefik) ignores Path: it needs 3.3
    at ./staging/canary.yaml:8:5
    fix: update Traefik, or remove it:
      kubectl canary-traefik sticky set podinfo -f ./staging/canary.yaml --unset path
  error CT041: no new pin begins at some of the entry's paths: `/login` on host
    `shop.example` is served by IngressRoute `before` (priority 1000) instead of
    IngressRoute `web` (priority 20)
    at ./staging/canary.yaml:7:5
    fix: name other paths with sticky set --entry, or give the route to the
      TraefikService a higher priority
--- stderr
1 error, 2 warnings in 2 Canaries

"#]]);
}

#[test]
fn a_patch_of_a_route_is_none() {
    let route = ROUTE.replace(", sticky: {cookie: {}}", "").replace("    - {name: old, port: 80}\n", "");
    let folder = folder(&[
        ("base/canary.yaml", &canary("podinfo", Some("login; Max-Age=60; HttpOnly; Secure"))),
        ("over/route.yaml", &route),
        ("over/kustomization.yaml", "resources: [../base]\npatches: [{path: route.yaml}]\n"),
    ]);
    run(&folder, "lint -R -f . --ignore CT055,CT048").shows(str![[r#"
exit: 0
--- stdout
--- stderr
nothing found in 1 Canary

"#]]);
    folder.write("over/kustomization.yaml", "resources: [route.yaml]\n");
    run(&folder, "lint -R -f . --ignore CT055,CT048").shows(str![[r#"
exit: 0
--- stdout
podinfo
  warning CT005: IngressRoute `web` has no TLS: browsers reject a Secure cookie
    over http
    at ./over/route.yaml:6:1
    fix: add tls to the route, redirect it to https, or:
      kubectl canary-traefik sticky set podinfo -f ./base/canary.yaml --unset secure
--- stderr
1 warning in 1 Canary

"#]]);
}

#[test]
fn a_rollout_without_its_cookie_is_an_error() {
    let text = canary("podinfo", Some("login; Max-Age=60; HttpOnly")) + "status: {phase: Progressing}\n";
    let owned = service("podinfo", None).replace(
        "  name: podinfo\n",
        "  name: podinfo\n  ownerReferences: [{apiVersion: flagger.app/v1beta1, kind: Canary, name: podinfo, controller: true}]\n",
    );
    over(&(text + &owned), "lint -f . --ignore CT055").shows(str![[r#"
exit: 1
--- stdout
podinfo
  error CT058: the declared cookie is not live, and a rollout is under way
    (Progressing)
    at ./canary.yaml:24:3
    fix: kubectl canary-traefik sticky apply podinfo; to keep it:
      kubectl canary-traefik guard install
--- stderr
1 error in 1 Canary

"#]]);
}

#[test]
fn a_rule_is_explained_and_all_are_listed() {
    in_repository("lint explain ct005").shows(str![[r#"
exit: 0
--- stdout
warning CT005: A Secure cookie on a route without TLS

Browsers accept a Secure cookie only over HTTPS, except from localhost, so no
user stays on a track over such a route. Not reported: a route whose middlewares
redirect or are not known, one whose requests another route redirects, and one
whose entry point has TLS, redirects, has middlewares, or trusts a proxy in
front of it. If Traefik's arguments are not known, only routes on entry points
called web or http are reported. Where TLS is terminated in front of Traefik,
the cookie works all the same.

Bad:
  kind: Canary
  metadata:
    annotations:
      kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure
  ---
  kind: IngressRoute
  spec:
    entryPoints: [web]
    tls: null
    routes:
      - match: Host(`cart.example`)
        services: [{kind: TraefikService, name: cart}]

Good:
  kind: Canary
  metadata:
    annotations:
      kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure
  ---
  kind: IngressRoute
  spec:
    entryPoints: [websecure]
    tls: {}
    routes:
      - match: Host(`cart.example`)
        services: [{kind: TraefikService, name: cart}]

Fix: Serve the route with TLS, redirect it to HTTPS, or remove Secure. If TLS is
terminated in front of Traefik, ignore the rule: --ignore CT005.
Looks at: the Canary, routes and other TraefikServices, the version and the arguments of Traefik
Source: RFC 6265bis section 5.7; traefik/traefik#2653
--- stderr

"#]]);
    in_repository("lint explain").shows(str![[r#"
exit: 0
--- stdout
CODE    SEVERITY   FINDS
CT001   error      The live sticky block has no cookie
CT002   error      A pod-level cookie has the sticky cookie's name
CT003   error      Two Canaries use one cookie name on the same host
CT004   error      SameSite=None without Secure
CT005   warning    A Secure cookie on a route without TLS
CT006   error      A negative Max-Age
CT007   error      Capitalised SameSite before Traefik 3.6.14
CT008   warning    SameSite on Traefik 2
CT009   error      The cluster's TraefikService CRD lacks a declared field
CT010   warning    The running Traefik is too old for a field
CT011   error      A route bypasses the TraefikService
CT012   warning    A cookie that pins to a pod, not to a track
CT013   warning    The parent TraefikService has no cookie
CT014   warning    sticky on a route's reference to a TraefikService
CT015   warning    An explicit weight of 0
CT016   info       At the step to 100, users pinned to the primary stay there
CT017   error      A Service of a track is missing
CT018   warning    The cookie's Path does not cover what the routes serve
CT019   error      The cookie's Domain does not cover the routes' hosts
CT020   warning    A session cookie
CT021   warning    Max-Age is so long that the canary is hardly seen
CT023   info       The cookie has no name of its own
CT024   error      The cookie does not meet the rules of its name prefix
CT025   info       Scripts can read the cookie
CT026   warning    With safeNaming, Flagger's built-in metrics return no values
CT028   error      Two TraefikServices have the same name in Traefik
CT029   error      Traefik 3 does not read traefik.containo.us
CT030   error      A route in another namespace, which Traefik does not allow
CT034   warning    An HTTPRoute without stickiness
CT035   warning    No route leads to the TraefikService
CT037   warning    allowEmptyServices before Traefik 2.9.6
CT038   error      A malformed declaration
CT039   error      The TraefikService belongs to something else
CT040   error      A malformed entry
CT041   error      Something else serves the paths of the entry
CT042   warning    An entry without a cookie
CT043   warning    With an entry, a last step below 100
CT044   error      An A/B test on Traefik
CT045   warning    Mirroring on Traefik
CT046   warning    Flagger's session affinity on Traefik
CT047   warning    Step weights beside iterations
CT048   warning    The cookie expires in the middle of logins
CT049   warning    The cookie outlives the last step of 100
CT050   warning    A route and its TraefikService in different API groups
CT051   error      The promotion never ends
CT052   warning    The manifests contain a TraefikService that Flagger writes
CT053   warning    The cookie has a name that application servers use
CT054   warning    Flagger's built-in metrics query a service name that does not exist
CT055   info       Nothing checks the canary
CT056   info       Users stay pinned to a dead canary for a long time
CT057   error      A mistyped or misplaced annotation
CT058   error      Declared, but not live, while a rollout runs
CT059   warning    Nothing protects the cookie
CT060   error      A route to a TraefikService that does not exist
CT061   error      Traefik rejects the rule of a route
CT062   error      A middleware removes the cookie
CT063   error      Two Canaries generate one TraefikService
--- stderr

"#]]);
}

/// The page of the rules, as it is derived from them.
fn page() -> String {
    let mut page = "\
# Lint rules

`kubectl canary-traefik lint` checks these; `lint explain CODE` prints one of them. A code never changes its meaning.

- **error**: the cookie does not work.
- **warning**: the cookie works, but not as users expect.
- **info**: worth knowing; only `lint` shows it.

Unknown facts cause no findings: a version that is not in the image's tag, a middleware that is not among the manifests.
Directories or files with objects of the same name are separate environments, each checked by itself.

`--fail-on error|warning|never` sets the lowest severity that exits with 1, and `--ignore CODE` leaves out a rule. The
examples are manifests without the fields that do not matter; a test runs each of them.

This page is generated from the rules.

| code | severity | finds |
|---|---|---|
"
    .to_owned();
    for rule in RULES {
        let Rule { code, severity, title, .. } = rule;
        writeln!(page, "| [{code}](#{}) | {severity} | {title} |", code.to_lowercase()).expect("a string");
    }
    for rule in RULES {
        let (Rule { code, severity, title, why, bad, fix, source, .. }, good) = (rule, rule.good());
        write!(page, "\n## {code}\n\n**{title}** ({severity}). {why}\n").expect("a string");
        if !bad.is_empty() {
            write!(page, "\nBad:\n\n```yaml\n{}\n```\n\nGood:\n\n```yaml\n{}\n```\n", bad.trim_end(), good.trim_end())
                .expect("a string");
        }
        write!(page, "\nFix: {fix}\n\nSource: {source}\n").expect("a string");
    }
    page
}

#[test]
fn the_page_of_the_rules_is_current() {
    let path = bed::root().join("docs/lint.md");
    if std::env::var("SNAPSHOTS").is_ok_and(|action| action == "overwrite") {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the page can be read");
    assert!(
        text == page(),
        "docs/lint.md is not what the rules say\nhint: SNAPSHOTS=overwrite tests/run cli::the_page_of_the_rules"
    );
}
