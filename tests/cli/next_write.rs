//! What `describe` says about Flagger's next write where it is not a step: resets, and a promotion that never ends.

use serde_json::Value;
use snapbox::str;
use testbed::run::exactly;

use crate::manifests::{folder, run};

const CANARY: &str = "apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: cart, namespace: shop, annotations: {kubectl-canary-traefik/sticky-cookie: login; Max-Age=60}}
spec:
  provider: traefik
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: cart}
  service: {port: 80}
  analysis: {interval: 1m, maxWeight: 100, stepWeight: 20, stepWeightPromotion: 25}
";

/// A TraefikService with these weights, and this in its metadata.
fn service(metadata: &str, primary: u8, canary: u8) -> String {
    format!(
        "---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {{name: cart, namespace: shop{metadata}}}
spec:
  weighted:
    sticky: {{cookie: {{name: login, maxAge: 60}}}}
    services:
    - {{name: cart-primary, namespace: shop, port: 80, weight: {primary}}}
    - {{name: cart-canary, namespace: shop, port: 80, weight: {canary}}}
"
    )
}

/// The metadata that Flagger writes, with this label.
fn of_flagger(label: &str) -> String {
    let owner = "{apiVersion: flagger.app/v1beta1, kind: Canary, name: cart, uid: u, controller: true}";
    let flux = "helm.toolkit.fluxcd.io/driftDetection: disabled, kustomize.toolkit.fluxcd.io/reconcile: disabled";
    format!(", labels: {{{label}}}, annotations: {{{flux}}}, ownerReferences: [{owner}]")
}

#[test]
fn a_reset_and_a_promotion_that_never_ends_are_told_with_the_reason() {
    let told = |phase: &str, service: &str| {
        let folder = folder(&[("a.yaml", &format!("{CANARY}status: {{phase: {phase}}}\n{service}"))]);
        let text = run(&folder, "describe cart -f .").stdout;
        let lines = text.lines().skip_while(|line| !line.starts_with("Next write"));
        let lines: String =
            lines.take_while(|line| !line.starts_with("Routes")).map(|line| format!("{line}\n")).collect();
        let report: Value =
            serde_json::from_str(&run(&folder, "describe cart -o json -f .").stdout).expect("it is JSON");
        format!("{lines}{}\n", report["nextWrite"])
    };
    exactly(
        &[
            told("Promoting", &service(&of_flagger(""), 100, 100)),
            told("Initializing", &service("", 100, 0)),
            told("Progressing", &service(&of_flagger("team: a"), 80, 20)),
            told("Progressing", &service(&of_flagger(""), 80, 20)),
        ]
        .concat(),
        str![[r#"
Next write:      none: the promotion never ends, because the primary's weight is
                 100 already; the cookie stays as it is; to end it, set the
                 weights to 99/1
{"cookie":"untouched","reasons":[],"weights":null,"when":"stuckPromotion"}
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; its effect on the
                 cookie is <unknown>; stop whatever applies or changes this
                 TraefikService
{"cookie":"unknown","reasons":["Flagger did not create it"],"weights":[100,100],"when":"reset"}
Next write:      a reset to what Flagger generates at its next check, because
                 its label `team` differs from spec.service.apex; weights
                 100/100; its effect on the cookie is <unknown>; stop whatever
                 applies or changes this TraefikService
{"cookie":"unknown","reasons":["its label `team` differs from spec.service.apex"],"weights":[100,100],"when":"reset"}
Next write:      the step to 40, or a rollback, within 60s if its checks pass;
                 weights 60/40; its effect on the cookie is <unknown>
{"cookie":"unknown","reasons":[],"weights":[60,40],"when":"step"}

"#]],
    );
}
