//! `render`.

use canary_traefik::yaml;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{flagger, namespace::Namespace, objects::canary};

use crate::rollout::{declare, rollout};

#[test]
fn the_live_weight_and_the_declared_cookie_are_rendered() {
    let namespace = rollout("render");
    declare(&namespace, "podinfo", "login; Max-Age=300");
    namespace.run(["render", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: podinfo
  namespace: render-[NS]
  ownerReferences:
  - apiVersion: flagger.app/v1beta1
    blockOwnerDeletion: true
    controller: true
    kind: Canary
    name: podinfo
    uid: [UID]
spec:
  weighted:
    services:
    - name: podinfo-primary
      namespace: render-[NS]
      port: 80
      weight: 90
    - name: podinfo-canary
      namespace: render-[NS]
      port: 80
      weight: 10
    sticky:
      cookie:
        maxAge: 300
        name: login
--- stderr

"#]]);
    namespace.run(["render", "podinfo", "--weight", "100", "-o", "json"]).run().shows(str![[r#"
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
        "name": "podinfo",
        "namespace": "render-[NS]",
        "ownerReferences": [
            {
                "apiVersion": "flagger.app/v1beta1",
                "blockOwnerDeletion": true,
                "controller": true,
                "kind": "Canary",
                "name": "podinfo",
                "uid": "[UID]"
            }
        ]
    },
    "spec": {
        "weighted": {
            "services": [
                {
                    "name": "podinfo-primary",
                    "namespace": "render-[NS]",
                    "port": 80
                },
                {
                    "name": "podinfo-canary",
                    "namespace": "render-[NS]",
                    "port": 80,
                    "weight": 100
                }
            ],
            "sticky": {
                "cookie": {
                    "maxAge": 300,
                    "name": "login"
                }
            }
        }
    }
}
--- stderr

"#]]);
}

#[test]
fn without_a_traefikservice_it_is_the_first_one() {
    let namespace = Namespace::new("render-first");
    namespace.create_value(&canary("podinfo"));
    namespace.run(["render", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: podinfo
  namespace: render-first-[NS]
  ownerReferences:
  - apiVersion: flagger.app/v1beta1
    blockOwnerDeletion: true
    controller: true
    kind: Canary
    name: podinfo
    uid: [UID]
spec:
  weighted:
    services:
    - name: podinfo-primary
      namespace: render-first-[NS]
      port: 80
      weight: 100
--- stderr

"#]]);
}

#[test]
fn what_is_rendered_is_what_flagger_writes_and_the_cookie_beside_it() {
    let namespace = Namespace::new("render-all");
    namespace.create_rollout("podinfo", 100, 0);
    declare(&namespace, "podinfo", "login; Max-Age=300");
    for weight in [0, 1, 50, 99, 100] {
        let written = flagger::writes(&namespace, "podinfo", 100 - weight, weight).expect("nobody else wrote");
        let applied = namespace.run(["sticky", "apply", "podinfo", "--yes"]).run();
        assert_eq!(applied.code, Some(0), "{applied}");
        let live = namespace.get("TraefikService", "podinfo");
        assert_ne!(live, written);

        let rendered = namespace.run(["render", "podinfo", "--weight", &weight.to_string()]).run();
        let rendered = yaml::parse(&rendered.stdout).expect("it prints YAML");
        assert_eq!(rendered["spec"], live["spec"], "weight {weight}");
        for key in ["name", "namespace", "annotations", "ownerReferences"] {
            assert_eq!(rendered["metadata"][key], live["metadata"][key], "weight {weight}: {key}");
        }
        // The live weight is the one it takes when none is given.
        let same = namespace.run(["render", "podinfo"]).run();
        assert_eq!(yaml::parse(&same.stdout).expect("it prints YAML"), rendered);
    }
}

#[test]
fn what_is_rendered_is_accepted_by_the_server() {
    let namespace = rollout("render-valid");
    declare(&namespace, "podinfo", "login; Max-Age=300; Path=/; Domain=a.b; Secure; HttpOnly; SameSite=None");
    let rendered = namespace.run(["render", "podinfo"]).run();
    let rendered: Value = yaml::parse(&rendered.stdout).expect("it prints YAML");
    namespace.delete("TraefikService", "podinfo");
    let path = namespace.path("TraefikService", "") + "?fieldValidation=Strict";
    let stored = namespace.server().admin().post(&path, &rendered).expect("what is rendered, created");
    assert_eq!(stored["spec"], rendered["spec"]);
    assert_eq!(stored["metadata"]["name"], json!("podinfo"));
}
