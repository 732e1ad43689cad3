//! `simulate -f`.

use serde_json::json;
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    objects,
    run::{Output, Run, exactly},
};

use crate::manifests::{canary, folder, in_repository, over, run, service};

/// A Canary with this analysis and cookie.
fn with(analysis: &str, declared: Option<&str>) -> String {
    canary("web", declared) + &format!("  analysis: {analysis}\n")
}

const STEPS: &str = "{interval: 1m, stepWeights: [10, 50]}";

fn simulate(manifest: &str, flags: &str) -> Output {
    over(manifest, &format!("simulate web -f canary.yaml{flags}"))
}

#[test]
fn an_example_is_simulated_with_what_to_change() {
    in_repository("simulate checkout -f examples").shows(str![[r#"
exit: 0
--- stdout
cookie with Max-Age=120 (declared), with an entry; logins of 1m, an interval of
  5m5s

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           5        5 %    4 %         0 %
2           20       20 %   17 %        0 %
3           50       50 %   44 %        0 %
4           100      99 %   89 %        0 %
promotion   -        -      -           1 %
rollout     -        43 %   39 %        <1 %

100 % ┤                                                ╭───────────────
      │                                                │  ▁▆███████████
      │                                                │ ▄█████████████
      │                                                │▇██████████████
 50 % ┤                                ╭───────────────╯███████████████
      │                                │▁▄▇████████████████████████████
      │                ╭───────────────╯███████████████████████████████
      │╭───────────────╯▅▇█████████████████████████████████████████████
    0 └────────────────────────────────────────────────────────────────
       0                                                         20m20s
       ─ new visitors   █ returning users

--- stderr

"#]]);
}

#[test]
fn without_a_cookie_each_request_is_drawn_anew() {
    in_repository("simulate podinfo -f examples").shows(str![[r#"
exit: 0
--- stdout
no cookie, no entry; logins of 1m, an interval of 5m5s

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           10       10 %   10 %        37 %
2           20       20 %   20 %        61 %
3           30       30 %   30 %        76 %
4           40       40 %   40 %        85 %
5           50       50 %   50 %        84 %
6           100      99 %   99 %        3 %
promotion   -        -      -           1 %
rollout     -        41 %   41 %        58 %

100 % ┤                                                     ╭──────────
      │                                                     │██████████
      │                                                     │██████████
      │                                                     │██████████
 50 % ┤                                ╭────────────────────╯██████████
      │                     ╭──────────╯███████████████████████████████
      │           ╭─────────╯██████████████████████████████████████████
      │╭──────────╯████████████████████████████████████████████████████
    0 └────────────────────────────────────────────────────────────────
       0                                                         30m30s
       ─ new visitors   █ returning users

58 % of logins that take 1m change version during the steps: without a cookie,
  Traefik chooses a version for each request
to fix that (/login is an example: use the path where your logins begin):
  kubectl canary-traefik sticky set podinfo --max-age 1m --entry /login -f examples
to see the result: kubectl canary-traefik simulate podinfo --max-age 1m --entry -f examples
--- stderr

"#]]);
}

#[test]
fn what_is_advised_leaves_nothing_to_advise() {
    let line = "simulate checkout --max-age 1m --interval 1m3s --entry -f examples";
    in_repository(line).shows(str![[r#"
exit: 0
--- stdout
cookie with Max-Age=60 (flag), with an entry; logins of 1m, an interval of 1m3s

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           5        5 %    3 %         0 %
2           20       20 %   13 %        0 %
3           50       50 %   35 %        0 %
4           100      98 %   75 %        0 %
promotion   -        -      -           1 %
rollout     -        43 %   31 %        <1 %

100 % ┤                                                ╭───────────────
      │                                                │       ▁▃▅▇████
      │                                                │   ▁▃▅▇████████
      │                                                │▃▅▇████████████
 50 % ┤                                ╭───────────────╯███████████████
      │                                │  ▁▂▃▅▆▇███████████████████████
      │                ╭───────────────╯▆██████████████████████████████
      │╭───────────────╯▄▅▅▆▇▇█████████████████████████████████████████
    0 └────────────────────────────────────────────────────────────────
       0                                                          4m12s
       ─ new visitors   █ returning users

to get this rollout:
  kubectl canary-traefik sticky set checkout --max-age 1m -f examples
  set spec.analysis.interval: 1m3s
--- stderr

"#]]);
}

#[test]
fn what_the_canary_has_already_is_not_advised() {
    let entry = "kubectl-canary-traefik/entry: /login";
    let manifest = with("{interval: 2m, stepWeights: [10, 100]}", Some("login; Max-Age=60"))
        .replace("  annotations:\n", &format!("  annotations:\n    {entry}\n"));
    simulate(&manifest, "").shows(str![[r#"
exit: 0
--- stdout
cookie with Max-Age=60 (declared), with an entry; logins of 1m, an interval of
  2m

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           10       10 %   7 %         0 %
2           100      98 %   76 %        0 %
promotion   -        -      -           1 %
rollout     -        54 %   42 %        <1 %

100 % ┤                                ╭───────────────────────────────
      │                                │           ▂▆██████████████████
      │                                │         ▃▆████████████████████
      │                                │       ▄▇██████████████████████
 50 % ┤                                │    ▁▅█████████████████████████
      │                                │  ▂▅███████████████████████████
      │                                │▃▆█████████████████████████████
      │╭───────────────────────────────╯███████████████████████████████
    0 └────────────────────────────────────────────────────────────────
       0                                                             4m
       ─ new visitors   █ returning users

--- stderr

"#]]);
    // What a flag has made wrong is as it should be in the Canary.
    simulate(&manifest, " --entry=false --steps 10,90 --max-age 0 --interval 60").shows(str![[r#"
exit: 0
--- stdout
session cookie (flag), no entry; logins of 1m, an interval of 1m

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           10       10 %   0 %         0 %
2           90       89 %   0 %         0 %
promotion   -        -      -           100 %
rollout     -        49 %   0 %         50 %

100 % ┤                                 ╭──────────────────────────────
      │                                 │
      │                                 │
      │                                 │
 50 % ┤                                 │
      │                                 │
      │                                 │
      │ ╭───────────────────────────────╯
    0 └────────────────────────────────────────────────────────────────
       0                                                             2m
       ─ new visitors   █ returning users

returning users see the canary in 0 % of their page views during the steps,
  instead of 49 %
100 % of logins under way change version when the promotion replaces the
  primary's pods
to fix that:
  set spec.analysis.interval: 1m3s
  set spec.analysis.stepWeights: [10, 90, 100]
to see the result: kubectl canary-traefik simulate web --steps 10,90,100 --interval 1m3s -f canary.yaml
--- stderr

"#]]);
    simulate(&manifest, " --flow 1m30s --max-age=-1").shows(str![[r#"
exit: 0
--- stdout
cookie with Max-Age=-1 (flag), with an entry; logins of 1m30s, an interval of 2m

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           10       10 %   10 %        81 %
2           100      98 %   98 %        2 %
promotion   -        -      -           1 %
rollout     -        54 %   54 %        42 %

100 % ┤                                ╭───────────────────────────────
      │                                │███████████████████████████████
      │                                │███████████████████████████████
      │                                │███████████████████████████████
 50 % ┤                                │███████████████████████████████
      │                                │███████████████████████████████
      │                                │███████████████████████████████
      │╭───────────────────────────────╯███████████████████████████████
    0 └────────────────────────────────────────────────────────────────
       0                                                             4m
       ─ new visitors   █ returning users

41 % of logins that take 1m30s change version during the steps: without a
  cookie, Traefik chooses a version for each request
to fix that:
  kubectl canary-traefik sticky set web --max-age 1m30s -f canary.yaml
to see the result: kubectl canary-traefik simulate web --max-age 1m30s --flow 1m30s -f canary.yaml
--- stderr

"#]]);
}

#[test]
fn a_live_cookie_counts_where_none_is_declared() {
    let live = service("web", Some("{cookie: {name: login, maxAge: 5}}"));
    let manifest = with(STEPS, None) + &live;
    simulate(&manifest, " -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "cookie": "live",
    "entry": false,
    "flow": 60,
    "interval": 60,
    "kind": "Simulation",
    "loginsMoved": 73.25,
    "maxAge": 5,
    "name": "web",
    "promotion": {
        "loginsMoved": 50.0
    },
    "requests": 4,
    "steps": [
        {
            "loginsMoved": 75.66,
            "newShare": 9.83,
            "returningShare": 9.42,
            "weight": 10
        },
        {
            "loginsMoved": 41.67,
            "newShare": 49.33,
            "returningShare": 47.67,
            "weight": 50
        }
    ]
}
--- stderr

"#]]);
    // The declared one comes first.
    simulate(&(with(STEPS, Some("login")) + &live), " -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
cookie: declared
entry: false
flow: 60
interval: 60
kind: Simulation
loginsMoved: 50.0
maxAge: null
name: web
promotion:
  loginsMoved: 100.0
requests: 4
steps:
- loginsMoved: 0.0
  newShare: 9.83
  returningShare: 0.0
  weight: 10
- loginsMoved: 0.0
  newShare: 49.33
  returningShare: 0.0
  weight: 50
--- stderr

"#]]);
}

#[test]
fn in_a_cluster_the_commands_are_for_it() {
    let fake = Fake::start();
    let mut canary = objects::canary("podinfo");
    canary["metadata"]["namespace"] = json!("shop");
    let mut service = objects::owned_by(objects::traefik_service("podinfo", 90, 10), &canary);
    service["spec"]["weighted"]["sticky"] = json!({ "cookie": { "maxAge": 30 } });
    fake.on("GET", "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo", [Reply::json(200, &canary)]);
    fake.on("GET", "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo", [Reply::json(200, &service)]);
    let simulate = |flags: &str| {
        let words = ["simulate", "podinfo", "-n", "shop"].into_iter().chain(flags.split_whitespace());
        Run::new(words).kubeconfig(fake.kubeconfig()).env("COLUMNS", "20").run()
    };
    simulate("").shows(str![[r#"
exit: 0
--- stdout
cookie with
  Max-Age=30 (live),
  no entry; logins
  of 1m, an interval
  of 1m

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           10       10 %   7 %         31 %
2           20       20 %   17 %        48 %
3           30       30 %   27 %        59 %
4           40       40 %   37 %        66 %
5           50       50 %   47 %        28 %
promotion   -        -      -           50 %
rollout     -        30 %   27 %        53 %

46 % of logins that
  take 1m change
  version during the
  steps: the cookie
  expires during the
  login
50 % of logins under
  way change version
  when the promotion
  replaces the
  primary's pods
to fix that (/login is an example: use the path where your logins begin):
  kubectl canary-traefik sticky set podinfo --max-age 1m --entry /login -n shop
  set spec.analysis.interval: 1m3s
  set spec.analysis.stepWeights: [10, 20, 30, 40, 50, 100], without stepWeight
to see the result: kubectl canary-traefik simulate podinfo --max-age 1m --steps 10,20,30,40,50,100 --interval 1m3s --entry -n shop
--- stderr

"#]]);
    // A live cookie that may not be read is not simulated; a declared one needs none.
    let forbidden =
        json!({ "kind": "Status", "status": "Failure", "reason": "Forbidden", "message": "no", "code": 403 });
    fake.on("GET", "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo", [Reply::json(403, &forbidden)]);
    simulate("-o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
cookie: none
entry: false
flow: 60
interval: 60
kind: Simulation
loginsMoved: 70.67
maxAge: null
name: podinfo
namespace: shop
promotion:
  loginsMoved: 50.0
requests: 4
steps:
- loginsMoved: 47.43
  newShare: 9.83
  returningShare: 9.83
  weight: 10
- loginsMoved: 67.77
  newShare: 19.83
  returningShare: 19.83
  weight: 20
- loginsMoved: 80.56
  newShare: 29.83
  returningShare: 29.83
  weight: 30
- loginsMoved: 86.76
  newShare: 39.83
  returningShare: 39.83
  weight: 40
- loginsMoved: 41.67
  newShare: 49.83
  returningShare: 49.83
  weight: 50
--- stderr
warning: the server refused to get traefikservices.traefik.io `podinfo` in namespace `shop`

"#]]);
    canary["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": "login; Max-Age=30" });
    fake.on("GET", "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo", [Reply::json(200, &canary)]);
    simulate("-o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
cookie: declared
entry: false
flow: 60
interval: 60
kind: Simulation
loginsMoved: 53.39
maxAge: 30
name: podinfo
namespace: shop
promotion:
  loginsMoved: 50.0
requests: 4
steps:
- loginsMoved: 30.54
  newShare: 9.83
  returningShare: 7.33
  weight: 10
- loginsMoved: 47.58
  newShare: 19.83
  returningShare: 17.33
  weight: 20
- loginsMoved: 59.28
  newShare: 29.83
  returningShare: 27.33
  weight: 30
- loginsMoved: 65.64
  newShare: 39.83
  returningShare: 37.33
  weight: 40
- loginsMoved: 27.78
  newShare: 49.83
  returningShare: 47.33
  weight: 50
--- stderr

"#]]);
}

#[test]
fn a_narrow_terminal_gets_the_table_alone() {
    let folder = folder(&[("canary.yaml", &with(STEPS, Some("login; Max-Age=60")))]);
    let narrow = |columns: &str| {
        Run::new(["simulate", "web", "-f", "canary.yaml", "--flow", "5"])
            .dir(folder.path())
            .env("COLUMNS", columns)
            .run()
    };
    narrow("26").shows(str![[r#"
exit: 0
--- stdout
cookie with Max-Age=60
  (declared), no entry;
  logins of 5s, an
  interval of 1m

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           10       10 %   5 %         1 %
2           50       49 %   29 %        4 %
promotion   -        -      -           51 %
rollout     -        30 %   17 %        4 %

2 % of logins that take 5s
  change version during
  the steps: the cookie
  expires during the login
51 % of logins under way
  change version when the
  promotion replaces the
  primary's pods
to fix that (/login is an example: use the path where your logins begin):
  kubectl canary-traefik sticky set web --entry /login -f canary.yaml
  set spec.analysis.stepWeights: [10, 50, 100]
to see the result: kubectl canary-traefik simulate web --flow 5s --steps 10,50,100 --entry -f canary.yaml
--- stderr

"#]]);
}

#[test]
fn where_flagger_takes_no_steps_there_is_nothing_to_simulate() {
    simulate(&with("{iterations: 5, match: [{}]}", None), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to simulate for Canary `web`: an A/B test on Traefik sends everybody to the canary at once
hint: --steps 10,30,100 simulates a rollout with these steps

"#]]);
    simulate(&with("{iterations: 5}", None), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to simulate for Canary `web`: blue/green sends everybody to the canary at once
hint: --steps 10,30,100 simulates a rollout with these steps

"#]]);
    simulate(&with("{interval: 1m}", None), " -o json").shows(str![[r#"
exit: 2
--- stdout
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":2,"hints":["--steps 10,30,100 simulates a rollout with these steps"],"kind":"Error","message":"nothing to simulate for Canary `web`: its analysis has neither stepWeight nor stepWeights","reason":"usage"}

"#]]);
    simulate(&canary("web", None), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to simulate for Canary `web`: Flagger promotes without an analysis, and sends the canary no traffic
hint: --steps 10,30,100 simulates a rollout with these steps

"#]]);
    simulate(&with("{stepWeights: [50, 10]}", None), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to simulate for Canary `web`: Flagger needs step weights that rise, from above 0 to at most 100
hint: --steps 10,30,100 simulates a rollout with these steps

"#]]);
    simulate(&with("{stepWeight: 10, mirror: true}", None), "").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to simulate for Canary `web`: Flagger's mirroring never ends on Traefik: the canary gets no traffic
hint: --steps 10,30,100 simulates a rollout with these steps

"#]]);
    // Typed steps are those of another analysis.
    simulate(&with("{iterations: 5}", Some("login; Max-Age=60")), " --steps 100 --entry").shows(str![[r#"
exit: 0
--- stdout
cookie with Max-Age=60 (declared), with an entry; logins of 1m, an interval of
  1m

STEP        WEIGHT   NEW    RETURNING   LOGINS MOVED
1           100      97 %   48 %        0 %
promotion   -        -      -           3 %
rollout     -        97 %   48 %        3 %

100 % ┤ ╭──────────────────────────────────────────────────────────────
      │ │                                                ▁▂▃▄▅▆▇███████
      │ │                                        ▁▂▃▄▅▆▇███████████████
      │ │                                ▁▂▃▄▅▆▇███████████████████████
 50 % ┤ │                        ▁▂▃▄▅▆▇███████████████████████████████
      │ │                ▁▂▃▄▅▆▇███████████████████████████████████████
      │ │        ▁▂▃▄▅▆▇███████████████████████████████████████████████
      │ │▁▂▃▄▅▆▇███████████████████████████████████████████████████████
    0 └────────────────────────────────────────────────────────────────
       0                                                             1m
       ─ new visitors   █ returning users

returning users who do not log in see the canary in 48 % of their page views
  during the steps, instead of 97 %
3 % of logins under way change version when the promotion replaces the primary's
  pods
to fix that (/login is an example: use the path where your logins begin):
  kubectl canary-traefik sticky set web --entry /login -f canary.yaml
  set spec.analysis.interval: 2m35s
  set spec.analysis.stepWeights: [100], without iterations
to see the result: kubectl canary-traefik simulate web --steps 100 --interval 2m35s --entry -f canary.yaml
--- stderr

"#]]);
}

#[test]
fn malformed_annotations_are_reported_and_left_out() {
    let manifest = with(STEPS, Some("login; Max-Age=soon"))
        .replace("  annotations:\n", "  annotations:\n    kubectl-canary-traefik/entry: login\n");
    simulate(&manifest, " -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "cookie": "none",
    "entry": false,
    "flow": 60,
    "interval": 60,
    "kind": "Simulation",
    "loginsMoved": 73.33,
    "maxAge": null,
    "name": "web",
    "promotion": {
        "loginsMoved": 50.0
    },
    "requests": 4,
    "steps": [
        {
            "loginsMoved": 75.83,
            "newShare": 9.83,
            "returningShare": 9.83,
            "weight": 10
        },
        {
            "loginsMoved": 41.67,
            "newShare": 49.33,
            "returningShare": 49.33,
            "weight": 50
        }
    ]
}
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300
  fix: correct the annotation, or delete it with sticky remove and set the cookie again
error CT040: web: annotation kubectl-canary-traefik/entry, column 1: `login`: must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..
  fix: set the paths again with sticky set --entry, or remove them with sticky set --unset entry
warning: simulated without an entry: annotation kubectl-canary-traefik/entry: `login`: must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..

"#]]);
}

#[test]
fn flags_are_checked() {
    let bad = |flags: &str| simulate(&with(STEPS, None), flags);
    bad(" --max-age soon").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'soon' for '--max-age <DURATION>': must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m

For more information, try '--help'.

"#]]);
    bad(" --flow 0").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '0' for '--flow <DURATION>': must be from 1s to 24h, in seconds or as 1m30s

For more information, try '--help'.

"#]]);
    bad(" --interval 9s").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '9s' for '--interval <DURATION>': must be from 10s to 8760h, in seconds or as 1m30s

For more information, try '--help'.

"#]]);
    bad(" --steps 50,10").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '50,10' for '--steps <WEIGHTS>': must be ascending whole numbers from 1 to 100, such as 10,30,100

For more information, try '--help'.

"#]]);
    bad(" --steps 10,101").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '10,101' for '--steps <WEIGHTS>': must be ascending whole numbers from 1 to 100, such as 10,30,100

For more information, try '--help'.

"#]]);
    bad(" --entry=maybe").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'maybe' for '--entry[=<BOOL>]'
  [possible values: true, false]

For more information, try '--help'.

"#]]);
}

#[test]
fn the_plot_is_an_svg_file_and_replaces_one_that_is_there() {
    let folder = folder(&[("canary.yaml", &with(STEPS, Some("login; Max-Age=60"))), ("web.svg", "old")]);
    run(&folder, "simulate web -f canary.yaml --plot web.svg -o json --steps 100").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "cookie": "declared",
    "entry": false,
    "flow": 60,
    "interval": 60,
    "kind": "Simulation",
    "loginsMoved": 34.77,
    "maxAge": 60,
    "name": "web",
    "promotion": {
        "loginsMoved": 2.64
    },
    "requests": 4,
    "steps": [
        {
            "loginsMoved": 33.0,
            "newShare": 97.36,
            "returningShare": 47.87,
            "weight": 100
        }
    ]
}
--- stderr
wrote web.svg

"#]]);
    let text = folder.read("web.svg");
    let svg = roxmltree::Document::parse(&text).expect("it is XML");
    let texts = svg.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).map(str::trim);
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
    exactly(
        &texts.join("\n"),
        str![[r#"
Canary web until its promotion
Canary web until its promotion
0 %
25 %
50 %
75 %
100 %
0
1m
cookie with Max-Age=60 (declared), no entry; logins of 1m, an interval of 1m
page views of new visitors
page views of returning users
logins that change version
"#]],
    );
    run(&folder, "simulate web -f canary.yaml --plot missing/web.svg -o json --steps 100").shows(str![[r#"
exit: 2
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "cookie": "declared",
    "entry": false,
    "flow": 60,
    "interval": 60,
    "kind": "Simulation",
    "loginsMoved": 34.77,
    "maxAge": 60,
    "name": "web",
    "promotion": {
        "loginsMoved": 2.64
    },
    "requests": 4,
    "steps": [
        {
            "loginsMoved": 33.0,
            "newShare": 97.36,
            "returningShare": 47.87,
            "weight": 100
        }
    ]
}
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":["no such file or directory"],"exitCode":2,"hints":[],"kind":"Error","message":"cannot write `missing/web.svg`","reason":"usage"}

"#]]);
    assert_eq!(folder.names(), ["canary.yaml", "web.svg"]);
}

/// What `sticky set` proposes at a terminal, where a login takes two minutes at most and its entry is named.
#[test]
fn what_is_proposed_for_the_examples_shows_the_canary_to_everybody_and_moves_no_login() {
    for name in ["checkout", "podinfo"] {
        let line = format!("simulate {name} --max-age 2m --flow 2m --entry -f examples -o json");
        let output = Run::new(line.split(' ')).dir(env!("CARGO_MANIFEST_DIR")).run();
        let value: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        for step in value["steps"].as_array().expect("steps") {
            let share = number(&step["returningShare"]) / number(&step["weight"]);
            assert!(share >= 0.8, "{name}: {step}");
            assert!(number(&step["loginsMoved"]) <= 0.0, "{name}: {step}");
        }
    }
}
