//! `render -f`.

use snapbox::str;
use testbed::run::Run;

use crate::manifests::{canary, in_namespace, in_repository, over, service};

#[test]
fn the_weight_is_the_live_one_unless_given() {
    in_repository("render checkout -f examples").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: checkout
  namespace: shop
spec:
  weighted:
    services:
    - name: checkout-primary
      namespace: shop
      port: 8080
      weight: 80
    - name: checkout-canary
      namespace: shop
      port: 8080
      weight: 20
    sticky:
      cookie:
        httpOnly: true
        maxAge: 120
        name: login
        sameSite: lax
        secure: true
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  annotations:
    kubectl-canary-traefik/canary: checkout
    kubectl-canary-traefik/entry: /checkout/login
  labels:
    app.kubernetes.io/managed-by: kubectl-canary-traefik
  name: checkout-entry
  namespace: shop
spec:
  headers:
    customRequestHeaders:
      Cookie: ""
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  annotations:
    kubectl-canary-traefik/canary: checkout
    kubectl-canary-traefik/entry: /checkout/login
  labels:
    app.kubernetes.io/managed-by: kubectl-canary-traefik
  name: checkout-entry
  namespace: shop
spec:
  entryPoints:
  - websecure
  routes:
  - kind: Rule
    match: (Host(`shop.example.com`) && PathPrefix(`/checkout`)) && (Path(`/checkout/login`))
    middlewares:
    - name: checkout-entry
    priority: 52
    services:
    - kind: TraefikService
      name: checkout
  tls:
    certResolver: default
--- stderr

"#]]);
    in_repository("render podinfo -f examples").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: podinfo
  namespace: shop
spec:
  weighted:
    services:
    - name: podinfo-primary
      namespace: shop
      port: 9898
      weight: 100
--- stderr

"#]]);
}

#[test]
fn weights_are_written_as_flagger_writes_them() {
    let manifest = canary("web", None);
    over(&manifest, "render web -f canary.yaml --weight 0").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: web
spec:
  weighted:
    services:
    - name: web-primary
      port: 80
      weight: 100
--- stderr

"#]]);
    over(&manifest, "render web -f canary.yaml --weight=20").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: web
spec:
  weighted:
    services:
    - name: web-primary
      port: 80
      weight: 80
    - name: web-canary
      port: 80
      weight: 20
--- stderr

"#]]);
    over(&manifest, "render web -f canary.yaml --weight 100").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: web
spec:
  weighted:
    services:
    - name: web-primary
      port: 80
    - name: web-canary
      port: 80
      weight: 100
--- stderr

"#]]);
}

#[test]
fn json_is_json() {
    over(&canary("web", Some("login; Max-Age=300; Secure; SameSite=None")), "render web -f canary.yaml -o json").shows(
        str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "traefik.io/v1alpha1",
    "kind": "TraefikService",
    "metadata": {
        "annotations": {
            "helm.toolkit.fluxcd.io/driftDetection": "disabled",
            "kustomize.toolkit.fluxcd.io/reconcile": "disabled"
        },
        "name": "web"
    },
    "spec": {
        "weighted": {
            "services": [
                {
                    "name": "web-primary",
                    "port": 80,
                    "weight": 100
                }
            ],
            "sticky": {
                "cookie": {
                    "maxAge": 300,
                    "name": "login",
                    "sameSite": "none",
                    "secure": true
                }
            }
        }
    }
}
--- stderr

"#]],
    );
}

#[test]
fn apex_metadata_the_namespace_and_the_owner_are_copied() {
    let manifest = in_namespace("shop", &canary("web", Some("; HttpOnly"))).replace(
        "  name: web\n  annotations",
        "  name: web\n  uid: 6e9f2a2e-0000-4000-8000-000000000000\n  annotations",
    ) + "    name: front\n    apex:\n      labels: {team: web, odd: 1}\n      annotations: {a: b}\n";
    over(&manifest, "render web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    a: b
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  labels:
    odd: 1
    team: web
  name: front
  namespace: shop
  ownerReferences:
  - apiVersion: flagger.app/v1beta1
    blockOwnerDeletion: true
    controller: true
    kind: Canary
    name: web
    uid: [UID]
spec:
  weighted:
    services:
    - name: front-primary
      namespace: shop
      port: 80
      weight: 100
    sticky:
      cookie:
        httpOnly: true
--- stderr

"#]]);
}

#[test]
fn the_group_is_the_one_that_is_there() {
    let old = service("web", None).replace("traefik.io", "traefik.containo.us");
    over(&(canary("web", None) + &old), "render web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.containo.us/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: web
spec:
  weighted:
    services:
    - name: web-primary
      port: 80
      weight: 70
    - name: web-canary
      port: 80
      weight: 30
--- stderr

"#]]);
}

#[test]
fn standard_input_is_read() {
    Run::new(["render", "web", "-f", "-", "--weight", "1"]).stdin(canary("web", Some("a"))).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: web
spec:
  weighted:
    services:
    - name: web-primary
      port: 80
      weight: 99
    - name: web-canary
      port: 80
      weight: 1
    sticky:
      cookie:
        name: a
--- stderr

"#]]);
}

#[test]
fn without_a_port_or_a_target_there_is_nothing_to_generate() {
    let without_port = canary("web", None).replace("    port: 80\n", "    name: front\n");
    over(&without_port, "render web -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: Canary `web` has no spec.service.port
caused by: Flagger cannot generate a TraefikService without it

"#]]);
    let odd_port = canary("web", None).replace("port: 80", "port: http");
    over(&odd_port, "render web -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: Canary `web` has no spec.service.port
caused by: Flagger cannot generate a TraefikService without it

"#]]);
    let without_target = canary("web", None).replace("    name: web\n", "");
    over(&without_target, "render web -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: Canary `web` has no spec.targetRef.name
caused by: Flagger cannot generate a TraefikService without it

"#]]);
}

#[test]
fn a_malformed_declaration_is_not_rendered_in_silence() {
    over(&canary("web", Some("a; Nonsense")), "render web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: web
spec:
  weighted:
    services:
    - name: web-primary
      port: 80
      weight: 100
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 4: `Nonsense`: unknown attribute; allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]]);
}
