//! `describe -f`.

use snapbox::str;
use testbed::{
    bed,
    fake::{Fake, Reply},
    objects,
    run::{Output, Run, exactly},
};

use crate::manifests::{canary, folder, in_namespace, in_repository, over, run, service};

/// A run in the repository on a terminal of this width.
fn wide(columns: usize, line: &str) -> Output {
    Run::new(line.split(' ')).dir(bed::root()).env("COLUMNS", columns.to_string()).run()
}

/// The document with this below `status`, on one line.
fn with_status(document: &str, status: &str) -> String {
    format!("{document}status: {status}\n")
}

/// The document with this below `spec`, on one line.
fn with_spec(document: &str, more: &str) -> String {
    document.replace("spec:\n  provider", &format!("spec:\n  {more}\n  provider"))
}

#[test]
fn an_example_is_described_with_its_route() {
    in_repository("describe checkout -f examples").shows(str![[r#"
exit: 0
--- stdout
Name:            checkout
Namespace:       shop
Phase:           <none>
Strategy:        canary, steps 5 20 50 100, every 305s
TraefikService:  traefik.io/checkout
Applied by:      <none>
Tracks:
  checkout
  ├─ primary   checkout-primary:8080   80   login=a46c252a471a9916
  └─ canary    checkout-canary:8080    20   login=0ac98df64aa42da5
Cookie:          missing, declared in an annotation
  FIELD       DECLARED          LIVE
  name        login             <unset>
  max-age     120               <unset>
  secure      true              <unset>
  http-only   true              <unset>
  same-site   lax               <unset>
  entry       /checkout/login   <unset>
Entry:           missing: some of its objects are missing
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      a weight step, promotion or rollback; its effect on the cookie
                 is <unknown>
Routes:
  IngressRoute/checkout on websecure with TLS
    Host(`shop.example.com`) && PathPrefix(`/checkout`)
Findings:        <none>
--- stderr

"#]]);
    in_repository("describe podinfo -f examples").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       shop
Phase:           <none>
Strategy:        canary, steps 10 20 30 40 50 100, every 305s
TraefikService:  podinfo, not created yet
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:9898   -   <none>
  └─ canary    podinfo-canary:9898    -   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      the one that creates the TraefikService; weights 100/0; there
                 is no cookie to protect
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
--- stderr

"#]]);
}

#[test]
fn a_narrow_terminal_gets_the_same_in_more_lines() {
    wide(40, "describe checkout -f examples").shows(str![[r#"
exit: 0
--- stdout
Name:            checkout
Namespace:       shop
Phase:           <none>
Strategy:        canary, steps 5 20 50
                 100, every 305s
TraefikService:  traefik.io/checkout
Applied by:      <none>
Tracks:
  checkout
  ├─ primary 80
  │    checkout-primary:8080
  │    login=a46c252a471a9916
  └─ canary  20
       checkout-canary:8080
       login=0ac98df64aa42da5
Cookie:          missing, declared in an
                 annotation
  FIELD      DECLARED         LIVE
  name       login            <unset>
  max-age    120              <unset>
  secure     true             <unset>
  http-only  true             <unset>
  same-site  lax              <unset>
  entry      /checkout/login  <unset>
Entry:           missing: some of its
                 objects are missing
Protected:       <unknown>: local files
                 do not show whether a
                 guard is installed
Next write:      a weight step,
                 promotion or rollback;
                 its effect on the
                 cookie is <unknown>
Routes:
  IngressRoute/checkout on websecure
    with TLS
    Host(`shop.example.com`) &&
      PathPrefix(`/checkout`)
Findings:        <none>
--- stderr

"#]]);
}

#[test]
fn no_line_of_several_words_is_longer_than_the_terminal() {
    for columns in [40, 60, 80, 120, 200] {
        for name in ["checkout", "podinfo"] {
            let output = wide(columns, &format!("describe {name} -f examples"));
            let long = |line: &&str| line.chars().count() > columns;
            let long: Vec<_> = output.stdout.lines().filter(long).collect();
            assert_eq!(long, [""; 0], "{name} at {columns} columns");
        }
    }
}

#[test]
fn a_running_rollout_says_what_flagger_writes_next() {
    let running = |status: &str| {
        let steps = "analysis: {interval: 30s, stepWeight: 15, maxWeight: 45, threshold: 3}";
        let document = with_status(&with_spec(&canary("podinfo", Some("login; Max-Age=300")), steps), status);
        over(
            &format!("{document}{}", service("podinfo", Some("{cookie: {name: login, maxAge: 60, secure: true}}"))),
            "describe podinfo -f canary.yaml",
        )
    };
    running("{phase: Progressing, canaryWeight: 30}").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           Progressing
Strategy:        canary, steps of 15 up to 45, every 30s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <unknown>
  └─ canary    podinfo-canary:80    30   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          differs, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      login
  max-age   300        60      differs
  secure    <unset>    true    differs
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      the step to 45, or a rollback, within 30s if its checks pass;
                 weights 55/45; its effect on the cookie is <unknown>
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT021: with Max-Age=300 and an interval of 30 s, returning users see
    the canary in 4 % of their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare
      where your logins begin and a Max-Age just over one login, for example
      /login and 2m: kubectl canary-traefik sticky set podinfo -f canary.yaml
      --entry /login --max-age 2m
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests
--- stderr

"#]]);
    running("{phase: Progressing, failedChecks: 3}").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           Progressing
Strategy:        canary, steps of 15 up to 45, every 30s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <unknown>
  └─ canary    podinfo-canary:80    30   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          differs, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      login
  max-age   300        60      differs
  secure    <unset>    true    differs
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      the rollback, within 30s; weights 100/0; its effect on the
                 cookie is <unknown>
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT021: with Max-Age=300 and an interval of 30 s, returning users see
    the canary in 4 % of their page views during the steps, instead of 30 %
    fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare
      where your logins begin and a Max-Age just over one login, for example
      /login and 2m: kubectl canary-traefik sticky set podinfo -f canary.yaml
      --entry /login --max-age 2m
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests
--- stderr

"#]]);
}

#[test]
fn tests_by_iterations_and_their_weights_are_told_as_traefik_takes_them() {
    let tested = |analysis: &str, weights: &str| {
        let document = with_spec(&canary("podinfo", Some("login; Max-Age=300")), &format!("analysis: {analysis}"));
        let document = with_status(&document, "{phase: Progressing, iterations: 1}");
        let service = service("podinfo", None).replace("      weight: 70\n", "").replace("weight: 30", weights);
        let output = over(&format!("{document}{service}"), "describe podinfo -f canary.yaml -n shop");
        let told = |line: &&str| ["Strategy", "  ├", "  └", "Next", "   "].iter().any(|head| line.starts_with(head));
        output.stdout.lines().filter(told).map(|line| format!("{line}\n")).collect::<String>()
    };
    let ab = tested("{iterations: 3, match: [{headers: {}}], interval: 1m}", "weight: 100");
    exactly(
        &ab,
        str![[r#"
Strategy:        ab-testing, 3 iterations, every 60s
  ├─ primary   podinfo-primary:80   1 (default)   login=da2ac549ee9e5498
  └─ canary    podinfo-canary:80    100           login=68efe5a02923794e
Next write:      an iteration, or a rollback, within 60s if its checks pass;
                 weights 0/100; its effect on the cookie is <unknown>
    sends all users to the canary
    fix: replace match and iterations with stepWeights
    `podinfo`, which is among the manifests
    fix: remove it from the manifests
    (Progressing)
    fix: kubectl canary-traefik sticky apply podinfo; to keep it: kubectl
      canary-traefik guard install

"#]],
    );
    let blue_green = tested("{iterations: 1}", "weight: 0");
    exactly(
        &blue_green,
        str![[r#"
Strategy:        blue-green, 1 iteration, every 60s
  ├─ primary   podinfo-primary:80   1 (default)   login=da2ac549ee9e5498
  └─ canary    podinfo-canary:80    0             login=68efe5a02923794e
Next write:      all traffic to the canary after the last iteration, or a
                 rollback; weights 0/100; its effect on the cookie is <unknown>
    it change track at once
    fix: leave the weights to Flagger: its next write omits the weight
    `podinfo`, which is among the manifests
    fix: remove it from the manifests
    (Progressing)
    fix: kubectl canary-traefik sticky apply podinfo; to keep it: kubectl
      canary-traefik guard install

"#]],
    );
}

#[test]
fn colour_is_for_what_stands_out_and_nothing_else() {
    let manifest = canary("podinfo", Some("login")) + &service("podinfo", Some("{cookie: {name: other}}"));
    let plain = over(&manifest, "describe podinfo -f canary.yaml");
    let coloured = over(&manifest, "describe podinfo -f canary.yaml --color always");
    let painted = coloured.stdout.lines().filter(|line| line.contains('\u{1b}')).map(|line| format!("{line:?}\n"));
    exactly(
        &painted.collect::<String>(),
        str![[r#"
"Cookie:          \u{1b}[33mdiffers, declared in an annotation\u{1b}[0m"
"  name    login      other   \u{1b}[33mdiffers\u{1b}[0m"

"#]],
    );
    let stripped = coloured.stdout.replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
    assert_eq!(stripped, plain.stdout);
}

#[test]
fn what_is_wrong_is_found_here_too() {
    let manifest = format!(
        "{}{}",
        canary("podinfo", Some("login; SameSite=None")),
        service("podinfo", Some("{cookie: {name: login, sameSite: none}}"))
    );
    over(&manifest, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <unknown>
  └─ canary    podinfo-canary:80    30   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          synced, declared in an annotation
  FIELD       DECLARED   LIVE
  name        login      login
  same-site   none       none
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; its effect on the
                 cookie is <unknown>; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  error CT004: browsers reject a cookie with SameSite=None that is not Secure
    fix: use --same-site lax, or: kubectl canary-traefik sticky set podinfo -f
      canary.yaml --secure
  warning CT020: a session cookie lives until the browser closes, so users stay
    on their track into the next rollout
    fix: declare where your logins begin and a Max-Age just over one login, for
      example /login and 2m: kubectl canary-traefik sticky set podinfo -f
      canary.yaml --entry /login --max-age 2m
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests
--- stderr

"#]]);
}

#[test]
fn odd_objects_are_described_as_far_as_they_go() {
    let malformed = format!("{}{}", canary("podinfo", Some("login; Max-Age=soon")), service("podinfo", Some("{}")));
    over(&malformed, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          malformed, declared in an annotation: `Max-Age=soon`: must be
                 whole seconds of at most ten digits, such as 300
  FIELD         DECLARED              LIVE
  <malformed>   login; Max-Age=soon   <none>
Protected:       none: Flagger's next write removes the cookie
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; it removes the
                 cookie; stop whatever applies or changes this TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  error CT001: `spec.weighted.sticky` has no `cookie`, so no user stays on a
    track
    fix: set a cookie, or remove `spec.weighted.sticky`
  error CT038: annotation kubectl-canary-traefik/sticky-cookie, column 8:
    `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300
    fix: correct the annotation, or delete it with sticky remove and set the
      cookie again
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
--- stderr

"#]]);
    let odd = "\
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: odd, labels: [a], annotations: 3}
spec: {provider: traefik, analysis: [], service: x, suspend: true}
status: {phase: Sideways}
";
    over(odd, "describe odd -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            odd
Namespace:       <none>
Phase:           Sideways
Strategy:        canary, without steps; suspended
TraefikService:  <none>, not created yet
Applied by:      <none>
Tracks:          <none>: the Canary names no target
Cookie:          none, nothing is declared
Protected:       -
Next write:      none while the Canary is suspended; there is no cookie to
                 protect
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
--- stderr

"#]]);
    let foreign = service("podinfo", None).replace(
        "  name: podinfo\nspec",
        "  name: podinfo\n  ownerReferences:\n  - {apiVersion: apps/v1, kind: Deployment, name: web, uid: x, controller: true}\nspec",
    );
    let foreign = format!("{}{foreign}", canary("podinfo", None)).replace("      weight: 30\n", "");
    over(&foreign, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  traefik.io/podinfo, controlled by Deployment `web`
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   -   <none>
  └─ canary    podinfo-canary:80    -   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a weight step, promotion or rollback; there is no cookie to
                 protect
Routes:          <none>: nothing leads to the TraefikService
Findings:
  error CT039: TraefikService `podinfo` is controlled by Deployment `web`
    fix: give this Canary another spec.service.name, or remove the other owner's
      controller reference
--- stderr

"#]]);
}

#[test]
fn what_a_terminal_obeys_is_escaped() {
    let hostile = canary("podinfo", None).replace("  service:\n", "  service:\n    name: \"web\\e[2J\\u202e\"\n")
        + "status: {phase: \"\\e]0;owned\\a\"}\n";
    over(&hostile, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           \u{1b}]0;owned\u{7}
Strategy:        no analysis: straight to the promotion
TraefikService:  web\u{1b}[2J\u{202e}, not created yet
Applied by:      <none>
Tracks:
  web\u{1b}[2J\u{202e}
  ├─ primary   web\u{1b}[2J\u{202e}-primary:80   -   <none>
  └─ canary    web\u{1b}[2J\u{202e}-canary:80    -   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a weight step, promotion or rollback; there is no cookie to
                 protect
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
--- stderr

"#]]);
}

#[test]
fn owners_are_told_by_their_marks() {
    let owned = canary("podinfo", None).replace(
        "  name: podinfo\nspec",
        "  name: podinfo\n  labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}\nspec",
    );
    let output = over(&owned, "describe podinfo -f canary.yaml -o json");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let owner = serde_json::json!({"tool": "flux-kustomization", "name": "flux-system/apps", "policy": "preserves"});
    assert_eq!(json["owner"], owner);
}

#[test]
fn routes_of_every_kind_and_namespace_are_found_among_manifests() {
    let routes = "\
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: here, namespace: web}
spec:
  routes:
  - {match: Host(`a`), services: [{kind: TraefikService, name: podinfo}]}
  - {match: Host(`b`), services: [{name: podinfo, port: 80}]}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: there, namespace: edge}
spec:
  routes:
  - {match: Host(`c`), services: [{kind: TraefikService, name: podinfo, namespace: web}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: gate, namespace: web}
spec:
  hostnames: [d]
  rules:
  - backendRefs: [{group: traefik.io, kind: TraefikService, name: podinfo}]
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: mirror, namespace: web}
spec: {mirroring: {name: other, port: 80, mirrors: [{kind: TraefikService, name: podinfo, percent: 10}]}}
";
    let manifest = in_namespace("web", &(canary("podinfo", None) + &service("podinfo", None))) + routes;
    over(&manifest, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       web
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   70   <none>
  └─ canary    podinfo-canary:80    30   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it and its services are not those of the
                 Canary; weights 100/100; there is no cookie to protect; stop
                 whatever applies or changes this TraefikService
Routes:
  IngressRoute/edge/there
    Host(`c`)
    needs providers.kubernetesCRD.allowCrossNamespace in Traefik
  IngressRoute/here
    Host(`a`)
  HTTPRoute/gate
    d/
  TraefikService/mirror, as a mirror: its responses are discarded
Routes that do not reach the TraefikService:
  IngressRoute/here
    Host(`b`)
    it leads to Service `podinfo`, which always selects the primary, not to the
      TraefikService
    fix: use `kind: TraefikService`, `name: podinfo`, without `port`
Findings:
  warning CT030: IngressRoute `edge/there` is in another namespace: Traefik
    needs allowCrossNamespace for it
    fix: move it into the Canary's namespace, or start Traefik with
      --providers.kubernetescrd.allowCrossNamespace
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `web/podinfo`, which is among the manifests
    fix: remove it from the manifests, and declare the cookie with sticky set
--- stderr

"#]]);
}

#[test]
fn the_report_is_versioned() {
    in_repository("describe checkout -f examples -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
declared:
  cookie:
    httpOnly: true
    maxAge: 120
    name: login
    sameSite: lax
    secure: true
  source: annotation
entry:
  declared:
  - /checkout/login
  live: null
  reasons: []
  state: missing
events: null
findings: []
kind: CanaryDescription
live: null
manifest:
  file: examples/checkout.yaml
  line: 2
  patches: []
name: checkout
namespace: shop
nextWrite:
  cookie: unknown
  reasons: []
  weights: null
  when: unknown
owner: null
phase: null
protectedBy: unknown
routes:
  nearMisses: []
  seen:
  - entryPoints:
    - websecure
    kind: IngressRoute
    mirror: false
    name: checkout
    namespace: shop
    refused: []
    requirements: []
    rules:
    - Host(`shop.example.com`) && PathPrefix(`/checkout`)
    through: []
    tls: true
  unknown: []
state: missing
strategy:
  interval: 305
  kind: canary
  skipsAnalysis: false
  suspended: false
tracks:
- child: shop-checkout-primary-8080
  cookie: login=a46c252a471a9916
  name: primary
  service: checkout-primary:8080
  value: a46c252a471a9916
  weight: 80
- child: shop-checkout-canary-8080
  cookie: login=0ac98df64aa42da5
  name: canary
  service: checkout-canary:8080
  value: 0ac98df64aa42da5
  weight: 20
traefikService:
  apiVersion: traefik.io/v1alpha1
  name: checkout
  status: present
weights:
  canary: 20
  primary: 80
--- stderr

"#]]);
}

#[test]
fn without_such_a_canary_there_is_nothing_to_describe() {
    in_repository("describe chekcout -f examples").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `chekcout` in the files
hint: did you mean `checkout`?

"#]]);
    let folder = folder(&[("canary.yaml", &canary("podinfo", None).replace("provider: traefik", "provider: istio"))]);
    run(&folder, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `podinfo` is not on Traefik
caused by: its spec.provider is `istio`

"#]]);
}

/// A scripted server with the Canary `podinfo` and its TraefikService, neither with a cookie.
fn shop() -> Fake {
    let fake = Fake::start();
    let shop = |mut object: serde_json::Value| {
        object["metadata"]["namespace"] = "shop".into();
        let children = object.pointer_mut("/spec/weighted/services").and_then(serde_json::Value::as_array_mut);
        for child in children.into_iter().flatten() {
            child["namespace"] = "shop".into();
        }
        Reply::json(200, &object)
    };
    let (canary, service) = (objects::canary("podinfo"), objects::traefik_service("podinfo", 90, 10));
    fake.on("GET", "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo", [shop(canary)]);
    fake.on("GET", "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo", [shop(service)]);
    fake
}

#[test]
fn a_description_takes_its_objects_the_lists_around_them_and_nothing_else() {
    let fake = shop();
    let output = Run::new(["describe", "podinfo", "-n", "shop"]).kubeconfig(fake.kubeconfig()).run();
    assert_eq!(output.code, Some(0), "{output}");
    let mut asked = fake.lines();
    asked.sort();
    exactly(
        &asked.join("\n"),
        str![[r#"
GET /api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind%3DCanary%2CinvolvedObject.name%3Dpodinfo
GET /apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo
GET /apis/gateway.networking.k8s.io/v1/httproutes
GET /apis/networking.k8s.io/v1/ingresses
GET /apis/traefik.containo.us/v1alpha1/ingressroutes
GET /apis/traefik.containo.us/v1alpha1/namespaces/shop/middlewares
GET /apis/traefik.containo.us/v1alpha1/traefikservices
GET /apis/traefik.io/v1alpha1/ingressroutes
GET /apis/traefik.io/v1alpha1/namespaces/shop/middlewares
GET /apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo
GET /apis/traefik.io/v1alpha1/traefikservices
"#]],
    );
}

#[test]
fn what_cannot_be_had_around_a_canary_is_unknown_and_no_failure() {
    let fake = shop();
    let routes = "/apis/traefik.io/v1alpha1/ingressroutes";
    fake.on("GET", routes, [Reply::text(404, "text/plain", "404 page not found")]);
    let gateway = "/apis/gateway.networking.k8s.io/v1/httproutes";
    fake.on("GET", gateway, [Reply::text(404, "text/plain", "404 page not found")]);
    for path in
        ["/apis/traefik.io/v1alpha1/traefikservices", "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices"]
    {
        fake.on("GET", path, [Reply::text(200, "application/json", "{\"items\": [")]);
    }
    fake.on("GET", "/api/v1/namespaces/shop/events", [Reply::refusal(500, "InternalError", "etcd is\u{1b}[2J away")]);
    let run = Run::new(["describe", "podinfo", "-n", "shop"]).env("COLUMNS", "200").kubeconfig(fake.kubeconfig());
    run.run().shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       shop
Phase:           <none>
Strategy:        canary, steps of 10 up to 50, every 60s
TraefikService:  traefik.io/podinfo
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   90   <none>
  └─ canary    podinfo-canary:80    10   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      a weight step, promotion or rollback; there is no cookie to protect
Routes:
  IngressRoute: <unknown>: the server has no resource type `ingressroutes.traefik.io`
  TraefikService: <unknown>: the server's answer cannot be read
Findings:        <none>
Events:          <unknown>: the server could not list events in namespace `shop`: it answered 500 Internal Server Error
--- stderr

"#]]);
}

#[test]
fn a_manifest_without_a_namespace_leaves_the_cookies_open_until_one_is_named() {
    let manifest = canary("podinfo", Some("; Max-Age=300"));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "describe podinfo -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  podinfo, not created yet
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   -   <unknown>
  └─ canary    podinfo-canary:80    -   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          pending, declared in an annotation
  FIELD     DECLARED    LIVE
  name      <derived>   <unset>
  max-age   300         <unset>
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      the one that creates the TraefikService; weights 100/0; its
                 effect on the cookie is <unknown>
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
--- stderr

"#]]);
    run(&folder, "describe podinfo -f canary.yaml -n test").shows(str![[r#"
exit: 0
--- stdout
Name:            podinfo
Namespace:       test
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  podinfo, not created yet
Applied by:      <none>
Tracks:
  podinfo
  ├─ primary   podinfo-primary:80   -   _8d2a5=5149e8d8b8ab1a75
  └─ canary    podinfo-canary:80    -   _8d2a5=a62c9a177938f192
Cookie:          pending, declared in an annotation
  FIELD     DECLARED    LIVE
  name      <derived>   <unset>
  max-age   300         <unset>
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      the one that creates the TraefikService; weights 100/0; its
                 effect on the cookie is <unknown>
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
--- stderr

"#]]);
}

#[test]
fn what_flagger_does_not_do_on_traefik_is_a_finding() {
    let findings = |analysis: &str| {
        let declared = Some("login; Max-Age=60").filter(|_| !analysis.contains("maxAge"));
        let document = with_spec(&canary("cart", declared), &format!("analysis: {{{analysis}}}"));
        let output = over(&document, "describe cart -o json -f canary.yaml");
        let value: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
        let findings = value["findings"].as_array().expect("a list").iter().map(|finding| {
            let text = |key: &str| finding[key].as_str().expect("a text");
            format!("{} {}: {}\n  {}\n", text("severity"), text("code"), text("message"), text("help"))
        });
        format!("{analysis}:\n{}", findings.collect::<String>())
    };
    let said: String = [
        "iterations: 10, match: [{headers: {cookie: {exact: a}}}]",
        "iterations: 5, mirror: true",
        "stepWeight: 50, interval: 60s, mirror: true",
        "iterations: 10, stepWeight: 10",
        "iterations: 10, sessionAffinity: {cookieName: track}",
        "iterations: 10, sessionAffinity: {cookieName: cart-track, maxAge: 600}",
        "iterations: 10",
    ]
    .into_iter()
    .map(findings)
    .collect();
    exactly(
        &said,
        str![[r#"
iterations: 10, match: [{headers: {cookie: {exact: a}}}]:
error CT044: on Traefik, Flagger ignores spec.analysis.match: each iteration sends all users to the canary
  replace match and iterations with stepWeights
iterations: 5, mirror: true:
warning CT045: on Traefik, Flagger does not mirror requests (spec.analysis.mirror), so no user traffic reaches the canary before the promotion
  remove spec.analysis.mirror
stepWeight: 50, interval: 60s, mirror: true:
warning CT045: on Traefik, Flagger does not mirror requests (spec.analysis.mirror), so the rollout never gets to its first step
  remove spec.analysis.mirror
iterations: 10, stepWeight: 10:
warning CT047: with spec.analysis.iterations, Flagger ignores stepWeight and stepWeights
  for a rollout in weight steps, remove iterations; for blue/green, remove stepWeight and stepWeights
iterations: 10, sessionAffinity: {cookieName: track}:
warning CT046: on Traefik, Flagger ignores spec.analysis.sessionAffinity
  remove it: the declared cookie takes its place
iterations: 10, sessionAffinity: {cookieName: cart-track, maxAge: 600}:
warning CT046: on Traefik, Flagger ignores spec.analysis.sessionAffinity
  remove it and set a sticky cookie that lasts just over the length of one login: kubectl canary-traefik sticky set cart -f canary.yaml --name cart-track --max-age 2m
iterations: 10:

"#]],
    );
}
